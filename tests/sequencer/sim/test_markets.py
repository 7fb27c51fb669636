"""Markets of a run: terms that governance accepts, and a price path of integers."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from circuits.exchange.governance import market_terms_hold
from circuits.exchange.limits import PPM, PRICE_MAX
from sequencer.sim.markets import MARKETS, PATH, TOKEN, Market, PricePath, level_ppm
from sequencer.sim.plan import WHOLE, Plan


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("count", [1, 2_000, 10**7])
def test_the_terms_hold_for_every_length(market: Market, count: int) -> None:
    assert market_terms_hold(market.terms(Plan(count, 1)))


def test_a_notional_buys_whole_lots_and_at_least_one() -> None:
    market = MARKETS[0]
    lot = 600_000 * market.quote_per_tick_lot
    assert market.lots(lot * 7 + lot - 1, 600_000) == 7
    assert market.lots(0, 600_000) == 1
    assert TOKEN == 10**6


def test_the_path_is_linear_between_its_points() -> None:
    for (before, level), (after, next_level) in pairwise(PATH):
        assert level_ppm(before) == level
        middle = (before + after) // 2
        assert min(level, next_level) <= level_ppm(middle) <= max(level, next_level)
    assert level_ppm(-10) == PATH[0][1]
    assert level_ppm(WHOLE + 10) == PATH[-1][1]


@pytest.mark.parametrize("seed", range(5))
def test_prices_stay_in_range_and_depend_on_the_seed_alone(seed: int) -> None:
    first, second = PricePath(random.Random(seed)), PricePath(random.Random(seed))
    other = PricePath(random.Random(seed + 100))
    walks: list[list[int]] = [[], [], []]
    for step in range(3 * WHOLE):
        market = MARKETS[step % len(MARKETS)]
        for walk, path in zip(walks, (first, second, other), strict=True):
            walk.append(path.step(market, step // 3))
    assert walks[0] == walks[1] != walks[2]
    assert all(0 < price <= PRICE_MAX for price in walks[0])


def test_the_crash_has_gaps_that_trip_the_breaker_of_some_markets_only() -> None:
    band_ppm = MARKETS[0].terms(Plan(2_000, 1)).band_ppm
    tripped = set()
    for (before, level), (after, next_level) in pairwise(PATH):
        if after - before > 1:
            continue
        for market in MARKETS:
            old = PPM + (level - PPM) * market.beta_percent // 100
            new = PPM + (next_level - PPM) * market.beta_percent // 100
            if abs(new - old) * PPM > band_ppm * old:
                tripped.add(market.number)
    assert tripped == {1, 2}
