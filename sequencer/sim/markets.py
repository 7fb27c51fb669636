"""The markets of a run, and the price of each: a path that trends and jumps, with noise on it.

All arithmetic is on integers, so that equal seeds give equal prices on every machine.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from circuits.exchange.leaves import MarketTerms
from circuits.exchange.limits import PPM
from sequencer.sim.plan import CRASH_FROM, CRASH_UNTIL, Plan, is_crashing

TOKEN = 10**6
"""Token units in one token."""


@dataclass(frozen=True, slots=True)
class Market:
    """A market: `beta_percent` says how much it moves when the path of all moves by one part."""

    number: int
    first_price: int
    quote_per_tick_lot: int
    beta_percent: int
    initial_ppm: int
    maintenance_ppm: int

    def terms(self, plan: Plan) -> MarketTerms:
        """What governance lists the market with."""
        return MarketTerms(
            quote_per_tick_lot=self.quote_per_tick_lot,
            initial_ppm=self.initial_ppm,
            maintenance_ppm=self.maintenance_ppm,
            close_out_ppm=500_000,
            withdraw_buffer_ppm=5_000,
            liquidation_fee_ppm=5_000,
            outlier_ppm=5_000,
            band_ppm=100_000,
            mark_band_ppm=20_000,
            cooldown_ticks=2,
            tier_1_notional=1_000_000 * TOKEN,
            tier_1_initial_ppm=20_000,
            tier_1_maintenance_ppm=10_000,
            tier_2_notional=5_000_000 * TOKEN,
            tier_2_initial_ppm=50_000,
            tier_2_maintenance_ppm=25_000,
            max_age_ms=2 * plan.tick_ms,
            price_valid_ms=plan.price_valid_ms,
            interest_ppb=12_500,
            funding_clamp_ppb=50_000,
            funding_cap_ppb=5_000_000,
            size_min=1,
            open_interest_max=2**31 // self.quote_per_tick_lot,
        )

    def lots(self, notional: int, price: int) -> int:
        """How many lots a notional in token units buys; at least one."""
        return max(1, notional // (price * self.quote_per_tick_lot))


MARKETS = (
    Market(0, 600_000, 10, 100, 50_000, 25_000),
    Market(1, 300_000, 10, 115, 50_000, 25_000),
    Market(2, 150_000, 100, 140, 80_000, 40_000),
)
"""A tick is worth 0.1, 0.01 and 0.001 tokens, a lot is 10^-4, 10^-3 and 10^-1 of the asset."""

PATH: tuple[tuple[int, int], ...] = (
    (0, 1_000_000),
    (180, 1_000_000),
    (460, 1_180_000),
    (500, 1_110_000),
    (501, 1_160_000),
    (600, 1_150_000),
    (612, 1_120_000),
    (613, 1_045_000),
    (648, 1_030_000),
    (649, 960_000),
    (679, 945_000),
    (680, 860_000),
    (704, 840_000),
    (705, 770_000),
    (740, 680_000),
    (790, 690_000),
    (930, 850_000),
    (1000, 840_000),
)
"""The price over the run: thousandth, and millionths of the first price; in between it is linear.

A step within one thousandth is a jump. The first of the crash finds the exchange frozen; the later
ones trip the breaker where beta is high.
"""

CALM_NOISE_PPM, CRASH_NOISE_PPM = 400, 1_200
SHOCK_ONE_IN, SHOCK_PPM = 150, 12_000
REVERSION = 8
"""Each tick takes an eighth of the noise away."""


class PricePath:
    """The price that the oracle sees, market by market."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._noise_ppm = [0] * len(MARKETS)
        self._shift = rng.randrange(11) - 5
        self._depth_ppm = rng.randrange(20_000)
        self.prices = [market.first_price for market in MARKETS]

    def step(self, market: Market, progress: int) -> int:
        """The price of a market at its next tick."""
        rng, number = self._rng, market.number
        width = CRASH_NOISE_PPM if is_crashing(progress) else CALM_NOISE_PPM
        noise = self._noise_ppm[number]
        noise += rng.randrange(2 * width + 1) - width - noise // REVERSION
        if rng.randrange(SHOCK_ONE_IN) == 0:
            noise += SHOCK_PPM if rng.randrange(2) else -SHOCK_PPM
        self._noise_ppm[number] = noise
        moved = (self._level_ppm(progress) - PPM) * market.beta_percent // 100
        level = market.first_price * (PPM + moved) // PPM
        self.prices[number] = max(1, level * (PPM + noise) // PPM)
        return self.prices[number]

    def _level_ppm(self, progress: int) -> int:
        """The path, a little earlier or later and a little deeper by the seed."""
        level = level_ppm(progress + self._shift)
        if progress >= CRASH_FROM:
            passed = min(progress, CRASH_UNTIL) - CRASH_FROM
            level -= self._depth_ppm * passed // (CRASH_UNTIL - CRASH_FROM)
        return level


def level_ppm(progress: int) -> int:
    """The path at a thousandth of the run."""
    before, level = PATH[0]
    for after, next_level in PATH[1:]:
        if progress < after:
            passed = max(0, progress - before)
            return level + (next_level - level) * passed // (after - before)
        before, level = after, next_level
    return level
