"""Liquidate: a position is reduced at no worse than the zero price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.draft import Draft
from circuits.exchange.events import Kind
from circuits.exchange.liquidation import examine, require_size, sell_off
from circuits.exchange.transactions.authority import Context


@dataclass(frozen=True, slots=True)
class Liquidate:
    """`size` lots of the position of `account` in `market`, against the book."""

    KIND: ClassVar[Kind] = Kind.LIQUIDATE
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (
        ("account", 24),
        ("market", 16),
        ("size", 48),
    )

    account: int
    market: int
    size: int


def apply(draft: Draft, context: Context, command: Liquidate) -> None:
    """Trade against the book until the size is done, the account is safe or the book is empty.

    Raises: Rejected with the first rule that fails.
    """
    victim = examine(draft, context.time_ms, command.account, command.market)
    require_size(victim, command.size)
    sell_off(draft, context.time_ms, victim, command.size)
