"""Cancel: a signed withdrawal of one resting order or waiting trigger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from circuits.exchange.book import cancel_named
from circuits.exchange.draft import Draft
from circuits.exchange.events import Kind
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
class Cancel:
    """The own order or trigger that the key in `order_key_slot` signed under `order_nonce`."""

    KIND: ClassVar[Kind] = Kind.CANCEL
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (
        *TRADING_WIDTHS,
        ("order_key_slot", 8),
        ("order_nonce", 48),
    )

    account: int
    nonce: int
    expiry_ms: int
    key_slot: int
    order_key_slot: int
    order_nonce: int

    def tail(self) -> tuple[int, ...]:
        """The fields of this kind, lowest first."""
        return packed_tail(self, self.WIDTHS[4:])


def apply(draft: Draft, context: Context, cancel: Cancel, signature: Signature) -> None:
    """Take the order or trigger away, in any mode and market.

    Raises: Rejected with the first rule that fails.
    """
    authorise_trading(draft, context, cancel, signature)
    cancel_named(draft, OrderName(cancel.account, cancel.order_key_slot, cancel.order_nonce))
