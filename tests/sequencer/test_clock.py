"""Time follows the wall clock forward and never back."""

from circuits.exchange.limits import TIME_MAX_MS
from sequencer.clock import Clock


def test_a_wall_clock_that_is_set_back_stands_still() -> None:
    clock = Clock(100)
    assert [clock.at(wall) for wall in (50, 100, 130, 120, 131)] == [100, 100, 130, 130, 131]
    assert clock.time_ms == 131


def test_the_last_time_is_the_last_that_a_leaf_can_hold() -> None:
    assert Clock(5).at(TIME_MAX_MS + 1) == TIME_MAX_MS
