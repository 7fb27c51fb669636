"""Deleveraging: who on the other side of a market meets a bankrupt position that nobody takes.

Positions of one side rank by profit times leverage. One pass over the list of the side shows that
none of those who could bear their part stands above the one who was chosen.
"""

from __future__ import annotations

from typing import NamedTuple, cast

from circuits.exchange.addresses import account_of
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.leaves import Position
from circuits.exchange.limits import CASH_OFFSET
from circuits.exchange.liquidation import Victim, backstops
from circuits.exchange.risk import totals
from circuits.exchange.units import CASH_PER_UNIT


class Rank(NamedTuple):
    """How a position stands: the ratio of weight to equity.

    Units: token units squared, and cash units above 0.
    """

    weight: int
    equity: int


def rank(size: int, entry_quote: int, mark_price: int, quote: int, equity: int) -> Rank:
    """(size * mark * quote - entry quote) * |size| * mark * quote: profit times notional, exact.

    Over equity it is profit times leverage.
    """
    notional = size * mark_price * quote
    return Rank((notional - entry_quote) * abs(notional), equity)


def outranks(first: Rank, second: Rank) -> bool:
    """weight / equity is greater, by exact cross-multiplication; equals do not outrank."""
    return first.weight * second.equity > second.weight * first.equity


def shared_size(victim: Victim, size: int) -> int:
    """min(|victim's|, |counterparty's|) lots, so that neither position is turned around."""
    return min(abs(victim.size), abs(size))


def equity_left(victim: Victim, mark_price: int, size: int, equity: int) -> int:
    """A counterparty's equity once the positions met at the zero price; exact.

    equity + sign * lots * (mark - zero price) * quote * 10^12, with the sign of the victim's size.
    """
    gain = (mark_price - victim.zero_price) * shared_size(victim, size)
    gain *= victim.terms.quote_per_tick_lot * CASH_PER_UNIT
    return equity + gain if victim.size > 0 else equity - gain


def rank_at(draft: Draft, time_ms: int, victim: Victim, address: int) -> Rank | None:
    """The rank of the position at an address, None for one that is not deleveraged.

    That is a backstop's, or one of an account without equity or without a valid price for each of
    its positions: an account that cannot be valued must not hold up all others.
    """
    account = account_of(address)
    if account in backstops(draft):
        return None
    try:
        equity = totals(draft, account, draft.known(account), time_ms).equity
    except Rejected:
        return None
    if not 0 < equity < CASH_OFFSET:
        return None
    position = cast(Position, draft.get(address))
    mark_price = draft.prices(victim.market).mark_price
    quote = victim.terms.quote_per_tick_lot
    return rank(position.size, position.entry_quote, mark_price, quote, equity)


def can_bear(draft: Draft, victim: Victim, address: int, found: Rank) -> bool:
    """Whether the account keeps its equity at or above 0."""
    size = cast(Position, draft.get(address)).size
    mark_price = draft.prices(victim.market).mark_price
    return equity_left(victim, mark_price, size, found.equity) >= 0


def require_top_ranked(draft: Draft, time_ms: int, victim: Victim, chosen: int) -> None:
    """Refuse a position, by its address, that another on its side outranks.

    One that could not bear its part is passed over: else it would shield all behind it.
    Raises: Rejected with NOT_TOP_RANKED or COUNTERPARTY_MARGIN.
    Cost: a health pass for every position of that side.
    """
    top = rank_at(draft, time_ms, victim, chosen)
    if top is None:
        raise Rejected(
            RejectReason.NOT_TOP_RANKED,
            "an account that is ranked",
            f"account {account_of(chosen)}",
        )
    if not can_bear(draft, victim, chosen, top):
        raise Rejected(
            RejectReason.COUNTERPARTY_MARGIN,
            f"equity of account {account_of(chosen)} that stays above zero",
            top.equity,
        )
    book = draft.book(victim.market)
    address = book.short_head if victim.size > 0 else book.long_head
    while address:
        found = rank_at(draft, time_ms, victim, address)
        if found is not None and outranks(found, top) and can_bear(draft, victim, address, found):
            raise Rejected(
                RejectReason.NOT_TOP_RANKED,
                f"account {account_of(address)}, which ranks higher",
                f"account {account_of(chosen)}",
            )
        address = cast(Position, draft.get(address)).next
