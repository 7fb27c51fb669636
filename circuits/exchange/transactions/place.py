"""Place: a signed order, matched at once and left to rest if it may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

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
class Place:
    """An order of `size` lots in `market` at `price` ticks or better."""

    KIND: ClassVar[Kind] = Kind.PLACE
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (
        *TRADING_WIDTHS,
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


def apply(draft: Draft, context: Context, place: Place, signature: Signature) -> None:
    """Match the order and let the rest of it rest.

    Raises: Rejected with the first rule that fails.
    """
    authorise_trading(draft, context, place, signature)
    order = NewOrder(
        OrderName(place.account, place.key_slot, place.nonce),
        place.market,
        place.side,
        place.time_in_force,
        place.reduce_only,
        place.price,
        place.size,
        place.good_until_ms,
    )
    place_order(draft, context.time_ms, order)
