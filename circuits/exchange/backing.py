"""Whether a resting order is still what it promises: alive, and with margin of its own behind it.

Without this an account could rest an order, pay its cash out, and leave a price in the book that
nobody can trade at, but that the mark and the funding would follow.
"""

from __future__ import annotations

from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.gates import require_market
from circuits.exchange.leaves import MarketTerms, Order
from circuits.exchange.order_checks import reducible_size
from circuits.exchange.risk import PPM_CASH, totals


def lack_of(draft: Draft, market: int, order: Order, time_ms: int) -> RejectReason | None:
    """Why a resting order is none any more; None if it stands.

    EXPIRED, REDUCE_ONLY for one with nothing to reduce, INSUFFICIENT_MARGIN, or PRICE_STALE where
    its account cannot be valued now.
    """
    if order.good_until_ms < time_ms:
        return RejectReason.EXPIRED
    if order.reduce_only:
        header = draft.known(order.account)
        reducible = reducible_size(draft, order.account, header, market, order.side)
        return None if reducible > 0 else RejectReason.REDUCE_ONLY
    terms = require_market(draft, market)
    return margin_lack(draft, time_ms, order.account, terms, order.price * order.remaining)


def margin_lack(
    draft: Draft, time_ms: int, account: int, terms: MarketTerms, tick_lots: int
) -> RejectReason | None:
    """Why an account may not have an order of price times lots rest; None if it may.

    Its equity must cover the initial requirement of its positions and of this order alone.
    """
    try:
        now = totals(draft, account, draft.known(account), time_ms)
    except Rejected as rejected:
        return rejected.reason
    own = tick_lots * terms.quote_per_tick_lot * terms.initial_ppm * PPM_CASH
    return None if now.equity >= now.initial + own else RejectReason.INSUFFICIENT_MARGIN
