"""AutoDeleverage: a bankrupt position that no backstop takes meets the best of the other side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.addresses import position_address
from circuits.exchange.deleveraging import require_top_ranked, shared_size
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind
from circuits.exchange.liquidation import (
    Victim,
    backstop_refusal,
    backstops,
    examine,
    hand_over,
)
from circuits.exchange.risk import find_position
from circuits.exchange.transactions.authority import Context


@dataclass(frozen=True, slots=True)
class AutoDeleverage:
    """The position of `account` in `market` against that of `counterparty`, the top of its side."""

    KIND: ClassVar[Kind] = Kind.AUTO_DELEVERAGE
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (
        ("account", 24),
        ("market", 16),
        ("counterparty", 24),
    )

    account: int
    market: int
    counterparty: int


def apply(draft: Draft, context: Context, command: AutoDeleverage) -> None:
    """Close what the two positions have in common, at the zero price of the bankrupt one.

    Raises: Rejected with the first rule that fails.
    """
    victim = examine(draft, context.time_ms, command.account, command.market)
    if victim.sums.equity >= 0:
        raise Rejected(RejectReason.NOT_BANKRUPT, "equity below 0", victim.sums.equity)
    bit, size = opposite_position(draft, victim, command.counterparty)
    lots = shared_size(victim, size)
    insurance, _ = backstops(draft)
    if command.account != insurance:
        if backstop_refusal(draft, context.time_ms, victim, insurance, lots) is None:
            raise Rejected(
                RejectReason.BACKSTOP_AVAILABLE, "an insurance without the margin", f"{lots} lots"
            )
    address = position_address(command.counterparty, bit)
    require_top_ranked(draft, context.time_ms, victim, address)
    hand_over(draft, victim, command.counterparty, lots)


def opposite_position(draft: Draft, victim: Victim, counterparty: int) -> tuple[int, int]:
    """Place in the bitmap and signed size of the counterparty's position on the other side."""
    header = draft.account(counterparty)
    if header is not None:
        bit, size = find_position(draft, counterparty, header, victim.market)
        if size * victim.size < 0:
            return bit, size
    raise Rejected(
        RejectReason.NO_POSITION,
        f"a {'short' if victim.size > 0 else 'long'} position of account {counterparty}",
        f"none in market {victim.market}",
    )
