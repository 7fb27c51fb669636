"""Which resting orders may stand."""

from __future__ import annotations

from fractions import Fraction

from circuits.exchange.errors import RejectReason
from tests.naive.health import totals
from tests.naive.matching import reducible
from tests.naive.world import Refused, Resting, World


def why_dead(world: World, number: int, order: Resting) -> RejectReason | None:
    """Why an order is dead: too old, nothing to reduce, or too poor an owner."""
    if order.good_until_ms < world.now:
        return RejectReason.EXPIRED
    if order.reduce_only:
        left = reducible(world, order.name[0], number, order.side)
        return None if left > 0 else RejectReason.REDUCE_ONLY
    market = world.markets[number]
    try:
        sums = totals(world, order.name[0])
    except Refused as refused:
        return refused.reason
    worth = order.remaining * order.price * market.quote
    need = sums.initial + worth * Fraction(market.terms.initial_ppm, 10**6)
    return None if sums.equity >= need else RejectReason.INSUFFICIENT_MARGIN
