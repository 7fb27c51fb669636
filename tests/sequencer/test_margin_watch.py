"""Bands: nobody who fell below maintenance is missed, and few others are looked at."""

from __future__ import annotations

import random
from typing import Any

import pytest

from circuits.exchange.addresses import (
    account_of,
    book_address,
    header_address,
    position_address,
    prices_address,
    terms_address,
)
from circuits.exchange.leaves import Account, Leaf, MarketBook, MarketTerms, Position
from circuits.exchange.limits import PRICE_MAX
from circuits.exchange.risk import position_totals
from circuits.exchange.units import CASH_PER_UNIT
from sequencer.margin_watch import MarginWatch, holders, most_felt_ppm
from tests.support.market import LOT_UNITS, PRICES, TERMS

MARKETS = range(4)
ACCOUNTS = range(1, 41)


class Positions:
    """Accounts with any positions at all, whether or not a rule would allow them."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.entries: dict[int, Leaf] = {}
        for market in MARKETS:
            tiers = self.rng.choice((10**5, 10**7, 10**12))
            self.entries[terms_address(market)] = TERMS._replace(
                tier_1_notional=tiers, tier_2_notional=3 * tiers
            )
            self.entries[prices_address(market)] = PRICES
            self.entries[book_address(market)] = MarketBook()
        for account in ACCOUNTS:
            self.redraw(account)

    def redraw(self, account: int) -> None:
        """Give an account other positions, and cash that leaves it anywhere near its limit."""
        rng, bitmap, margin = self.rng, 0, 0
        for bit, market in enumerate(MARKETS):
            self.entries.pop(position_address(account, bit), None)
            if rng.randrange(2):
                size = rng.choice((-1, 1)) * rng.choice((1, 30, 1000, 20_000))
                self.entries[position_address(account, bit)] = Position(market, size, 0, 0, 0)
                bitmap |= 1 << bit
                sums = position_totals(size, self.prices(market), self.terms(market))
                margin += sums.maintenance - sums.equity
        cash = int(margin + abs(margin) * rng.choice((-0.01, 0, 0.001, 0.01, 0.1, 2)))
        self.entries[header_address(account)] = Account(account, cash=cash, positions=bitmap)

    def prices(self, market: int):  # type: ignore[no-untyped-def]
        return self.entries[prices_address(market)]

    def terms(self, market: int) -> MarketTerms:
        leaf = self.entries[terms_address(market)]
        assert isinstance(leaf, MarketTerms)
        return leaf

    def move(self, market: int) -> None:
        prices, rng = self.prices(market), self.rng
        mark = int(prices.mark_price * rng.choice((0.9, 0.995, 0.999, 1, 1.001, 1.005, 1.1)))
        step = rng.choice((0, 0, 1, -1, 10)) * mark * 10 * CASH_PER_UNIT // 3000
        self.entries[prices_address(market)] = prices._replace(
            mark_price=min(max(mark, 1), PRICE_MAX), funding_index=prices.funding_index + step
        )

    def unsafe(self) -> set[int]:
        headers: Any = self.entries
        slack = {account: headers[header_address(account)].cash for account in ACCOUNTS}
        for address, leaf in self.entries.items():
            if isinstance(leaf, Position):
                sums = position_totals(leaf.size, self.prices(leaf.market), self.terms(leaf.market))
                slack[account_of(address)] += sums.equity - sums.maintenance
        return {account for account, left in slack.items() if left < 0}


@pytest.mark.parametrize("seed", range(6))
def test_every_account_that_falls_is_found(seed: int) -> None:
    world, watch = Positions(seed), MarginWatch()
    for account in ACCOUNTS:
        watch.touch(account)
    watch.look_now()
    assert set(watch.found(world.entries)) == watch.unsafe == world.unsafe()
    for _ in range(150):
        safe_before = set(ACCOUNTS) - watch.unsafe
        market = world.rng.choice(MARKETS)
        world.move(market)
        watch.move(market)
        found = set(watch.found(world.entries))
        assert world.unsafe() & safe_before <= found <= world.unsafe()
        # The unsafe ones are looked at whenever one of their prices changes.
        for account in sorted(watch.unsafe):
            watch.is_unsafe(world.entries, account)
        assert watch.unsafe == world.unsafe()
        account = world.rng.choice(ACCOUNTS)
        world.redraw(account)
        watch.touch(account)
        watch.look_now()
        watch.found(world.entries)


def test_small_moves_leave_most_accounts_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    world, watch = Positions(1), MarginWatch()
    for account in ACCOUNTS:
        header = world.entries[header_address(account)]
        assert isinstance(header, Account)
        sums = [
            position_totals(leaf.size, world.prices(leaf.market), world.terms(leaf.market))
            for address, leaf in world.entries.items()
            if isinstance(leaf, Position) and account_of(address) == account
        ]
        cash = sum(each.maintenance + each.initial - each.equity for each in sums)
        world.entries[header_address(account)] = header._replace(cash=cash)
        watch.touch(account)
    watch.look_now()
    assert watch.found(world.entries) == []
    looked: list[int] = []
    is_unsafe = MarginWatch.is_unsafe

    def counting(self: MarginWatch, entries: dict[int, Leaf], account: int) -> bool:
        looked.append(account)
        return is_unsafe(self, entries, account)

    monkeypatch.setattr(MarginWatch, "is_unsafe", counting)
    for number in range(100):
        prices = world.prices(0)
        mark = prices.mark_price + (1 if number % 4 < 2 else -1)
        world.entries[prices_address(0)] = prices._replace(mark_price=mark)
        watch.move(0)
        watch.found(world.entries)
    assert looked == []


def test_nothing_is_looked_at_without_a_move_or_a_call() -> None:
    world, watch = Positions(2), MarginWatch()
    assert not watch.touch(1)
    assert watch.found(world.entries) == []
    watch.look_now()
    assert watch.touch(1)
    watch.found(world.entries)
    watch.unsafe = {2}
    assert watch.touch(2)


def test_new_terms_are_looked_at_for_everybody_in_the_market() -> None:
    world, watch = Positions(3), MarginWatch()
    long, short = position_address(1, 0), position_address(2, 0)
    for account, address, size in ((1, long, 100), (2, short, -100)):
        world.entries[address] = Position(0, size, 0, 0, 0)
        cash = (60_000 - size * LOT_UNITS) * CASH_PER_UNIT
        world.entries[header_address(account)] = Account(account, cash=cash, positions=1)
    world.entries[terms_address(0)] = TERMS
    world.entries[book_address(0)] = MarketBook(long_head=long, short_head=short)
    assert set(holders(world.entries, 0)) == {1, 2}
    watch.touch(1)
    watch.touch(2)
    watch.look_now()
    assert watch.found(world.entries) == []
    world.entries[terms_address(0)] = world.terms(0)._replace(maintenance_ppm=70_000)
    watch.change_terms(0)
    assert watch.found(world.entries) == [1, 2]


def test_debts_are_unsafe_and_empty_accounts_are_not() -> None:
    entries: dict[int, Leaf] = {
        header_address(1): Account(1, cash=-1),
        header_address(2): Account(2, cash=0),
    }
    watch = MarginWatch()
    assert watch.is_unsafe(entries, 1)
    assert not watch.is_unsafe(entries, 2)
    assert watch.unsafe == {1}


def test_what_a_position_feels() -> None:
    assert most_felt_ppm(1, TERMS) == 950_000
    assert most_felt_ppm(-1, TERMS) == 1_150_000
