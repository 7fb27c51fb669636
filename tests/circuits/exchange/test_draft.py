"""Drafts: what was written is read, can be taken back, and the guide is told both ways."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from circuits.exchange.addresses import header_address, order_address, position_address
from circuits.exchange.draft import DEFAULT_CONTROLS, Draft
from circuits.exchange.guide import SCAN, ScanGuide
from circuits.exchange.leaf_map import LeafMap
from circuits.exchange.leaves import Account, Controls, Leaf, Order, Position
from circuits.exchange.limits import TRIGGER_SLOT_FIRST
from circuits.exchange.state import State
from circuits.exchange.steps import Halted, Resumed
from circuits.exchange.units import TokenUnits
from tests.support.listed import (
    FEES,
    MARKET,
    TERMS,
    book_of,
    listed,
    prices_of,
    with_trigger,
)

HOME = order_address(0, 1)
PLACES = [order_address(0, slot) for slot in range(1, 5)]


def order(nonce: int, slot: int = 0) -> Order:
    return Order(1, 0, nonce, 0, 10, 5, 99, 0, 0, slot)


class Telling(ScanGuide):
    """A guide that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int, Leaf | None, Leaf | None]] = []

    def changed(self, address: int, before: Leaf | None, after: Leaf | None) -> None:
        self.told.append(("changed", address, before, after))

    def undone(self, address: int, before: Leaf | None, after: Leaf | None) -> None:
        self.told.append(("undone", address, before, after))


class Mirror(ScanGuide):
    """A guide that keeps a copy of all orders, and insists that it is told the truth."""

    def __init__(self, orders: dict[int, Leaf]) -> None:
        self.orders = dict(orders)

    def changed(self, address: int, before: Leaf | None, after: Leaf | None) -> None:
        assert self.orders.pop(address, None) == before
        if after is not None:
            self.orders[address] = after

    def undone(self, address: int, before: Leaf | None, after: Leaf | None) -> None:
        self.changed(address, after, before)


def state_of(leaves: dict[int, Leaf | None]) -> State:
    return State(1, leaves=LeafMap().with_changes(leaves))


def test_a_write_is_read_and_the_state_before_stays() -> None:
    state = state_of({HOME: order(1)})
    draft = Draft(state, SCAN)
    assert draft.get(HOME) == order(1)
    draft.put_resting(HOME, order(2))
    assert draft.get(HOME) == order(2)
    draft.put_resting(HOME, None)
    assert draft.get(HOME) is None
    leaves, before = draft.commit()
    assert before == {HOME: order(1)}
    assert leaves == LeafMap()
    assert state.leaves.get(HOME) == order(1)


def test_a_commit_names_each_leaf_once_as_it_was_first() -> None:
    state = state_of({5: Account(1), 7: Account(7)})
    draft = Draft(state, SCAN)
    for owner in (2, 3):
        draft.put(5, Account(owner))
        draft.put(6, Account(owner))
    leaves, before = draft.commit()
    assert before == {5: Account(1), 6: None}
    assert dict(leaves.items()) == {5: Account(3), 6: Account(3), 7: Account(7)}
    assert dict(state.leaves.items()) == {5: Account(1), 7: Account(7)}


def test_a_draft_of_an_old_version_does_not_disturb_a_newer_one() -> None:
    old = state_of({5: Account(1)})
    newer = Draft(old, SCAN)
    newer.put(5, Account(2))
    newest, _ = newer.commit()
    fork = Draft(old, SCAN)
    assert fork.get(5) == Account(1)
    fork.put(6, Account(6))
    forked, _ = fork.commit()
    assert dict(newest.items()) == {5: Account(2)}
    assert dict(forked.items()) == {5: Account(1), 6: Account(6)}
    assert dict(old.leaves.items()) == {5: Account(1)}


class TestRollback:
    """Back to a mark: leaves, steps and custody."""

    def test_to_the_middle(self) -> None:
        draft = Draft(state_of({5: Account(1)}), SCAN)
        draft.put(5, Account(2))
        draft.steps.append(Halted(1))
        draft.custody = TokenUnits(7)
        mark = draft.mark()
        draft.put(5, Account(3))
        draft.put(6, Account(4))
        draft.steps.append(Resumed(1, 2, 3))
        draft.custody = TokenUnits(8)
        draft.rollback(mark)
        assert dict(draft.items()) == {5: Account(2)}
        assert draft.steps == [Halted(1)]
        assert draft.custody == 7
        draft.rollback(mark)
        leaves, before = draft.commit()
        assert dict(leaves.items()) == {5: Account(2)}
        assert before == {5: Account(1)}

    def test_a_leaf_that_was_emptied_comes_back(self) -> None:
        draft = Draft(state_of({HOME: order(1)}), SCAN)
        mark = draft.mark()
        draft.put_resting(HOME, None)
        draft.rollback(mark)
        assert draft.get(HOME) == order(1)
        draft.put_resting(HOME, None)
        mark = draft.mark()
        draft.put_resting(HOME, order(2))
        draft.rollback(mark)
        assert draft.get(HOME) is None
        assert draft.commit() == (LeafMap(), {HOME: order(1)})

    def test_the_guide_is_told_in_reverse(self) -> None:
        """Of what comes or goes, but not of a leaf that is only linked elsewhere or shrinks."""
        guide = Telling()
        draft = Draft(state_of({HOME: order(1)}), guide)
        draft.put_resting(HOME, order(2))
        mark = draft.mark()
        other = order_address(3, 9)
        draft.put_resting(HOME, None)
        draft.put(header_address(1), Account(1))
        draft.put_resting(other, order(8))
        draft.put(other, order(8, slot=5))
        draft.put_resting(HOME, order(3))
        assert guide.told == [
            ("changed", HOME, order(1), order(2)),
            ("changed", HOME, order(2), None),
            ("changed", other, None, order(8)),
            ("changed", HOME, None, order(3)),
        ]
        del guide.told[:]
        draft.rollback(mark)
        assert guide.told == [
            ("undone", HOME, None, order(3)),
            ("undone", other, None, order(8)),
            ("undone", HOME, order(2), None),
        ]
        del guide.told[:]
        draft.discard()
        assert guide.told == [("undone", HOME, order(1), order(2))]
        assert dict(draft.items()) == {HOME: order(1)}

    def test_a_discarded_draft_leaves_the_state_as_it_was(self) -> None:
        state = state_of({5: Account(1)})
        draft = Draft(state, SCAN)
        draft.put(5, None)
        draft.put(6, Account(2))
        draft.steps.append(Halted(1))
        draft.discard()
        assert draft.steps == []
        assert dict(state.leaves.items()) == {5: Account(1)}


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 3), st.one_of(st.none(), st.integers(1, 9))),
        st.tuples(st.sampled_from(["mark", "rollback"]), st.just(0), st.none()),
    ),
    max_size=30,
)


@given(actions=ACTIONS, start=st.dictionaries(st.integers(0, 3), st.integers(1, 9)))
def test_against_copies_of_a_dictionary(
    actions: list[tuple[str, int, int | None]], start: dict[int, int]
) -> None:
    """Nested marks; the guide and the draft are what the copies say after every action."""
    plain: dict[int, Any] = {PLACES[place]: order(nonce) for place, nonce in start.items()}
    initial = plain
    state = state_of(plain)
    guide = Mirror(plain)
    draft = Draft(state, guide)
    saved = []
    for name, place, nonce in actions:
        if name == "write":
            leaf = None if nonce is None else order(nonce)
            draft.put_resting(PLACES[place], leaf)
            plain = {**plain, PLACES[place]: leaf}
        elif name == "mark":
            saved.append((draft.mark(), plain))
        elif saved:
            mark, plain = saved.pop()
            draft.rollback(mark)
        plain = {address: leaf for address, leaf in plain.items() if leaf is not None}
        assert dict(draft.items()) == plain == guide.orders
        assert [draft.get(address) for address in PLACES] == list(map(plain.get, PLACES))
    draft.discard()
    assert dict(draft.items()) == dict(state.leaves.items()) == guide.orders == initial


class TestViews:
    """Short ways to leaves that rules read often."""

    def test_accounts(self) -> None:
        state = state_of({header_address(5): Account(9)})
        draft = Draft(state, SCAN)
        assert draft.account(5) == draft.known(5) == Account(9)
        for account in (0, 6, -1, 2**24, 2**24 + 5):
            assert draft.account(account) is None
        draft.put_account(6, Account(8))
        assert draft.account(6) == Account(8)

    def test_no_account_is_read_where_another_leaf_stands(self) -> None:
        """An id beyond the last would be an address in the markets' region."""
        state = state_of({header_address(2**24): Position(0, 1, 1, 0, 0)})
        assert Draft(state, SCAN).account(2**24) is None

    def test_a_market(self) -> None:
        draft = Draft(with_trigger(listed(), 1, 0, 900), SCAN)
        assert draft.terms(MARKET) == TERMS
        for market in (0, 1024, -1, MARKET + 1):
            assert draft.terms(market) is None
        assert draft.prices(MARKET) == prices_of(listed())
        assert draft.book(MARKET).last_up == TRIGGER_SLOT_FIRST + 2
        assert draft.trigger_head(MARKET, 1, 0) == TRIGGER_SLOT_FIRST + 2
        assert draft.trigger_head(MARKET, 0, 0) == 0
        assert draft.trigger(MARKET, TRIGGER_SLOT_FIRST + 2).trigger_price == 900
        assert draft.book(MARKET) != book_of(listed())

    def test_the_exchange(self) -> None:
        draft = Draft(listed(), SCAN)
        assert draft.fee_terms() == FEES
        assert draft.controls() == Controls(0, 0, 2, 3)
        empty = Draft(State(1), SCAN)
        assert empty.fee_terms() is None
        assert empty.controls() == DEFAULT_CONTROLS

    def test_all_leaves_with_what_was_written(self) -> None:
        draft = Draft(state_of({5: Account(1), 6: Account(2)}), SCAN)
        draft.put(5, None)
        draft.put(6, Account(3))
        draft.put(position_address(0, 6), Account(4))
        assert dict(draft.items()) == {6: Account(3), 7: Account(4)}
