"""What holds of every state of the exchange, whatever has happened: all of it, looked at again."""

from __future__ import annotations

from typing import cast

from circuits.exchange.addresses import (
    account_of,
    book_address,
    header_address,
    market_of,
    order_address,
    position_address,
    slot_of,
    trigger_address,
)
from circuits.exchange.draft import TRIGGER_HEADS
from circuits.exchange.leaves import Account, MarketBook, Order, Position, Side, Trigger
from circuits.exchange.limits import POSITION_SLOTS
from circuits.exchange.packing import words_of
from circuits.exchange.state import State
from circuits.exchange.units import CASH_PER_UNIT


def check_state(state: State) -> None:
    """Money is conserved, every list is whole both ways, every count and bitmap is right, and every
    leaf can be packed.
    """
    leaves = dict(state.leaves.entries())
    headers = {at: leaf for at, leaf in leaves.items() if isinstance(leaf, Account)}
    assert sum(header.cash for header in headers.values()) == state.custody * CASH_PER_UNIT
    orders: dict[int, int] = {}
    triggers: dict[int, int] = {}
    for leaf in leaves.values():
        if isinstance(leaf, Account):
            assert -(2**111) < leaf.cash < 2**111
        else:
            words_of(leaf)
        if isinstance(leaf, Order):
            orders[leaf.account] = orders.get(leaf.account, 0) + 1
        if isinstance(leaf, Trigger):
            triggers[leaf.account] = triggers.get(leaf.account, 0) + 1
    for address, header in headers.items():
        account = account_of(address)
        assert header.orders == orders.get(account, 0)
        assert header.triggers == triggers.get(account, 0)
        check_positions(state, account, header)
    for address, leaf in leaves.items():
        if isinstance(leaf, MarketBook):
            market = market_of(address)
            check_book(state, market, leaf)
            check_triggers(state, market, leaf)
            check_position_lists(state, market, leaf)


def check_positions(state: State, account: int, header: Account) -> None:
    """A leaf for each bit, and one position at most in each market."""
    markets = []
    for bit in range(POSITION_SLOTS):
        leaf = state.leaves.get(position_address(account, bit))
        assert (leaf is not None) == bool(header.positions >> bit & 1)
        if isinstance(leaf, Position):
            assert leaf.size != 0
            assert (leaf.entry_quote > 0) == (leaf.size > 0)
            markets.append(leaf.market)
    assert len(markets) == len(set(markets))


def check_book(state: State, market: int, book: MarketBook) -> None:
    """Two lists, in order of price, that hold every order of the market."""
    found = 0
    for side, head in ((Side.BID, book.best_bid), (Side.ASK, book.best_ask)):
        previous, slot, last = 0, head, None
        while slot:
            order = cast(Order, state.leaves.get(order_address(market, slot)))
            assert order.side == side
            assert order.previous == previous
            assert order.remaining > 0
            if last is not None:
                assert last >= order.price if side == Side.BID else last <= order.price
            previous, slot, last = slot, order.next, order.price
            found += 1
    held = sum(
        isinstance(leaf, Order) and market_of(address) == market
        for address, leaf in state.leaves.entries().items()
    )
    assert found == book.order_count == held


def check_triggers(state: State, market: int, book: MarketBook) -> None:
    """Four lists, in the order in which they fire, that hold every trigger of the market."""
    found = set()
    for source in (0, 1):
        for direction in (0, 1):
            previous, last = 0, None
            slot = cast(int, getattr(book, TRIGGER_HEADS[source][direction]))
            while slot:
                trigger = cast(Trigger, state.leaves.get(trigger_address(market, slot)))
                assert (trigger.source, trigger.direction) == (source, direction)
                assert trigger.previous == previous
                price = trigger.trigger_price
                if last is not None:
                    assert last <= price if direction == 0 else last >= price
                found.add(slot)
                previous, slot, last = slot, trigger.next, price
    assert found == {
        slot_of(address)
        for address, leaf in state.leaves.entries().items()
        if isinstance(leaf, Trigger) and market_of(address) == market
    }


def check_position_lists(state: State, market: int, book: MarketBook) -> None:
    """All longs in one list and all shorts in the other, and as many lots long as short."""
    sums = []
    for sign, head, count in (
        (1, book.long_head, book.long_count),
        (-1, book.short_head, book.short_count),
    ):
        previous, address, total, found = 0, head, 0, 0
        while address:
            position = cast(Position, state.leaves.get(address))
            assert position.market == market
            assert position.size * sign > 0
            assert position.previous == previous
            assert state.leaves.get(header_address(account_of(address))) is not None
            previous, address = address, position.next
            total, found = total + abs(position.size), found + 1
        assert found == count
        sums.append(total)
    assert sums[0] == sums[1] == book.open_interest
    held = sum(
        isinstance(leaf, Position) and leaf.market == market
        for leaf in state.leaves.entries().values()
    )
    assert held == book.long_count + book.short_count
    assert state.leaves.get(book_address(market)) is book
