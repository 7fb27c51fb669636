"""The book: price, then arrival; whole both ways; and a guide that is not believed."""

from __future__ import annotations

from bisect import insort
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.exchange.addresses import book_address, order_address, trigger_address
from circuits.exchange.book import (
    best,
    cancel_named,
    cancel_order,
    cancel_resting,
    crosses,
    remove,
    remove_resting,
    rest,
    shrink,
)
from circuits.exchange.draft import Draft
from circuits.exchange.errors import ExchangeError, Rejected, RejectReason
from circuits.exchange.guide import SCAN, Guide
from circuits.exchange.leaves import MarketBook, Order, Trigger
from circuits.exchange.limits import ORDER_SLOT_MAX, TRIGGER_SLOT_FIRST
from circuits.exchange.steps import Cancelled, OrderName
from circuits.exchange.triggers import insert_trigger
from tests.support.guides import FollowingGuide, LyingGuide
from tests.support.market import ANN, ASK, BID, BOB, CAT, market_state


def drafted(guide: Guide = SCAN) -> Draft:
    return Draft(market_state(market_count=2), guide)


def rested(draft: Draft, name: OrderName, side: int, price: int, market: int = 0) -> int:
    slot = rest(draft, market, name, side, price, 10, 99, 0)
    assert slot is not None
    return slot


def walk(draft: Draft, side: int, market: int = 0) -> list[tuple[int, Order]]:
    """Slots and orders of a side, best first, once the links back hold."""
    slot, previous, found = best(draft, market, side), 0, []
    while slot:
        order = draft.order(market, slot)
        assert order.previous == previous
        assert order.side == side
        found.append((slot, order))
        previous, slot = slot, order.next
    return found


@pytest.mark.parametrize(
    ("side", "limit_price", "resting_price", "does"),
    [
        (BID, 99, 100, False),
        (BID, 100, 100, True),
        (BID, 101, 100, True),
        (ASK, 101, 100, False),
        (ASK, 100, 100, True),
        (ASK, 99, 100, True),
    ],
)
def test_crossing(side: int, limit_price: int, resting_price: int, does: bool) -> None:
    assert crosses(side, limit_price, resting_price) is does


@pytest.mark.parametrize(
    ("side", "prices"), [(BID, [7, 5, 9, 5, 9, 1]), (ASK, [-7, -5, -9, -5, -9, -1])]
)
def test_price_then_arrival(side: int, prices: list[int]) -> None:
    draft = drafted()
    for nonce, price in enumerate(prices, 1):
        assert rested(draft, OrderName(ANN, 0, nonce), side, abs(price)) == nonce
    nonces = [order.nonce for _, order in walk(draft, side)]
    assert nonces == ([3, 5, 1, 2, 4, 6] if side == BID else [6, 2, 4, 1, 3, 5])
    assert walk(draft, 1 - side) == []
    assert draft.known(ANN).orders == draft.book(0).order_count == 6


def test_a_freed_slot_is_taken_again() -> None:
    draft = drafted()
    for nonce in (1, 2, 3):
        rested(draft, OrderName(ANN, 0, nonce), BID, 5)
    order = remove(draft, 0, 2)
    assert order.nonce == 2
    assert rested(draft, OrderName(BOB, 0, 1), ASK, 6) == 2
    assert [slot for slot, _ in walk(draft, BID)] == [1, 3]
    assert (draft.known(ANN).orders, draft.known(BOB).orders) == (2, 1)
    assert draft.book(0).order_count == 3


def test_a_shrunk_order_keeps_its_place() -> None:
    draft = drafted()
    for nonce in (1, 2, 3):
        rested(draft, OrderName(ANN, 0, nonce), BID, 5)
    shrink(draft, 0, 2, 4)
    assert [order.remaining for _, order in walk(draft, BID)] == [10, 6, 10]


def test_a_full_book_takes_no_order() -> None:
    draft = drafted(LyingGuide(free_order_slot=None))
    draft.put(book_address(0), draft.book(0)._replace(order_count=ORDER_SLOT_MAX))
    mark = draft.mark()
    assert rest(draft, 0, OrderName(ANN, 0, 1), BID, 5, 10, 99, 0) is None
    assert draft.mark() == mark


def test_a_book_with_a_free_slot_is_not_full() -> None:
    draft = drafted(LyingGuide(free_order_slot=None))
    draft.put(book_address(0), draft.book(0)._replace(order_count=ORDER_SLOT_MAX - 1))
    with pytest.raises(ExchangeError, match="orders of market 0: expected 1048575, got 1048574"):
        rest(draft, 0, OrderName(ANN, 0, 1), BID, 5, 10, 99, 0)


def trigger(account: int, nonce: int) -> Trigger:
    return Trigger(account, 0, nonce, ASK, 0, 1, 0, 1, 50, 1, 10, 99, 0, 0)


def test_cancelling_by_name_finds_orders_and_triggers_of_every_market() -> None:
    draft = drafted()
    rested(draft, OrderName(ANN, 2, 7), BID, 5, market=1)
    insert_trigger(draft, 1, trigger(ANN, 8))
    cancel_named(draft, OrderName(ANN, 2, 7))
    cancel_named(draft, OrderName(ANN, 0, 8))
    assert draft.steps == [
        Cancelled(1, OrderName(ANN, 2, 7)),
        Cancelled(1, OrderName(ANN, 0, 8)),
    ]
    assert (draft.known(ANN).orders, draft.known(ANN).triggers) == (0, 0)
    assert draft.book(1) == MarketBook()


@pytest.mark.parametrize("name", [(BOB, 2, 7), (ANN, 0, 7), (ANN, 2, 8)])
def test_another_name_is_unknown(name: tuple[int, int, int]) -> None:
    draft = drafted()
    rested(draft, OrderName(ANN, 2, 7), BID, 5)
    for cancel in (cancel_named, cancel_order):
        with pytest.raises(Rejected) as caught:
            cancel(draft, OrderName(*name))
        assert caught.value.reason is RejectReason.UNKNOWN_ORDER


def test_a_trigger_is_no_order() -> None:
    draft = drafted()
    insert_trigger(draft, 0, trigger(ANN, 8))
    with pytest.raises(Rejected) as caught:
        cancel_order(draft, OrderName(ANN, 0, 8))
    assert caught.value.reason is RejectReason.UNKNOWN_ORDER


def test_all_that_rests_of_an_account_leaves_by_address() -> None:
    draft = drafted()
    insert_trigger(draft, 0, trigger(ANN, 1))
    rested(draft, OrderName(ANN, 0, 2), ASK, 5, market=1)
    rested(draft, OrderName(BOB, 0, 1), ASK, 5, market=1)
    rested(draft, OrderName(ANN, 0, 3), BID, 5)
    assert cancel_resting(draft, ANN) == 3
    assert [step.order.nonce for step in draft.steps if isinstance(step, Cancelled)] == [1, 3, 2]
    assert cancel_resting(draft, ANN) == 0
    assert draft.known(BOB).orders == 1


def test_removing_by_address_tells_the_name() -> None:
    draft = drafted()
    rested(draft, OrderName(ANN, 3, 2), ASK, 5, market=1)
    insert_trigger(draft, 1, trigger(BOB, 1))
    assert remove_resting(draft, order_address(1, 1)) == OrderName(ANN, 3, 2)
    assert remove_resting(draft, trigger_address(1, TRIGGER_SLOT_FIRST)) == OrderName(BOB, 0, 1)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"free_order_slot": 2}, "order slot 2 of market 0: expected an empty one, got an order"),
        ({"order_before": 1}, "order behind 5 ticks in market 0: expected a worse one, got slot 2"),
        ({"order_before": 0}, "order behind 5 ticks in market 0: expected a worse one, got slot 1"),
        ({"order_before": 3}, "order before 5 ticks in market 0: expected one as good, got 4"),
        ({"order_before": 4}, "order before 5 ticks in market 0: expected one as good, got 9"),
    ],
)
def test_a_lying_guide_is_caught_when_an_order_rests(answers: dict[str, Any], message: str) -> None:
    draft = drafted()
    for nonce, price in ((1, 6), (2, 5), (3, 4)):
        rested(draft, OrderName(ANN, 0, nonce), BID, price)
    rested(draft, OrderName(ANN, 0, 4), ASK, 9)
    draft.guide = LyingGuide(**answers)
    with pytest.raises(ExchangeError) as caught:
        rest(draft, 0, OrderName(BOB, 0, 1), BID, 5, 10, 99, 0)
    assert str(caught.value) == message


def test_a_lying_guide_is_caught_when_orders_are_cancelled() -> None:
    draft = drafted()
    for account in (ANN, BOB, CAT):
        rested(draft, OrderName(account, 0, 1), BID, 5)
    draft.guide = LyingGuide(find=order_address(0, 2))
    with pytest.raises(ExchangeError, match="address of an order"):
        cancel_named(draft, OrderName(ANN, 0, 1))
    for addresses in ([], [order_address(0, 1), order_address(0, 3)], [order_address(0, 3)]):
        draft.guide = LyingGuide(resting=addresses)
        with pytest.raises(ExchangeError, match="of account 11"):
            cancel_resting(draft, ANN)


class Model:
    """Both sides of a book as sorted lists of priority keys."""

    def __init__(self) -> None:
        self.sides: dict[int, list[tuple[int, int]]] = {BID: [], ASK: []}
        self.arrivals = 0

    def add(self, side: int, price: int) -> int:
        self.arrivals += 1
        insort(self.sides[side], (-price if side == BID else price, self.arrivals))
        return self.arrivals

    def drop(self, which: int) -> int | None:
        every = self.sides[BID] + self.sides[ASK]
        if not every:
            return None
        key = every[which % len(every)]
        for keys in self.sides.values():
            if key in keys:
                keys.remove(key)
        return key[1]


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("rest"), st.sampled_from([BID, ASK]), st.integers(1, 6)),
        st.tuples(st.just("cancel"), st.integers(0, 99), st.just(0)),
        st.tuples(st.just("mark"), st.just(0), st.just(0)),
        st.tuples(st.just("rollback"), st.just(0), st.just(0)),
    ),
    max_size=50,
)


@settings(max_examples=80)
@given(moves=MOVES)
def test_any_moves_leave_what_a_sorted_list_holds(moves: list[tuple[str, int, int]]) -> None:
    guide = FollowingGuide()
    draft, model = drafted(guide), Model()
    saved = (draft.mark(), {side: list(keys) for side, keys in model.sides.items()})
    for move, first, second in moves:
        if move == "rest":
            rested(draft, OrderName(ANN, 0, model.add(first, second)), first, second)
        elif move == "cancel":
            nonce = model.drop(first)
            if nonce is not None:
                cancel_named(draft, OrderName(ANN, 0, nonce))
        elif move == "mark":
            saved = (draft.mark(), {side: list(keys) for side, keys in model.sides.items()})
        else:
            draft.rollback(saved[0])
            model.sides = {side: list(keys) for side, keys in saved[1].items()}
        check(draft, model, guide)


def check(draft: Draft, model: Model, guide: FollowingGuide) -> None:
    for side in (BID, ASK):
        held = walk(draft, side)
        assert [order.nonce for _, order in held] == [nonce for _, nonce in model.sides[side]]
    count = sum(map(len, model.sides.values()))
    assert draft.book(0).order_count == draft.known(ANN).orders == count
    assert len(guide.names) == count
    assert guide.is_up_to_date(draft.items())
