"""Times that a rule sets for later."""

from __future__ import annotations

import pytest

from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.times import later, next_boundary

TIME_MAX_MS = 2**48 - 1


def test_later_up_to_the_last_millisecond() -> None:
    assert later(5, 7) == 12
    assert later(TIME_MAX_MS - 7, 7) == TIME_MAX_MS
    with pytest.raises(Rejected) as caught:
        later(TIME_MAX_MS - 6, 7)
    assert caught.value.reason is RejectReason.TIME_OUT_OF_RANGE
    assert str(caught.value) == (
        "time_out_of_range: expected a time of at most 281474976710648 ms, got 281474976710649 ms"
    )


@pytest.mark.parametrize(
    ("time_ms", "boundary"), [(0, 60_000), (1, 60_000), (59_999, 60_000), (60_000, 120_000)]
)
def test_a_boundary_is_never_the_time_itself(time_ms: int, boundary: int) -> None:
    assert next_boundary(time_ms, 60_000) == boundary


def test_the_last_boundary() -> None:
    last = TIME_MAX_MS // 60_000 * 60_000
    assert next_boundary(last - 1, 60_000) == last
    with pytest.raises(Rejected):
        next_boundary(last, 60_000)
