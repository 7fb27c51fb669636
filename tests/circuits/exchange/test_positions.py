"""Positions: entry quotes pro rata, lowest free slots, and lists that stay whole both ways."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.exchange.addresses import book_address, position_address
from circuits.exchange.draft import Draft
from circuits.exchange.guide import SCAN
from circuits.exchange.leaves import MarketBook, Position
from circuits.exchange.positions import changed_entry
from tests.support.market import ANN, BOB, CAT, QUOTE, market_state
from tests.support.positions import change_position


def changed(draft: Draft, account: int, delta: int, price: int = 100, market: int = 0) -> int:
    """The size after a change."""
    _, size = change_position(draft, account, market, delta, price, QUOTE)
    return size


def held(draft: Draft, account: int, bit: int = 0) -> Position | None:
    leaf = draft.get(position_address(account, bit))
    assert leaf is None or isinstance(leaf, Position)
    return leaf


def walk(draft: Draft, market: int, *, longs: bool) -> list[int]:
    """The addresses of a list from its head, once its links back hold."""
    book = draft.book(market)
    address, previous, found = book.long_head if longs else book.short_head, 0, []
    while address:
        position = draft.get(address)
        assert isinstance(position, Position)
        assert position.previous == previous
        assert (position.size > 0) == longs
        found.append(address)
        previous, address = address, position.next
    return found


def test_a_position_opens_at_the_head_of_its_list() -> None:
    draft = Draft(market_state(), SCAN)
    for account in (ANN, BOB, CAT):
        assert change_position(draft, account, 0, 7, 100, QUOTE) == (0, 7)
    first = position_address(ANN, 0)
    middle = position_address(BOB, 0)
    last = position_address(CAT, 0)
    assert held(draft, ANN) == Position(0, 7, 7_000, middle, 0)
    assert held(draft, BOB) == Position(0, 7, 7_000, last, first)
    assert held(draft, CAT) == Position(0, 7, 7_000, 0, middle)
    assert draft.book(0) == MarketBook(long_head=last, long_count=3)
    assert draft.known(ANN).positions == 1


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_the_first_the_middle_and_the_last_close(closed: int) -> None:
    draft = Draft(market_state(), SCAN)
    accounts = [ANN, BOB, CAT]
    for account in accounts:
        changed(draft, account, -7)
    assert changed(draft, accounts[closed], 7) == 0
    assert held(draft, accounts[closed]) is None
    assert draft.known(accounts[closed]).positions == 0
    rest = [account for account in reversed(accounts) if account != accounts[closed]]
    assert walk(draft, 0, longs=False) == [position_address(account, 0) for account in rest]
    assert (draft.book(0).short_count, draft.book(0).long_count) == (2, 0)


def test_a_flip_changes_the_list_and_keeps_the_slot() -> None:
    draft = Draft(market_state(), SCAN)
    for account in (ANN, BOB):
        changed(draft, account, 7)
    assert change_position(draft, ANN, 0, -10, 90, QUOTE) == (7, -3)
    assert held(draft, ANN) == Position(0, -3, -3 * 90 * QUOTE, 0, 0)
    assert walk(draft, 0, longs=True) == [position_address(BOB, 0)]
    assert walk(draft, 0, longs=False) == [position_address(ANN, 0)]
    assert draft.known(ANN).positions == 1


def test_the_lowest_free_slot_is_taken() -> None:
    draft = Draft(market_state(market_count=4), SCAN)
    for market in range(3):
        changed(draft, ANN, 5, market=market)
    changed(draft, ANN, -5, market=1)
    assert draft.known(ANN).positions == 0b101
    changed(draft, ANN, 9, market=3)
    assert draft.known(ANN).positions == 0b111
    position = held(draft, ANN, 1)
    assert position is not None
    assert (position.market, position.size) == (3, 9)


@pytest.mark.parametrize(
    ("old", "new_size", "entry_quote"),
    [
        ((10, 999), 13, 999 + 3 * 50),
        ((10, 999), 9, 899),
        ((10, 999), 1, 99),
        ((10, 999), 0, 0),
        ((10, 999), -1, -50),
        ((-10, -999), -13, -999 - 3 * 50),
        ((-10, -999), -9, -899),
        ((-10, -999), -1, -99),
        ((-10, -999), 0, 0),
        ((-10, -999), 2, 100),
    ],
)
def test_entry_quotes(old: tuple[int, int], new_size: int, entry_quote: int) -> None:
    assert changed_entry(Position(0, *old, 0, 0), new_size, 50) == entry_quote


def test_the_largest_entry_fits_its_leaf() -> None:
    state = market_state()
    book = MarketBook(long_head=position_address(ANN, 0), long_count=1)
    most = 2**31 * (2**32 - 1)
    position = Position(0, 2**31 - 1, most - (2**32 - 1), 0, 0)
    leaves = state.leaves.with_changes({position_address(ANN, 0): position, book_address(0): book})
    state = replace(state, leaves=leaves).with_account(
        ANN, state.accounts.get(ANN)._replace(positions=1)
    )
    draft = Draft(state, SCAN)
    change_position(draft, ANN, 0, 1, 2**32 - 1, 1)
    grown = held(draft, ANN)
    assert grown is not None
    assert grown.entry_quote == most < 2**63


CHANGES = st.lists(
    st.tuples(
        st.integers(ANN, ANN + 3),
        st.integers(0, 2),
        st.integers(-4, 4).filter(bool),
        st.integers(1, 9),
    ),
    max_size=40,
)


@settings(max_examples=60)
@given(changes=CHANGES)
def test_lists_and_bitmaps_after_any_changes(changes: list[tuple[int, int, int, int]]) -> None:
    draft = Draft(market_state(market_count=3), SCAN)
    sizes: dict[tuple[int, int], int] = {}
    newest: dict[tuple[int, bool], list[int]] = {}
    for account, market, delta, price in changes:
        old_size = sizes.get((account, market), 0)
        new_size = old_size + delta
        assert change_position(draft, account, market, delta, price, QUOTE) == (old_size, new_size)
        sizes[account, market] = new_size
        if old_size and old_size * new_size <= 0:
            newest[market, old_size > 0].remove(account)
        if new_size and old_size * new_size <= 0:
            newest.setdefault((market, new_size > 0), []).insert(0, account)
    check_lists(draft, sizes, newest)


def check_lists(
    draft: Draft,
    sizes: dict[tuple[int, int], int],
    newest: dict[tuple[int, bool], list[int]],
) -> None:
    for market in range(3):
        for longs in (True, False):
            accounts = newest.get((market, longs), [])
            book = draft.book(market)
            assert (book.long_count if longs else book.short_count) == len(accounts)
            addresses = walk(draft, market, longs=longs)
            assert [address // 64 for address in addresses] == accounts
            for account, address in zip(accounts, addresses, strict=True):
                position = draft.get(address)
                assert isinstance(position, Position)
                assert position.size == sizes[account, market]
                assert draft.known(account).positions >> (address % 64 - 1) & 1
