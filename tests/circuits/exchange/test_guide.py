"""The guide that looks through all leaves: its answers are the definition of every other's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from circuits.exchange.addresses import book_address, order_address, trigger_address
from circuits.exchange.draft import Draft
from circuits.exchange.guide import SCAN, place_of
from circuits.exchange.leaf_map import LeafMap
from circuits.exchange.leaves import Leaf, MarketBook, Order, Trigger
from circuits.exchange.limits import ORDER_SLOT_MAX, TRIGGER_SLOT_FIRST, TRIGGER_SLOT_MAX
from circuits.exchange.state import State
from circuits.exchange.steps import OrderName

BID, ASK = 0, 1
UP, DOWN = 0, 1


def order(account: int, nonce: int, side: int, price: int, *links: int) -> Order:
    return Order(account, 0, nonce, side, price, 5, 99, 0, *(links or (0, 0)))


def trigger(account: int, nonce: int, trigger_price: int, *links: int) -> Trigger:
    return Trigger(account, 2, nonce, 0, 0, 1, 0, 0, trigger_price, 9, 5, 99, *(links or (0, 0)))


def draft_of(leaves: dict[int, Leaf]) -> Draft:
    return Draft(State(1, leaves=LeafMap().with_changes(leaves)), SCAN)


def book() -> Draft:
    """Market 4: bids 100, 100, 90 in slots 2, 7, 3; asks 110, 120 in slots 1, 5."""
    return draft_of(
        {
            book_address(4): MarketBook(best_bid=2, best_ask=1),
            order_address(4, 2): order(11, 1, BID, 100, 0, 7),
            order_address(4, 7): order(12, 1, BID, 100, 2, 3),
            order_address(4, 3): order(11, 2, BID, 90, 7, 0),
            order_address(4, 1): order(12, 2, ASK, 110, 0, 5),
            order_address(4, 5): order(12, 3, ASK, 120, 1, 0),
        }
    )


class TestOrders:
    """Where an order goes, and where it is."""

    @pytest.mark.parametrize(
        ("side", "price", "slot"),
        [
            (BID, 101, 0),
            (BID, 100, 7),
            (BID, 99, 7),
            (BID, 90, 3),
            (BID, 1, 3),
            (ASK, 109, 0),
            (ASK, 110, 1),
            (ASK, 111, 1),
            (ASK, 120, 5),
            (ASK, 2**32 - 1, 5),
        ],
    )
    def test_behind_all_as_good_or_better(self, side: int, price: int, slot: int) -> None:
        assert SCAN.order_before(book(), 4, side, price) == slot

    @pytest.mark.parametrize("side", [BID, ASK])
    def test_an_empty_side(self, side: int) -> None:
        draft = draft_of({book_address(4): MarketBook()})
        assert SCAN.order_before(draft, 4, side, 100) == 0

    def test_the_lowest_free_slot(self) -> None:
        draft = book()
        assert SCAN.free_order_slot(draft, 4) == 4
        draft.put_resting(order_address(4, 4), order(1, 9, BID, 1))
        assert SCAN.free_order_slot(draft, 4) == 6
        draft.put_resting(order_address(4, 1), None)
        assert SCAN.free_order_slot(draft, 4) == 1
        assert SCAN.free_order_slot(draft, 5) == 1

    def test_finding_a_name(self) -> None:
        draft = book()
        assert SCAN.find(draft, OrderName(12, 0, 3)) == order_address(4, 5)
        for name in (OrderName(12, 0, 4), OrderName(12, 1, 3), OrderName(13, 0, 3)):
            assert SCAN.find(draft, name) is None
        draft.put_resting(order_address(4, 5), None)
        assert SCAN.find(draft, OrderName(12, 0, 3)) is None

    def test_all_of_an_account_in_the_order_of_their_addresses(self) -> None:
        draft = book()
        slot = TRIGGER_SLOT_FIRST + 1
        draft.put_resting(trigger_address(1, slot), trigger(12, 7, 5))
        draft.put_resting(order_address(0, 9), order(12, 8, BID, 1))
        assert SCAN.resting(draft, 12) == [
            trigger_address(1, slot),
            order_address(0, 9),
            order_address(4, 1),
            order_address(4, 5),
            order_address(4, 7),
        ]
        assert SCAN.resting(draft, 13) == []
        assert SCAN.find(draft, OrderName(12, 2, 7)) == trigger_address(1, slot)


class TestTriggers:
    """Lists that rise for UP and fall for DOWN, equal prices by arrival."""

    def lists(self) -> Draft:
        first = TRIGGER_SLOT_FIRST
        return draft_of(
            {
                book_address(4): MarketBook(mark_up=first, last_down=first + 2),
                trigger_address(4, first): trigger(11, 1, 100, 0, first + 1),
                trigger_address(4, first + 1): trigger(11, 2, 100, first, 0),
                trigger_address(4, first + 2): trigger(11, 3, 50, 0, first + 3),
                trigger_address(4, first + 3): trigger(11, 4, 40, first + 2, 0),
            }
        )

    @pytest.mark.parametrize(
        ("source", "direction", "price", "place"),
        [
            (0, UP, 99, None),
            (0, UP, 100, 1),
            (0, UP, 101, 1),
            (0, DOWN, 5, None),
            (1, UP, 5, None),
            (1, DOWN, 51, None),
            (1, DOWN, 50, 2),
            (1, DOWN, 49, 2),
            (1, DOWN, 40, 3),
            (1, DOWN, 1, 3),
        ],
    )
    def test_behind_all_that_fire_as_early(
        self, source: int, direction: int, price: int, place: int | None
    ) -> None:
        expected = 0 if place is None else TRIGGER_SLOT_FIRST + place
        assert SCAN.trigger_before(self.lists(), 4, source, direction, price) == expected

    def test_the_lowest_free_slot_lies_in_the_upper_half(self) -> None:
        assert SCAN.free_trigger_slot(self.lists(), 4) == TRIGGER_SLOT_FIRST + 4
        assert SCAN.free_trigger_slot(self.lists(), 5) == TRIGGER_SLOT_FIRST


class Full:
    """Stands for a draft in which every slot of market 4 but one is taken."""

    def __init__(self, free: int | None) -> None:
        self._free = {order_address(4, free or 0), trigger_address(4, free or 0)}

    def get(self, address: int) -> Leaf | None:
        return None if address in self._free else order(1, 1, BID, 1)


def test_the_last_slot_and_none() -> None:
    assert SCAN.free_order_slot(Full(ORDER_SLOT_MAX), 4) == ORDER_SLOT_MAX
    assert SCAN.free_order_slot(Full(None), 4) is None
    assert SCAN.free_trigger_slot(Full(TRIGGER_SLOT_MAX), 4) == TRIGGER_SLOT_MAX
    assert SCAN.free_trigger_slot(Full(None), 4) is None


@pytest.mark.parametrize(("market", "slot"), [(0, 1), (1023, 2**20 - 1), (4, 2**19 + 1)])
def test_market_and_slot_of_an_address(market: int, slot: int) -> None:
    assert place_of(order_address(market, slot)) == (market, slot)
    assert place_of(trigger_address(market, slot)) == (market, slot)


def test_it_keeps_nothing() -> None:
    """Another state under the same guide is another book."""
    state = State(1, leaves=LeafMap().with_changes({book_address(4): MarketBook()}))
    assert SCAN.free_order_slot(Draft(replace(state), SCAN), 4) == 1
    assert SCAN.resting(Draft(state, SCAN), 11) == []
