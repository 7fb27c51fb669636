"""The layout of a run: what scales with its length, and what does not."""

from __future__ import annotations

import pytest

from circuits.exchange.limits import SETTLEMENT_MS
from sequencer.sim.plan import (
    CRASH_FROM,
    CRASH_UNTIL,
    DROPOUTS,
    FIRST_GAP,
    PAUSE_MS,
    RISES,
    SPAN_MS_MIN,
    STALE_TICKS,
    TRADERS_MAX,
    TRADERS_MIN,
    VALID_TICKS,
    WHOLE,
    Plan,
    is_crashing,
    is_rising,
)


@pytest.mark.parametrize("count", [1, 2_000, 20_000, 200_000])
def test_a_run_of_any_length_sees_funding_settled_and_prices_run_out(count: int) -> None:
    plan = Plan(count, 7)
    span_ms = plan.pause_ms * count
    assert span_ms >= SPAN_MS_MIN * 9 // 10
    before_hour_ms = -plan.start_ms % SETTLEMENT_MS
    assert 0 < before_hour_ms <= span_ms // 3
    assert plan.price_valid_ms < STALE_TICKS * plan.tick_ms
    assert TRADERS_MIN <= plan.trader_count <= TRADERS_MAX


def test_short_runs_are_stretched_and_long_ones_are_not() -> None:
    assert Plan(2_000, 1).pause_ms == SPAN_MS_MIN // 2_000
    assert Plan(200_000, 1).pause_ms == PAUSE_MS
    assert Plan(2_000, 1).trader_count < Plan(200_000, 1).trader_count == TRADERS_MAX


def test_every_run_is_an_exchange_of_its_own() -> None:
    domains = {Plan(count, seed).header.domain for count in (10, 11) for seed in (1, 2)}
    assert len(domains) == 4
    assert Plan(10, 1).header == Plan(10, 1).header


def test_phases_follow_one_another() -> None:
    plan = Plan(20_000, 1)
    assert plan.progress(0) == 0
    assert plan.progress(20_000) == WHOLE
    assert all(0 < at < WHOLE for at, _ in DROPOUTS)
    for plan in (Plan(2_000, 1), Plan(20_000, 1), Plan(200_000, 1)):
        assert CRASH_FROM < plan.freeze_from < FIRST_GAP < plan.freeze_until - 1 < CRASH_UNTIL
    assert [is_crashing(at) for at in (CRASH_FROM - 1, CRASH_FROM, CRASH_UNTIL)] == [
        False,
        True,
        False,
    ]
    for first, end in RISES:
        assert [is_rising(at) for at in (first - 1, first, end - 1)] == [False, True, True]
    assert VALID_TICKS < STALE_TICKS
