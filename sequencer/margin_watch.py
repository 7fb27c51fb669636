"""Finds the accounts that fell below their maintenance requirement, without looking at the others.

Each account that is looked at has a slack, equity less maintenance. It is shared out over the
account's positions in proportion to what each could lose: every position gets a band of marks and
of funding indices, and the account is looked at again only when one of them is left.

Why no account is missed. Let x be the slack over the sum of |notional| * (a + FUNDING_PPM), where
a is the most of a fall in value, in parts per million, that a position feels: 10^6 less the
maintenance rate for a long, whose requirement shrinks at least at that rate as the mark falls, and
10^6 plus all maintenance rates for a short. A move of the mark against a position by the fraction
x, and of funding by x * FUNDING_PPM of the notional, cost |notional| * (a + FUNDING_PPM) * x at
most; the positions together cost the slack at most, and a move in their favour costs nothing. So
inside all bands equity is at least maintenance. Fractions round toward narrower bands.

Between moves of prices a rule may change an account. A fill leaves it healthy, or with no less
equity over requirement than before; what takes cash out asks for more than maintenance. So whoever
was safe before is safe after, and bands need not be drawn anew before the next price moves. The
commands that ask for less say so by `look_now`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from circuits.exchange.addresses import (
    account_of,
    book_address,
    header_address,
    position_address,
    prices_address,
    terms_address,
)
from circuits.exchange.leaves import Account, MarketPrices, MarketTerms
from circuits.exchange.limits import PPM, PRICE_MAX
from circuits.exchange.risk import PPM_CASH, position_totals
from circuits.exchange.units import CASH_PER_UNIT
from sequencer.lazy_heap import LazyHeap

Entries = Mapping[int, Any]
"""The leaves of the newest state, by address."""

FUNDING_PPM = PPM // 16
"""The share of a band that is kept for funding, whose moves are small beside those of prices."""


class Bands:
    """Where the accounts with a position in one market are to be looked at again.

    What must not be passed downward is kept with its sign turned, because a heap knows its lowest.
    """

    __slots__ = ("_funding_falls", "_funding_rises", "_mark_falls", "_mark_rises")

    def __init__(self) -> None:
        self._mark_falls, self._mark_rises = LazyHeap(), LazyHeap()
        self._funding_falls, self._funding_rises = LazyHeap(), LazyHeap()

    def put_long(self, account: int, prices: MarketPrices, move: int, funding: int) -> None:
        """A long is safe while the mark falls by at most `move`, funding rises by `funding`."""
        if move < prices.mark_price:
            self._mark_falls.put(account, move - prices.mark_price)
        self._funding_rises.put(account, prices.funding_index + funding)

    def put_short(self, account: int, prices: MarketPrices, move: int, funding: int) -> None:
        """A short is safe while the mark rises by at most `move`, funding falls by `funding`."""
        if move <= PRICE_MAX - prices.mark_price:
            self._mark_rises.put(account, prices.mark_price + move)
        self._funding_falls.put(account, funding - prices.funding_index)

    def crossed(self, prices: MarketPrices) -> Iterator[int]:
        """The accounts whose band the market has left; their bands are forgotten."""
        mark, funding = prices.mark_price, prices.funding_index
        for heap, bound in (
            (self._mark_falls, -mark),
            (self._mark_rises, mark),
            (self._funding_rises, funding),
            (self._funding_falls, -funding),
        ):
            while (account := heap.below(bound)) is not None:
                heap.drop(account)
                yield account


class MarginWatch:
    """Is told what changed and, asked by `found`, names who may have to be liquidated.

    `unsafe` are the accounts that were below maintenance, or in debt, when last looked at.
    """

    def __init__(self) -> None:
        self.unsafe: set[int] = set()
        self._bands: dict[int, Bands] = {}
        self._touched: set[int] = set()
        self._moved: set[int] = set()
        self._new_terms: set[int] = set()
        self._must_look = False

    def touch(self, account: int) -> bool:
        """Positions of the account changed, or its cash fell; whether to look before a price moves.

        One that was unsafe may have become safe, or something else may be due about it.
        """
        self._touched.add(account)
        if account in self.unsafe:
            self._must_look = True
        return self._must_look

    def look_now(self) -> None:
        """What was touched may be unsafe although no price moved."""
        self._must_look = True

    def move(self, market: int) -> None:
        """The mark or the funding index of a market changed."""
        self._moved.add(market)

    def change_terms(self, market: int) -> None:
        """The margin terms of a market changed: everybody there is looked at again."""
        self._new_terms.add(market)

    def found(self, entries: Entries) -> list[int]:
        """Accounts that are unsafe now and were changed or reached by a price since the last call.

        Cost: a health pass for each account that was changed or whose band was left.
        """
        if not (self._moved or self._must_look or self._new_terms):
            return []
        looked_at, self._touched = self._touched, set()
        for market in self._new_terms:
            looked_at.update(holders(entries, market))
        for market in self._moved:
            bands = self._bands.get(market)
            if bands is not None:
                looked_at.update(bands.crossed(entries[prices_address(market)]))
        self._moved.clear()
        self._new_terms.clear()
        self._must_look = False
        return [account for account in sorted(looked_at) if self.is_unsafe(entries, account)]

    def is_unsafe(self, entries: Entries, account: int) -> bool:
        """Look at an account: whether it is below maintenance or in debt; if not, draw its bands.

        A price that is no longer valid counts too; whether it may be used is for the rules to say.
        """
        header: Account = entries[header_address(account)]
        slack: int = header.cash
        weight = bit = 0
        bitmap = header.positions
        held = []
        while bitmap:
            if bitmap & 1:
                position = entries[position_address(account, bit)]
                market, size = position.market, position.size
                prices = entries[prices_address(market)]
                terms = entries[terms_address(market)]
                sums = position_totals(size, prices, terms)
                slack += sums.equity - sums.maintenance
                weight += sums.gross * (most_felt_ppm(size, terms) + FUNDING_PPM) * PPM_CASH
                held.append((market, size, prices, terms))
            bitmap >>= 1
            bit += 1
        if slack < 0:
            self.unsafe.add(account)
            return True
        self.unsafe.discard(account)
        for market, size, prices, terms in held:
            bands = self._bands.get(market)
            if bands is None:
                bands = self._bands[market] = Bands()
            mark = prices.mark_price
            move = mark * slack // weight
            quote = mark * terms.quote_per_tick_lot * CASH_PER_UNIT
            funding = quote * FUNDING_PPM * slack // (weight * PPM)
            put = bands.put_long if size > 0 else bands.put_short
            put(account, prices, move, funding)
        return False


def most_felt_ppm(size: int, terms: MarketTerms) -> int:
    """How much of a loss of notional a position can feel, its requirement included."""
    if size > 0:
        return PPM - terms.maintenance_ppm
    return PPM + terms.maintenance_ppm + terms.tier_1_maintenance_ppm + terms.tier_2_maintenance_ppm


def holders(entries: Entries, market: int) -> Iterator[int]:
    """Every account with a position in a market. Cost: a walk along both of its lists."""
    book = entries[book_address(market)]
    for head in (book.long_head, book.short_head):
        address = head
        while address:
            yield account_of(address)
            address = entries[address].next
