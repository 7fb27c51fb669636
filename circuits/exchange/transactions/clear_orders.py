"""ClearOrders: what rests of an account leaves before its positions do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.draft import Draft
from circuits.exchange.events import Kind
from circuits.exchange.liquidation import clear, require_account
from circuits.exchange.transactions.authority import Context


@dataclass(frozen=True, slots=True)
class ClearOrders:
    """All orders and triggers of `account`, which is liquidatable."""

    KIND: ClassVar[Kind] = Kind.CLEAR_ORDERS
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (("account", 24),)

    account: int


def apply(draft: Draft, context: Context, command: ClearOrders) -> None:
    """Take out all that rests or waits.

    Raises: Rejected with the first rule that fails.
    """
    header = require_account(draft, command.account)
    clear(draft, context.time_ms, command.account, header)
