"""FireTrigger: the trigger that a price has reached becomes an order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind
from circuits.exchange.gates import DOWN, LAST, is_armed, require_funding, require_market
from circuits.exchange.matching import place_order
from circuits.exchange.order_checks import require_enum
from circuits.exchange.steps import TriggerDropped, TriggerFired
from circuits.exchange.transactions.authority import Context
from circuits.exchange.triggers import order_of, remove_trigger


@dataclass(frozen=True, slots=True)
class FireTrigger:
    """The head of the list of `source` and `direction` in `market`."""

    KIND: ClassVar[Kind] = Kind.TRIGGER
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (
        ("market", 16),
        ("source", 8),
        ("direction", 8),
    )

    market: int
    source: int
    direction: int


def apply(draft: Draft, context: Context, fire: FireTrigger) -> None:
    """Take the trigger out of its list and place its order; if that is refused, it is dropped.

    What the order itself cannot help, that funding is due, refuses the command instead.
    Raises: Rejected with UNKNOWN_MARKET, BAD_ENUM, FUNDING_DUE or NOTHING_DUE.
    """
    market, source, direction = fire.market, fire.source, fire.direction
    require_market(draft, market)
    require_enum("source", source, LAST)
    require_enum("direction", direction, DOWN)
    require_funding(draft.prices(market), market, context.time_ms)
    slot = _require_armed(draft, market, source, direction)
    trigger = remove_trigger(draft, market, slot)
    order = order_of(market, trigger)
    if trigger.good_until_ms < context.time_ms:
        draft.steps.append(TriggerDropped(market, order.name, RejectReason.EXPIRED))
        return
    mark = draft.mark()
    draft.steps.append(TriggerFired(market, order.name))
    try:
        place_order(draft, context.time_ms, order, check_triggers=False)
    except Rejected as rejected:
        draft.rollback(mark)
        draft.steps.append(TriggerDropped(market, order.name, rejected.reason))


def _require_armed(draft: Draft, market: int, source: int, direction: int) -> int:
    """The slot of the head of the list, whose price is reached."""
    slot = draft.trigger_head(market, source, direction)
    if slot:
        price = draft.trigger(market, slot).trigger_price
        if is_armed(draft.prices(market), draft.book(market), source, direction, price):
            return slot
    raise Rejected(
        RejectReason.NOTHING_DUE,
        f"an armed trigger of source {source}, direction {direction} in market {market}",
        f"one at {price} ticks" if slot else "none",
    )
