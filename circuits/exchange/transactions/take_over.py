"""TakeOver: the insurance or the liquidity vault takes a position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.book import best, crosses
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind
from circuits.exchange.leaves import Side
from circuits.exchange.liquidation import (
    Victim,
    backstop_refusal,
    backstops,
    examine,
    hand_over,
    is_below_close_out,
    require_size,
)
from circuits.exchange.transactions.authority import Context


@dataclass(frozen=True, slots=True)
class TakeOver:
    """`size` lots of the position of `account` in `market` go to `backstop` at the zero price."""

    KIND: ClassVar[Kind] = Kind.TAKE_OVER
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (
        ("account", 24),
        ("market", 16),
        ("size", 48),
        ("backstop", 24),
    )

    account: int
    market: int
    size: int
    backstop: int


def apply(draft: Draft, context: Context, command: TakeOver) -> None:
    """Move the lots to the backstop.

    Raises: Rejected with the first rule that fails.
    """
    victim = examine(draft, context.time_ms, command.account, command.market)
    require_size(victim, command.size)
    backstop = command.backstop
    if backstop in (0, command.account) or backstop not in backstops(draft):
        raise Rejected(
            RejectReason.NOT_BACKSTOP, "the insurance or the liquidity vault, not itself", backstop
        )
    if victim.sums.equity < 0 and backstop != backstops(draft)[0]:
        raise Rejected(RejectReason.NOT_BACKSTOP, "the insurance for a bankrupt account", backstop)
    if not is_below_close_out(victim.sums, victim.terms.close_out_ppm):
        require_empty_book(draft, victim)
    reason = backstop_refusal(draft, context.time_ms, victim, backstop, command.size)
    if reason is not None:
        raise Rejected(
            RejectReason.BACKSTOP_MARGIN, f"a backstop that can take {command.size} lots", reason
        )
    hand_over(draft, victim, backstop, command.size)


def require_empty_book(draft: Draft, victim: Victim) -> None:
    """Refuse while the first order of the other side is at the zero price or better."""
    slot = best(draft, victim.market, Side.BID if victim.side == Side.ASK else Side.ASK)
    if slot:
        price = draft.order(victim.market, slot).price
        if crosses(victim.side, victim.zero_price, price):
            raise Rejected(
                RejectReason.TAKEOVER_EARLY,
                f"no order at {victim.zero_price} ticks or better",
                f"one at {price}",
            )
