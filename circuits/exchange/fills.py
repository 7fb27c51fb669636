"""What one trade does to an account: whether it may, its cash and position, and its fee.

A lot at price p costs p * q * 10^12 - F cash: funding is part of the price, so a buyer pays what
the seller gets, exactly, and fees only move cash between accounts. The sum of all cash stays.
"""

from __future__ import annotations

from typing import NamedTuple

from circuits.exchange.addresses import (
    book_address,
    header_address,
    terms_address,
    vault_terms_address,
)
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.leaves import (
    Account,
    AccountKind,
    FeeTerms,
    MarketBook,
    MarketPrices,
    MarketTerms,
    VaultTerms,
)
from circuits.exchange.limits import CASH_OFFSET, POSITION_SLOTS, PPM
from circuits.exchange.positions import open_position, resize
from circuits.exchange.risk import (
    PPM_CASH,
    Totals,
    find_position,
    may_change,
    position_totals,
    survey,
)
from circuits.exchange.transactions.cash import require_cash_bounds
from circuits.exchange.units import CASH_PER_UNIT, CashUnits

ALL_POSITIONS = 2**POSITION_SLOTS - 1
"""The bitmap of an account that has no free slot for a position."""

VAULT = AccountKind.VAULT


class MarketView(NamedTuple):
    """What a trade reads of its market and never changes."""

    market: int
    terms: MarketTerms
    prices: MarketPrices


class Party(NamedTuple):
    """One side of a trade: the account as it is, and its size and cash as they will be.

    The position's leaf is not here: the other side's may be its neighbour and change its links.
    """

    account: int
    header: Account
    bit: int
    old_size: int
    new_size: int
    cash: int


def view_of(draft: Draft, market: int) -> MarketView:
    """A listed market as it is now."""
    return MarketView(market, draft.get(terms_address(market)), draft.prices(market))


def refusal(
    draft: Draft, market: int, account: int, delta: int, price: int, fee: int, time_ms: int
) -> RejectReason | None:
    """Why the account may not trade signed lots at a price for a fee; None if it may.

    The open interest is not this rule's, because the two sides of a fill change it together.
    """
    found = weigh(draft, view_of(draft, market), account, delta, price, fee, time_ms)
    return found if isinstance(found, RejectReason) else None


def weigh(
    draft: Draft,
    view: MarketView,
    account: int,
    delta: int,
    price: int,
    fee: int,
    time_ms: int,
) -> Party | RejectReason:
    """The account as a party to a trade of signed lots, or why it may not be one."""
    market, terms, prices = view
    header = draft.known(account)
    try:
        bit, position, others = survey(draft, account, header, market, time_ms)
    except Rejected as rejected:
        return rejected.reason
    if position is None and header.positions == ALL_POSITIONS:
        return RejectReason.TOO_MANY_POSITIONS
    old_size = 0 if position is None else position.size
    new_size = old_size + delta
    paid = delta * lot_cash(view, price) + fee
    cash = header.cash - paid
    if not -CASH_OFFSET < cash < CASH_OFFSET:
        return RejectReason.CASH_OUT_OF_BOUNDS
    own = position_totals(new_size, prices, terms)
    equity = others.equity + own.equity - paid
    if equity < others.initial + own.initial:
        before = others.plus(position_totals(old_size, prices, terms))
        after = others.plus(own)._replace(equity=equity)
        if not may_change(before, after, old_size, new_size):
            return RejectReason.INSUFFICIENT_MARGIN
    if header.kind == VAULT and (old_size * new_size < 0 or abs(new_size) > abs(old_size)):
        after = others.plus(own)._replace(equity=equity)
        if not is_within_caps(draft, account, after, own.gross):
            return RejectReason.VAULT_CAP
    return Party(account, header, bit, old_size, new_size, cash)


def lot_cash(view: MarketView, price: int) -> int:
    """What a buyer pays for a lot at a price, in cash units."""
    return price * view.terms.quote_per_tick_lot * CASH_PER_UNIT - view.prices.funding_index


def is_within_caps(draft: Draft, account: int, after: Totals, exposure: int) -> bool:
    """Whether a vault keeps its caps: leverage and skew of all it holds, exposure in one market."""
    caps: VaultTerms = draft.get(vault_terms_address(account))
    return (
        after.gross * CASH_PER_UNIT * PPM <= after.equity * caps.leverage_cap_ppm
        and exposure <= caps.exposure_cap
        and abs(after.net) <= caps.skew_cap
    )


def exchange_lots(
    draft: Draft, market: int, buyer: int, seller: int, price: int, size: int
) -> None:
    """Move lots from one account to another for cash, without fees or a question of margin.

    Assumes: two accounts, each with a position in the market or a free slot for one.
    Raises: Rejected with CASH_OUT_OF_BOUNDS.
    """
    view = view_of(draft, market)
    buying = _unweighed(draft, view, buyer, size, price)
    selling = _unweighed(draft, view, seller, -size, price)
    settle(draft, view, buying, selling, price, draft.book(market).last_trade)


def _unweighed(draft: Draft, view: MarketView, account: int, delta: int, price: int) -> Party:
    header = draft.known(account)
    bit, size = find_position(draft, account, header, view.market)
    cash = header.cash - delta * lot_cash(view, price)
    require_cash_bounds(CashUnits(cash))
    return Party(account, header, bit, size, size + delta, cash)


def settle(
    draft: Draft, view: MarketView, one: Party, other: Party, price: int, last_trade: int
) -> None:
    """Write what a trade makes of its two parties, and the market's open interest."""
    market = view.market
    lot_quote = price * view.terms.quote_per_tick_lot
    book = draft.book(market)
    open_interest = book.open_interest
    for account, header, bit, old_size, new_size, cash in (one, other):
        bitmap = header.positions
        if bit < 0:
            bitmap = open_position(draft, account, bitmap, market, new_size, lot_quote)
        else:
            bitmap = resize(draft, account, bitmap, bit, new_size, lot_quote)
        changed = Account._make((*header[:3], cash, header.kind, bitmap, *header[6:]))
        draft.put(header_address(account), changed)
        open_interest += longs_added(old_size, new_size)
    if open_interest != book.open_interest or last_trade != book.last_trade:
        book = draft.book(market)
        changed_book = MarketBook._make((*book[:2], last_trade, open_interest, *book[4:]))
        draft.put(book_address(market), changed_book)


def longs_added(old_size: int, new_size: int) -> int:
    """How many lots more are held long once a position has another size."""
    return (new_size if new_size > 0 else 0) - (old_size if old_size > 0 else 0)


def share_fees(
    draft: Draft, fees: FeeTerms, notional: int, payers: tuple[tuple[Account, int], ...]
) -> None:
    """Credit the fees that each payer of parts per million of a notional was charged, exactly.

    Raises: Rejected with CASH_OUT_OF_BOUNDS.
    """
    weight = referred = 0
    for payer, fee_ppm in payers:
        share = notional * fee_ppm
        weight += share
        if payer.referrer:
            part = share * fees.referrer_share_ppm
            referred += part
            credit(draft, payer.referrer, part)
    vault = weight * fees.vault_share_ppm if fees.vault_account else 0
    insurance = weight * fees.insurance_share_ppm
    credit(draft, fees.vault_account, vault)
    credit(draft, fees.insurance_account, insurance)
    credit(draft, fees.fee_account, weight * PPM_CASH - referred - vault - insurance)


def charge(draft: Draft, account: int, fee: int) -> None:
    """Take cash from an account; nobody is credited.

    Raises: Rejected with CASH_OUT_OF_BOUNDS.
    """
    credit(draft, account, -fee)


def credit(draft: Draft, account: int, amount: int) -> None:
    """Give cash to an account, or take a negative amount; of nothing, nothing is written.

    Raises: Rejected with CASH_OUT_OF_BOUNDS.
    """
    if amount == 0:
        return
    address = header_address(account)
    header: Account = draft.get(address)
    cash = header.cash + amount
    require_cash_bounds(CashUnits(cash))
    draft.put(address, Account._make((*header[:3], cash, *header[4:])))
