"""CancelAll: a signed withdrawal of all that rests and waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from circuits.exchange.book import cancel_resting
from circuits.exchange.draft import Draft
from circuits.exchange.events import Kind
from circuits.exchange.transactions.authority import TRADING_WIDTHS, Context, authorise_trading

if TYPE_CHECKING:
    from circuits.signature import Signature


@dataclass(frozen=True, slots=True)
class CancelAll:
    """All own orders and triggers, in every market."""

    KIND: ClassVar[Kind] = Kind.CANCEL_ALL
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = TRADING_WIDTHS

    account: int
    nonce: int
    expiry_ms: int
    key_slot: int

    def tail(self) -> tuple[int, ...]:
        """The fields of this kind, lowest first."""
        return (0,)


def apply(draft: Draft, context: Context, cancel_all: CancelAll, signature: Signature) -> None:
    """Take all of them away; there may be none.

    Raises: Rejected with the first rule of authority that fails.
    """
    authorise_trading(draft, context, cancel_all, signature)
    cancel_resting(draft, cancel_all.account)
