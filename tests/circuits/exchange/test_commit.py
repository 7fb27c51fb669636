"""Leaves, roots and regions of a state; updating step by step equals hashing it whole."""

from __future__ import annotations

from collections.abc import Sequence

from circuits.exchange.commit import (
    EMPTY_LEAF,
    account_leaf,
    account_leaves,
    account_region_root,
    build_tree,
    header_index,
    header_leaf,
    update_tree,
)
from circuits.exchange.state import Account, State
from circuits.merkle import SparseTree, default_root, verify_path
from circuits.poseidon2 import TAG_HEADER, Lanes, hash_words, node, permute_each
from tests.support.exchange import DOMAIN, account_key_of, applied, funded, transfer


def test_leaf_of_an_account() -> None:
    account = Account(7, account_key_of(1), 9, -5)
    words = [account.identity, 9, 2**111 - 5]
    assert account_leaf(account) == header_leaf(account.identity, 9, -5)
    assert account_leaf(account) == hash_words(TAG_HEADER, words)
    assert account_leaf(None) == 0


def test_headers_stand_in_the_first_region() -> None:
    assert header_index(1) == 64
    assert header_index(2**24 - 1) < 2**30


def test_the_root_is_the_node_of_four_regions() -> None:
    tree = build_tree(funded(3))
    empty = default_root(15)
    assert tree.region_roots()[1:] == (empty, empty, empty)
    assert tree.root == node(account_region_root(tree), empty, empty, empty)
    assert account_region_root(tree) != empty


def test_an_empty_state_has_the_default_root() -> None:
    assert build_tree(State(DOMAIN)).root == default_root(16)


def test_updates_in_steps_and_at_once_meet() -> None:
    state = funded(3)
    tree = build_tree(state)
    later = applied(state, transfer(1, 1, 2, 5), transfer(2, 1, 3, 7))
    stepwise = tree.copy()
    update_tree(stepwise, applied(state, transfer(1, 1, 2, 5)), [1, 2])
    update_tree(stepwise, later, [2, 3])
    touched = update_tree(tree, later, [3, 1, 2])
    assert tree.root == stepwise.root == build_tree(later).root
    assert (touched[0].level, touched[0].new_hash) == (16, tree.root)


def test_leaves_of_many_accounts_are_those_of_each() -> None:
    """Accounts that exist, one that does not, and all hashed by one call."""
    state = applied(funded(3), transfer(1, 1, 2, 5))
    calls: list[int] = []

    def permute_many(states: Sequence[Lanes]) -> list[Lanes]:
        calls.append(len(states))
        return permute_each(states)

    leaves = account_leaves(state, [3, 9, 1], permute_many)
    assert leaves == {
        header_index(number): account_leaf(state.accounts.get(number)) for number in (1, 3, 9)
    }
    assert leaves[header_index(9)] == EMPTY_LEAF
    assert calls == [2]


def test_an_account_is_shown_by_its_path() -> None:
    state = funded(2)
    tree = build_tree(state)
    index = header_index(2)
    leaf = account_leaf(state.accounts.get(2))
    assert verify_path(tree.root, index, leaf, tree.path(index))
    assert not verify_path(tree.root, index, account_leaf(state.accounts.get(1)), tree.path(index))


def test_an_unchanged_account_is_touched_all_the_same() -> None:
    state = funded(1)
    tree = build_tree(state)
    touched = update_tree(tree, state, [1])
    assert len(touched) == 16
    assert all(entry.old_hash == entry.new_hash for entry in touched)
    assert update_tree(SparseTree(), state, []) == []
