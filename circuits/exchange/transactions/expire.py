"""Expire: a resting order past its own expiry, or that nothing backs any more, leaves the book."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

from circuits.exchange.addresses import order_address
from circuits.exchange.backing import lack_of
from circuits.exchange.book import remove
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind
from circuits.exchange.leaves import Order
from circuits.exchange.limits import MARKET_MAX, ORDER_SLOT_MAX
from circuits.exchange.steps import Dropped, OrderName
from circuits.exchange.transactions.authority import Context


@dataclass(frozen=True, slots=True)
class Expire:
    """The order in `slot` of `market`."""

    KIND: ClassVar[Kind] = Kind.EXPIRE
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (
        ("market", 16),
        ("slot", 24),
    )

    market: int
    slot: int


def apply(draft: Draft, context: Context, expire: Expire) -> None:
    """Take the order out of the book.

    Raises: Rejected with UNKNOWN_ORDER or NOT_DUE.
    """
    market, slot = expire.market, expire.slot
    order = None
    if 0 <= market <= MARKET_MAX and 1 <= slot <= ORDER_SLOT_MAX:
        order = cast(Order | None, draft.get(order_address(market, slot)))
    if order is None:
        raise Rejected(RejectReason.UNKNOWN_ORDER, f"the slot of an order in market {market}", slot)
    reason = lack_of(draft, market, order, context.time_ms)
    if reason is None or reason is RejectReason.PRICE_STALE:
        raise Rejected(
            RejectReason.NOT_DUE,
            f"an order that may not stand, or a time after {order.good_until_ms} ms",
            f"one that stands at {context.time_ms} ms",
        )
    remove(draft, market, slot)
    draft.steps.append(Dropped(market, OrderName(*order[:3]), reason))
