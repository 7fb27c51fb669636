"""Money: every move is a posting from one book to another, in exact fractions of a USDC.

A trade moves no money until it is closed. Lots are closed first in, first out; what they made or
lost, funding included, is then posted against the clearing book of the market. An account's books
and its open lots together say what the rules call its cash: the price of all that it holds paid.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from tests.naive.world import Holding, Lot, Market, World

OUTSIDE = "outside"
"""The L1 side of every deposit and withdrawal."""

UNIT = Fraction(1, 10**6)
"""One token unit."""

CASH_UNIT = Fraction(1, 10**18)

POSITIONS_MAX = 16


def clearing(market: int) -> tuple[str, int]:
    return "clearing", market


def balance(world: World, book: Any) -> Fraction:
    return world.balances.get(book, Fraction(0))


def post(world: World, source: Any, to: Any, amount: Fraction) -> None:
    """Move an amount, which may be negative."""
    if amount:
        world.balances[source] = balance(world, source) - amount
        world.balances[to] = balance(world, to) + amount
        world.postings.append((source, to, amount))


def is_balanced(world: World) -> bool:
    """Whether all balances follow from the postings alone, from the first one on."""
    sums: dict[Any, Fraction] = {}
    for source, to, amount in world.postings:
        sums[source] = sums.get(source, Fraction(0)) - amount
        sums[to] = sums.get(to, Fraction(0)) + amount
    return sum(sums.values()) == 0 and all(
        sums.get(book, Fraction(0)) == amount for book, amount in world.balances.items()
    )


def custody(world: World) -> int:
    """Token units inside."""
    units = -balance(world, OUTSIDE) / UNIT
    assert units.denominator == 1
    return units.numerator


def cost(lots: tuple[Lot, ...], market: Market) -> Fraction:
    """What open lots were bought for, less the funding they had paid before."""
    ticks = sum(lot.size * lot.price for lot in lots)
    return ticks * market.quote - sum(lot.size * lot.funding for lot in lots if lot.funding)


def worth(lots: tuple[Lot, ...], market: Market) -> Fraction:
    """What open lots have made since each was bought."""
    made = sum(lot.size * (market.mark - lot.price) for lot in lots) * market.quote
    paid = sum(
        lot.size * (market.funding - lot.funding) for lot in lots if lot.funding != market.funding
    )
    return made - paid


def closed(
    lots: tuple[Lot, ...], size: int, price: int, market: Market
) -> tuple[tuple[Lot, ...], Fraction]:
    """The lots after a trade, and what the closed ones made."""
    left, made = list(lots), Fraction(0)
    while size and left and (left[0].size > 0) != (size > 0):
        lot = left.pop(0)
        sign = 1 if lot.size > 0 else -1
        count = min(abs(lot.size), abs(size))
        made += sign * count * (price - lot.price) * market.quote
        made -= sign * count * (market.funding - lot.funding)
        if count < abs(lot.size):
            left.insert(0, lot._replace(size=lot.size - sign * count))
        size += sign * count
    if size:
        left.append(Lot(size, price, market.funding))
    return tuple(left), made


class Portfolio(NamedTuple):
    """What an account has, or would have."""

    balance: Fraction
    lots: dict[int, tuple[Lot, ...]]

    def after(self, world: World, market: int, size: int, price: int, fee: Fraction) -> Portfolio:
        """The same once it has traded and paid a fee."""
        lots, made = closed(self.lots.get(market, ()), size, price, world.markets[market])
        others = {where: lots for where, lots in self.lots.items() if where != market}
        return Portfolio(self.balance + made - fee, others | ({market: lots} if lots else {}))

    def without(self, amount: Fraction) -> Portfolio:
        return self._replace(balance=self.balance - amount)

    def size(self, market: int) -> int:
        return sum(lot.size for lot in self.lots.get(market, ()))

    def cash(self, world: World) -> Fraction:
        """The balance had all open lots been paid in full."""
        return self.balance - sum(
            (cost(lots, world.markets[market]) for market, lots in self.lots.items()), Fraction(0)
        )


def portfolio(world: World, account: int) -> Portfolio:
    markets = world.markets_of(account)
    lots = {market: world.holdings[account, market].lots for market in markets}
    return Portfolio(balance(world, account), lots)


def cash_units(world: World, account: int) -> int:
    """Cash as a header holds it."""
    units = portfolio(world, account).cash(world) / CASH_UNIT
    assert units.denominator == 1
    return units.numerator


def trade(world: World, account: int, market: int, size: int, price: int) -> None:
    """Change a position by `size`, and post what closing made."""
    terms = world.markets[market]
    before = world.holdings.get((account, market))
    old = before.size if before else 0
    new = old + size
    lots, made = closed(before.lots if before else (), size, price, terms)
    post(world, clearing(market), account, made)
    if not new:
        del world.holdings[account, market]
        return
    quote = terms.terms.quote_per_tick_lot
    entry = before.entry_quote if before else 0
    if old * size >= 0:
        entry += size * price * quote
    elif old * new > 0:
        share = abs(entry) * Fraction(abs(new), abs(old)) // 1
        entry = share if entry > 0 else -share
    else:
        entry = new * price * quote
    place = before.place if before else free_place(world, account)
    since = before.since if before and old * new > 0 else world.arrival()
    world.holdings[account, market] = Holding(lots, entry, place, since)


def free_place(world: World, account: int) -> int:
    """The lowest of the account's places without a position."""
    taken = {world.holdings[account, market].place for market in world.markets_of(account)}
    return min(set(range(POSITIONS_MAX)) - taken)
