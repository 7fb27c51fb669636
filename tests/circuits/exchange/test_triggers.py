"""Waiting triggers: four lists in the order in which they fire, whole both ways."""

from __future__ import annotations

from bisect import insort
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.exchange.draft import Draft
from circuits.exchange.errors import ExchangeError
from circuits.exchange.gates import DOWN, LAST, MARK, TRIGGER_LISTS, UP
from circuits.exchange.guide import SCAN, Guide
from circuits.exchange.leaves import Trigger
from circuits.exchange.limits import TRIGGER_SLOT_FIRST
from circuits.exchange.order_checks import NewOrder
from circuits.exchange.steps import OrderName
from circuits.exchange.triggers import insert_trigger, order_of, remove_trigger
from tests.support.drafts import written
from tests.support.guides import FollowingGuide, LyingGuide
from tests.support.market import ANN, ASK, BOB, market_state


def drafted(guide: Guide = SCAN) -> Draft:
    return Draft(market_state(), guide)


def trigger(nonce: int, price: int, source: int, direction: int, account: int = ANN) -> Trigger:
    return Trigger(account, 0, nonce, ASK, 0, 1, source, direction, price, 1, 10, 99, 0, 0)


def inserted(draft: Draft, nonce: int, price: int, source: int, direction: int) -> int:
    slot = insert_trigger(draft, 0, trigger(nonce, price, source, direction))
    assert slot is not None
    return slot


def walk(draft: Draft, source: int, direction: int) -> list[int]:
    """The nonces of a list from its head, once the links back hold."""
    slot, previous, nonces = draft.trigger_head(0, source, direction), 0, []
    while slot:
        leaf = draft.trigger(0, slot)
        assert leaf.previous == previous
        nonces.append(leaf.nonce)
        previous, slot = slot, leaf.next
    return nonces


@pytest.mark.parametrize("source", [MARK, LAST])
@pytest.mark.parametrize(
    ("direction", "nonces"), [(UP, [6, 2, 4, 1, 3, 5]), (DOWN, [3, 5, 1, 2, 4, 6])]
)
def test_what_fires_first_then_arrival(source: int, direction: int, nonces: list[int]) -> None:
    draft = drafted()
    for nonce, price in enumerate((7, 5, 9, 5, 9, 1), 1):
        slot = inserted(draft, nonce, price, source, direction)
        assert slot == TRIGGER_SLOT_FIRST + nonce - 1
    assert walk(draft, source, direction) == nonces
    assert draft.known(ANN).triggers == 6
    for other in TRIGGER_LISTS:
        if other != (source, direction):
            assert walk(draft, *other) == []


def test_a_freed_slot_is_taken_again() -> None:
    draft = drafted()
    for nonce in (1, 2, 3):
        inserted(draft, nonce, 5, MARK, UP)
    removed = remove_trigger(draft, 0, TRIGGER_SLOT_FIRST + 1)
    assert removed.nonce == 2
    assert draft.known(ANN).triggers == 2
    assert inserted(draft, 4, 5, LAST, DOWN) == TRIGGER_SLOT_FIRST + 1
    assert walk(draft, MARK, UP) == [1, 3]


def test_no_free_slot() -> None:
    draft = drafted(LyingGuide(free_trigger_slot=None))
    assert insert_trigger(draft, 0, trigger(1, 5, MARK, UP)) is None
    assert not written(draft)


def test_the_order_of_a_trigger() -> None:
    leaf = Trigger(ANN, 3, 7, ASK, 1, 0, LAST, DOWN, 50, 40, 10, 99, 5, 6)
    assert order_of(2, leaf) == NewOrder(OrderName(ANN, 3, 7), 2, ASK, 0, 1, 40, 10, 99)


FIRST = TRIGGER_SLOT_FIRST


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (
            {"free_trigger_slot": FIRST},
            f"trigger slot {FIRST} of market 0: expected an empty one, got a trigger",
        ),
        (
            {"trigger_before": 0},
            f"trigger behind 5 ticks in market 0: expected a later one, got slot {FIRST}",
        ),
        (
            {"trigger_before": FIRST},
            f"trigger behind 5 ticks in market 0: expected a later one, got slot {FIRST + 1}",
        ),
        (
            {"trigger_before": FIRST + 2},
            "trigger before 5 ticks in market 0: expected one that fires as early, got 6",
        ),
        (
            {"trigger_before": FIRST + 3},
            "trigger before 5 ticks in market 0: expected one that fires as early, got 4",
        ),
    ],
)
def test_a_lying_guide_is_caught(answers: dict[str, Any], message: str) -> None:
    draft = drafted()
    for nonce, price in ((1, 4), (2, 5), (3, 6)):
        inserted(draft, nonce, price, MARK, UP)
    inserted(draft, 4, 4, LAST, UP)
    draft.guide = LyingGuide(**answers)
    with pytest.raises(ExchangeError) as caught:
        insert_trigger(draft, 0, trigger(9, 5, MARK, UP, BOB))
    assert str(caught.value) == message


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), st.sampled_from(TRIGGER_LISTS), st.integers(1, 6)),
        st.tuples(st.just("remove"), st.just((0, 0)), st.integers(0, 99)),
        st.tuples(st.just("mark"), st.just((0, 0)), st.just(0)),
        st.tuples(st.just("rollback"), st.just((0, 0)), st.just(0)),
    ),
    max_size=50,
)
Lists = dict[tuple[int, int], list[tuple[int, int]]]


@settings(max_examples=80)
@given(moves=MOVES)
def test_any_moves_leave_what_sorted_lists_hold(
    moves: list[tuple[str, tuple[int, int], int]],
) -> None:
    guide = FollowingGuide()
    draft, arrivals, slots = drafted(guide), 0, dict[int, int]()
    lists: Lists = {each: [] for each in TRIGGER_LISTS}
    saved = (draft.mark(), copied(lists))
    for move, which, number in moves:
        if move == "insert":
            arrivals += 1
            insort(lists[which], (number if which[1] == UP else -number, arrivals))
            slots[arrivals] = inserted(draft, arrivals, number, *which)
        elif move == "remove":
            every = [(which, key) for which in TRIGGER_LISTS for key in lists[which]]
            if every:
                source_list, key = every[number % len(every)]
                lists[source_list].remove(key)
                remove_trigger(draft, 0, slots[key[1]])
        elif move == "mark":
            saved = (draft.mark(), copied(lists))
        else:
            draft.rollback(saved[0])
            lists = copied(saved[1])
        for each in TRIGGER_LISTS:
            assert walk(draft, *each) == [nonce for _, nonce in lists[each]]
        assert draft.known(ANN).triggers == len(guide.names) == sum(map(len, lists.values()))


def copied(lists: Lists) -> Lists:
    return {each: list(keys) for each, keys in lists.items()}
