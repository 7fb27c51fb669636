"""Modify: cancel and place under one signature; both happen or neither."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from circuits.exchange.book import cancel_order
from circuits.exchange.draft import Draft
from circuits.exchange.events import Kind
from circuits.exchange.matching import place_order
from circuits.exchange.order_checks import NewOrder
from circuits.exchange.steps import OrderName
from circuits.exchange.transactions.authority import (
    TRADING_WIDTHS,
    Context,
    authorise_trading,
    packed_tail,
)

if TYPE_CHECKING:
    from circuits.signature import Signature


@dataclass(frozen=True, slots=True)
class Modify:
    """The resting order named by `order_key_slot` and `order_nonce` gives way to a new one."""

    KIND: ClassVar[Kind] = Kind.MODIFY
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (
        *TRADING_WIDTHS,
        ("order_key_slot", 8),
        ("order_nonce", 48),
        ("market", 16),
        ("side", 8),
        ("time_in_force", 8),
        ("reduce_only", 8),
        ("price", 32),
        ("size", 48),
        ("good_until_ms", 48),
    )

    account: int
    nonce: int
    expiry_ms: int
    key_slot: int
    order_key_slot: int
    order_nonce: int
    market: int
    side: int
    time_in_force: int
    reduce_only: int
    price: int
    size: int
    good_until_ms: int

    def tail(self) -> tuple[int, ...]:
        """The fields of this kind, lowest first."""
        return packed_tail(self, self.WIDTHS[4:])


def apply(draft: Draft, context: Context, modify: Modify, signature: Signature) -> None:
    """Take the old order away and place the new one; a trigger cannot be modified.

    Raises: Rejected with the first rule that fails.
    """
    authorise_trading(draft, context, modify, signature)
    account = modify.account
    cancel_order(draft, OrderName(account, modify.order_key_slot, modify.order_nonce))
    order = NewOrder(
        OrderName(account, modify.key_slot, modify.nonce),
        modify.market,
        modify.side,
        modify.time_in_force,
        modify.reduce_only,
        modify.price,
        modify.size,
        modify.good_until_ms,
    )
    place_order(draft, context.time_ms, order)
