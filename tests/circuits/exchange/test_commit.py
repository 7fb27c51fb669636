"""Leaves, roots and regions of a state; updating step by step equals hashing it whole."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from circuits.exchange import leaves as leaf_module
from circuits.exchange.addresses import header_address
from circuits.exchange.commit import (
    EMPTY_LEAF,
    account_region_root,
    build_tree,
    hash_leaves,
    header_leaf,
    leaf_hash,
    leaves_of,
    update_tree,
)
from circuits.exchange.fields import LEAF_LAYOUTS
from circuits.exchange.leaves import NO_KEY, Account, Position, hash_identities, identity_of
from circuits.exchange.places import kind_at
from circuits.exchange.state import State
from circuits.merkle import SparseTree, default_root, verify_path
from circuits.poseidon2 import (
    TAG_HEADER,
    TAG_IDENTITY,
    TAG_POSITION,
    Lanes,
    hash_words,
    node,
    permute_each,
)
from tests.support.exchange import (
    DOMAIN,
    account_key_of,
    applied,
    funded,
    transfer,
    withdraw,
)
from tests.support.leaves import any_changes, any_state, executed

PINNED_ROOT = 0xEAC75872E6A3C29F2597201CF6950A5FDD805EA370C43101B487AF44B6DFEBF
"""Of a state with nothing but cash: a contract that holds such a root still knows it."""


class Counting:
    """Permutes, and keeps how many at a time."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, states: Sequence[Lanes]) -> list[Lanes]:
        self.calls.append(len(states))
        return permute_each(states)


def test_leaf_of_an_account() -> None:
    account = Account(7, account_key_of(1), 9, -5)
    words = [account.identity, 9, 2**111 - 5]
    assert leaf_hash(account) == header_leaf(account.identity, 9, -5)
    assert leaf_hash(account) == hash_words(TAG_HEADER, words)
    assert leaf_hash(None) == EMPTY_LEAF == 0
    busy = account._replace(positions=3, shares=1)
    word = 9 + (3 << 48) + (1 << 112)
    assert leaf_hash(busy) == hash_words(TAG_HEADER, [account.identity, word, 2**111 - 5])


def test_leaf_of_a_position() -> None:
    words = [7 + (64 << 10) + (0 << 40), 2**47 - 3, 2**64 + 5]
    assert leaf_hash(Position(7, -3, 5, 64, 0)) == hash_words(TAG_POSITION, words)


def test_headers_stand_in_the_first_region() -> None:
    assert header_address(1) == 64
    assert header_address(2**24 - 1) < 2**30


def test_the_root_is_the_node_of_four_regions() -> None:
    tree = build_tree(funded(3))
    empty = default_root(15)
    assert tree.region_roots()[1:] == (empty, empty, empty)
    assert tree.root == node(account_region_root(tree), empty, empty, empty)
    assert account_region_root(tree) != empty


def test_every_leaf_counts_in_its_own_region(rng: random.Random) -> None:
    tree = build_tree(any_state(rng))
    roots = tree.region_roots()
    assert len(set(roots)) == 4
    assert default_root(15) not in roots
    assert tree.root == node(*roots)


def test_a_state_of_nothing_but_cash_has_the_root_it_always_had() -> None:
    state = applied(funded(3), transfer(1, 1, 2, 5), withdraw(2, 3, 7))
    assert build_tree(state).root == PINNED_ROOT


def test_an_empty_state_has_the_default_root() -> None:
    assert build_tree(State(DOMAIN)).root == default_root(16)


def test_updates_in_steps_and_at_once_meet() -> None:
    state = funded(3)
    tree = build_tree(state)
    one, two, three = map(header_address, (1, 2, 3))
    middle = applied(state, transfer(1, 1, 2, 5))
    later = applied(middle, transfer(2, 1, 3, 7))
    stepwise = tree.copy()
    update_tree(stepwise, middle, [one, two])
    update_tree(stepwise, later, [two, three])
    touched = update_tree(tree, later, [three, one, two])
    assert tree.root == stepwise.root == build_tree(later).root
    assert (touched[0].level, touched[0].new_hash) == (16, tree.root)


def test_any_leaves_change_and_go(rng: random.Random) -> None:
    state = any_state(rng)
    tree = build_tree(state)
    for _ in range(8):
        changes = any_changes(state, rng)
        _, state = executed(state, changes)
        update_tree(tree, state, changes)
        assert tree.root == build_tree(state).root


def test_a_tree_without_its_leaves_is_empty_again(rng: random.Random) -> None:
    state = any_state(rng)
    tree = build_tree(state)
    update_tree(tree, State(DOMAIN), list(state.leaves.entries()))
    assert tree.root == default_root(16)


def test_leaves_are_hashed_kind_by_kind(rng: random.Random) -> None:
    """One call for each kind, and one for the identities; what stands nowhere is not hashed."""
    state = any_state(rng, 1.0)
    addresses = list(state.leaves.entries())
    permute_many = Counting()
    wanted = leaves_of(state, [*addresses, 1])
    hashes = hash_leaves(wanted, permute_many)
    assert hashes == {address: leaf_hash(leaf) for address, leaf in wanted.items()}
    assert hashes[1] == EMPTY_LEAF
    kinds = {kind_at(address) for address in addresses}
    assert kinds == set(LEAF_LAYOUTS)
    assert len(permute_many.calls) <= len(kinds) + 1
    assert sum(permute_many.calls[1:]) == len(addresses)


def test_identities_are_hashed_at_once_and_once() -> None:
    accounts = [Account(owner, (owner, 5)) for owner in (101, 102, 101)]
    permute_many = Counting()
    hash_identities(accounts, permute_many)
    hash_identities([*accounts, Account(103, (103, 5))], permute_many)
    assert permute_many.calls == [2, 1]
    assert [account.identity for account in accounts] == [
        hash_words(TAG_IDENTITY, (owner, 5, owner)) for owner in (101, 102, 101)
    ]
    assert permute_many.calls == [2, 1]


def test_identities_that_are_no_longer_kept_are_hashed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(leaf_module, "_identities", {})
    monkeypatch.setattr(leaf_module, "IDENTITIES_KEPT", 3)
    for owner in (1, 2, 3):
        identity_of(NO_KEY, owner)
    permute_many = Counting()
    hash_identities([Account(3), Account(4)], permute_many)
    assert set(leaf_module._identities) == {(NO_KEY, 3), (NO_KEY, 4)}
    hash_identities([Account(owner) for owner in range(1, 8)], permute_many)
    assert permute_many.calls == [1, 5]
    assert len(leaf_module._identities) == 7, "the newest are kept, however many"
    assert identity_of(NO_KEY, 9) == hash_words(TAG_IDENTITY, (*NO_KEY, 9))
    assert len(leaf_module._identities) == 1


def test_a_leaf_is_shown_by_its_path(rng: random.Random) -> None:
    state = any_state(rng)
    tree = build_tree(state)
    for address in rng.sample(list(state.leaves.entries()), 5):
        leaf = leaf_hash(state.leaves.get(address))
        assert verify_path(tree.root, address, leaf, tree.path(address))
        assert not verify_path(tree.root, address, leaf + 1, tree.path(address))


def test_an_unchanged_account_is_touched_all_the_same() -> None:
    state = funded(1)
    tree = build_tree(state)
    touched = update_tree(tree, state, [header_address(1)])
    assert len(touched) == 16
    assert all(entry.old_hash == entry.new_hash for entry in touched)
    assert update_tree(SparseTree(), state, []) == []
