"""The index gives the answers of SCAN, after every change and after every rollback."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from circuits.exchange.addresses import book_address, header_address, market_of, slot_of
from circuits.exchange.book import remove, rest, shrink
from circuits.exchange.draft import Draft
from circuits.exchange.gates import TRIGGER_LISTS
from circuits.exchange.guide import SCAN
from circuits.exchange.leaf_map import LeafMap
from circuits.exchange.leaves import Account, MarketBook, Order, Trigger
from circuits.exchange.limits import ORDER_SLOT_MAX, TRIGGER_SLOT_FIRST
from circuits.exchange.state import State
from circuits.exchange.steps import OrderName
from circuits.exchange.triggers import insert_trigger, remove_trigger
from sequencer.book_index import BookIndex, Shelf
from tests.support.drafts import written
from tests.support.exchange import DOMAIN

ACCOUNTS, MARKETS, PRICES = (1, 2, 3), (0, 7), range(1, 9)


def empty_state() -> State:
    leaves = {header_address(account): Account(owner=account) for account in ACCOUNTS}
    books = {book_address(market): MarketBook() for market in MARKETS}
    return State(DOMAIN, leaves=LeafMap().with_changes(leaves | books))


class Walk:
    """Random orders and triggers that come and go on one draft."""

    def __init__(self, seed: int, state: State, index: BookIndex) -> None:
        self.rng = random.Random(seed)
        self.draft = Draft(state, index)
        self.nonce = seed << 20

    def name(self) -> OrderName:
        self.nonce += 1
        return OrderName(self.rng.choice(ACCOUNTS), self.rng.randrange(2), self.nonce)

    def rest(self) -> None:
        side, price = self.rng.randrange(2), self.rng.choice(PRICES)
        market = self.rng.choice(MARKETS)
        assert rest(self.draft, market, self.name(), side, price, 50, 9, 0) is not None

    def wait(self) -> None:
        source, direction = self.rng.choice(TRIGGER_LISTS)
        price = self.rng.choice(PRICES)
        trigger = Trigger(*self.name(), 0, 0, 0, source, direction, price, 5, 5, 9, 0, 0)
        assert insert_trigger(self.draft, self.rng.choice(MARKETS), trigger) is not None

    def take_out(self) -> None:
        resting = [each for each in self.draft.items() if isinstance(each[1], Order | Trigger)]
        if resting:
            address, leaf = self.rng.choice(sorted(resting))
            market, slot = market_of(address), slot_of(address)
            if isinstance(leaf, Trigger):
                remove_trigger(self.draft, market, slot)
            elif self.rng.randrange(3):
                remove(self.draft, market, slot)
            elif leaf.remaining > 1:
                shrink(self.draft, market, slot, 1)

    def step(self) -> None:
        actions: list[Callable[[], None]] = [self.rest, self.wait, self.take_out, self.take_out]
        self.rng.choice(actions)()

    def assert_same_answers(self) -> None:
        draft, index = self.draft, self.draft.guide
        for market in MARKETS:
            assert index.free_order_slot(draft, market) == SCAN.free_order_slot(draft, market)
            assert index.free_trigger_slot(draft, market) == SCAN.free_trigger_slot(draft, market)
            for price in (0, *PRICES, 99):
                for side in (0, 1):
                    place = (draft, market, side, price)
                    assert index.order_before(*place) == SCAN.order_before(*place)
                for source, direction in TRIGGER_LISTS:
                    place = (draft, market, source, direction, price)
                    assert index.trigger_before(*place) == SCAN.trigger_before(*place)
        for account in (*ACCOUNTS, 4):
            resting = SCAN.resting(draft, account)
            assert index.resting(draft, account) == resting
            for address in resting:
                leaf = draft.get(address)
                assert isinstance(leaf, Order | Trigger)
                assert index.find(draft, OrderName(*leaf[:3])) == address
        assert index.find(draft, OrderName(1, 0, 1 << 40)) is None

    def committed(self, state: State) -> State:
        return replace(state, leaves=state.leaves.with_changes(written(self.draft)))


@pytest.mark.parametrize("seed", range(6))
def test_answers_are_those_of_scan_after_changes_and_rollbacks(seed: int) -> None:
    state, index = empty_state(), BookIndex()
    for command in range(40):
        walk = Walk(100 * seed + command, state, index)
        for _ in range(walk.rng.randrange(1, 12)):
            mark = walk.draft.mark()
            for _ in range(walk.rng.randrange(1, 5)):
                walk.step()
            if walk.rng.randrange(3) == 0:
                walk.draft.rollback(mark)
        walk.assert_same_answers()
        if walk.rng.randrange(3) == 0:
            walk.draft.discard()
            walk.assert_same_answers()
        else:
            state = walk.committed(state)
        rebuilt = BookIndex.of(state)
        Walk(0, state, rebuilt).assert_same_answers()


def test_arrival_order_within_a_price_comes_back() -> None:
    state, index = empty_state(), BookIndex()
    draft = Draft(state, index)
    slots = [rest(draft, 0, OrderName(1, 0, number), 0, 5, 50, 9, 0) for number in range(1, 5)]
    assert slots == [1, 2, 3, 4]
    mark = draft.mark()
    for slot in (4, 2, 3):
        remove(draft, 0, slot)
    assert index.order_before(draft, 0, 0, 5) == 1
    assert rest(draft, 0, OrderName(2, 0, 1), 0, 5, 50, 9, 0) == 2
    assert index.order_before(draft, 0, 0, 5) == 2
    draft.rollback(mark)
    assert index.order_before(draft, 0, 0, 5) == 4
    assert index.order_before(draft, 0, 0, 6) == 0
    remove(draft, 0, 4)
    assert index.order_before(draft, 0, 0, 5) == 3


def test_another_order_written_over_one_is_told_apart() -> None:
    index = BookIndex()
    first = Order(1, 0, 1, 0, 5, 1, 9, 0, 0, 0)
    second = first._replace(nonce=2, price=6)
    draft = Draft(empty_state(), index)
    address = 2 << 30 | 1
    index.changed(address, None, first)
    index.changed(address, first, second)
    assert index.find(draft, OrderName(1, 0, 1)) is None
    assert index.order_before(draft, 0, 0, 5) == index.order_before(draft, 0, 0, 6) == 1
    index.undone(address, first, second)
    assert index.find(draft, OrderName(1, 0, 1)) == address
    assert index.order_before(draft, 0, 0, 6) == 0


def test_no_slot_is_free_when_all_are_taken() -> None:
    shelf = Shelf(5, 7, (True, False))
    order = Order(1, 0, 1, 0, 5, 1, 9, 0, 0, 0)
    for slot in (5, 7, 6):
        shelf.insert(slot, order)
    assert shelf.lowest_free() is None
    shelf.remove(7, order)
    assert shelf.lowest_free() == 7


def test_freeing_and_taking_a_slot_again_leaves_nothing_behind() -> None:
    shelf = Shelf(1, ORDER_SLOT_MAX, (True, False))
    order = Order(1, 0, 1, 0, 5, 1, 9, 0, 0, 0)
    for slot in range(1, 10):
        shelf.insert(slot, order)
    for _ in range(1000):
        shelf.remove(5, order)
        shelf.insert(5, order)
    assert len(shelf._freed) <= 1
    assert shelf.lowest_free() == 10


def test_the_first_trigger_slot_is_in_the_upper_half() -> None:
    index = BookIndex()
    assert index.free_trigger_slot(Draft(empty_state(), index), 0) == TRIGGER_SLOT_FIRST
    assert index.free_order_slot(Draft(empty_state(), index), 0) == 1
