"""The oracle's signers: a tick for each market at its time, dropouts, and a quote that is off."""

from __future__ import annotations

from circuits.exchange.limits import PPM
from circuits.exchange.transactions.oracle_tick import OracleTick, Quote
from sequencer.sim.cast import SIGNERS
from sequencer.sim.desk import Desk
from sequencer.sim.keys import UNSIGNED
from sequencer.sim.markets import MARKETS, Market
from sequencer.sim.plan import DROPOUTS, STALE_TICKS

SPREAD_PPM = 80
"""How far apart two honest signers are, at most twice."""

OUTLIER_ONE_IN, OUTLIER_PPM = 40, 30_000
ABSENT_ONE_IN = 15
"""Now and then a signer is far off, or is missing."""

AGE_FRACTION = 8
"""Quotes are up to an eighth of a tick old."""


class Oracle:
    """When the next tick of each market is due, and what it says."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        spacing_ms = desk.plan.tick_ms // len(MARKETS)
        first_ms = desk.time_ms + spacing_ms
        self._due_ms = [first_ms + spacing_ms * market.number for market in MARKETS]
        # The first prices come at once; from then on the markets take turns.
        self._unpriced = [market.number for market in MARKETS]
        self._dropouts = list(DROPOUTS)

    def due(self) -> OracleTick | None:
        """The tick that is due now, if one is."""
        desk = self._desk
        if self._unpriced:
            return self.tick(MARKETS[self._unpriced.pop(0)])
        while self._dropouts and desk.progress >= self._dropouts[0][0]:
            _, numbers = self._dropouts.pop(0)
            for number in numbers:
                self._due_ms[number] += STALE_TICKS * desk.plan.tick_ms
        for market in MARKETS:
            if desk.time_ms >= self._due_ms[market.number]:
                self._due_ms[market.number] = desk.time_ms + desk.plan.tick_ms
                return self.tick(market)
        return None

    def tick(self, market: Market) -> OracleTick:
        """The next price of a market, as the signers see it."""
        desk = self._desk
        rng, price = desk.rng, desk.path.step(market, desk.progress)
        signers = list(range(SIGNERS))
        if rng.randrange(ABSENT_ONE_IN) == 0:
            signers.pop(rng.randrange(SIGNERS))
        outlier = rng.randrange(OUTLIER_ONE_IN * SIGNERS)
        quotes = []
        for signer in signers:
            off_ppm = rng.randrange(2 * SPREAD_PPM + 1) - SPREAD_PPM
            if signer == outlier and len(signers) == SIGNERS:
                off_ppm = OUTLIER_PPM
            age_ms = rng.randrange(desk.plan.tick_ms // AGE_FRACTION)
            seen = max(1, price * (PPM + off_ppm) // PPM)
            quotes.append(Quote(signer, seen, desk.time_ms - age_ms, UNSIGNED))
        quotes.sort(key=lambda quote: (quote.price, quote.signer))
        return OracleTick(market.number, tuple(quotes))
