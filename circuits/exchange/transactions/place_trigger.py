"""PlaceTrigger: a signed stop or take-profit order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind
from circuits.exchange.gates import DOWN, LAST, is_armed
from circuits.exchange.leaves import Trigger
from circuits.exchange.limits import TRIGGERS_MAX
from circuits.exchange.order_checks import (
    TimeInForce,
    require_bounds,
    require_cases,
    require_enum,
    require_open,
    require_positive_price,
)
from circuits.exchange.steps import OrderName, TriggerRested
from circuits.exchange.transactions.authority import (
    TRADING_WIDTHS,
    Context,
    authorise_trading,
    packed_tail,
)
from circuits.exchange.triggers import insert_trigger, order_of

if TYPE_CHECKING:
    from circuits.signature import Signature


@dataclass(frozen=True, slots=True)
class PlaceTrigger:
    """An order that is placed once a price reaches `trigger_price`."""

    KIND: ClassVar[Kind] = Kind.PLACE_TRIGGER
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (
        *TRADING_WIDTHS,
        ("market", 16),
        ("side", 8),
        ("time_in_force", 8),
        ("reduce_only", 8),
        ("source", 8),
        ("direction", 8),
        ("trigger_price", 32),
        ("price", 32),
        ("size", 48),
        ("good_until_ms", 48),
    )

    account: int
    nonce: int
    expiry_ms: int
    key_slot: int
    market: int
    side: int
    time_in_force: int
    reduce_only: int
    source: int
    direction: int
    trigger_price: int
    price: int
    size: int
    good_until_ms: int

    def tail(self) -> tuple[int, ...]:
        """The fields of this kind, lowest first."""
        return packed_tail(self, self.WIDTHS[4:])


def apply(
    draft: Draft, context: Context, place_trigger: PlaceTrigger, signature: Signature
) -> None:
    """Check all that an order is checked for but margin and price, and let the trigger wait.

    Raises: Rejected with the first rule that fails.
    """
    authorise_trading(draft, context, place_trigger, signature)
    trigger = Trigger(
        place_trigger.account,
        place_trigger.key_slot,
        place_trigger.nonce,
        place_trigger.side,
        place_trigger.reduce_only,
        place_trigger.time_in_force,
        place_trigger.source,
        place_trigger.direction,
        place_trigger.trigger_price,
        place_trigger.price,
        place_trigger.size,
        place_trigger.good_until_ms,
        0,
        0,
    )
    market = place_trigger.market
    _require_trigger(draft, context.time_ms, market, trigger)
    slot = insert_trigger(draft, market, trigger)
    if slot is None:
        raise Rejected(RejectReason.BOOK_FULL, f"a free trigger slot in market {market}", "none")
    draft.steps.append(TriggerRested(market, slot, OrderName(*trigger[:3])))


def _require_trigger(draft: Draft, time_ms: int, market: int, trigger: Trigger) -> None:
    header = draft.known(trigger.account)
    terms = require_open(draft, time_ms, header, market, trigger.reduce_only, True)
    order = order_of(market, trigger)
    require_cases(order, TimeInForce.IMMEDIATE_OR_CANCEL)
    require_enum("source", trigger.source, LAST)
    require_enum("direction", trigger.direction, DOWN)
    require_positive_price(trigger.trigger_price)
    require_bounds(terms, time_ms, order)
    if header.triggers >= TRIGGERS_MAX:
        raise Rejected(
            RejectReason.TOO_MANY_TRIGGERS,
            f"fewer than {TRIGGERS_MAX} waiting triggers",
            header.triggers,
        )
    if is_armed(
        draft.prices(market),
        draft.book(market),
        trigger.source,
        trigger.direction,
        trigger.trigger_price,
    ):
        raise Rejected(
            RejectReason.TRIGGER_ARMED,
            "a trigger price that is not reached yet",
            trigger.trigger_price,
        )
