"""The sparse tree against a full recomputation, on trees small enough to hash whole."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.errors import TreeError
from circuits.field import R
from circuits.merkle import (
    ARITY,
    STATE_LEVELS,
    SparseTree,
    TouchedNode,
    default_root,
    verify_path,
)
from circuits.poseidon2 import Lanes, node, permute_each

LEVELS = 3
LEAVES = ARITY**LEVELS

leaf_values = st.one_of(st.just(0), st.integers(0, R - 1))
update_maps = st.dictionaries(st.integers(0, LEAVES - 1), leaf_values, max_size=8)


def naive_levels(leaves: dict[int, int], levels: int = LEVELS) -> list[list[int]]:
    """All hashes of the full tree, leaves first."""
    rows = [[leaves.get(index, 0) for index in range(ARITY**levels)]]
    while len(rows[-1]) > 1:
        below = rows[-1]
        rows.append([node(*below[i : i + ARITY]) for i in range(0, len(below), ARITY)])
    return rows


def tree_of(leaves: dict[int, int], levels: int = LEVELS) -> SparseTree:
    """A tree made by one batch."""
    tree = SparseTree(levels)
    tree.update_many(leaves)
    return tree


def expected_touched(
    before: dict[int, int], after: dict[int, int], keys: set[int]
) -> list[TouchedNode]:
    """Every node above the keys, from two full recomputations, root first."""
    old_rows, new_rows = naive_levels(before), naive_levels(after)
    touched = []
    for level in range(LEVELS, 0, -1):
        for index in sorted({key // ARITY**level for key in keys}):
            span = slice(ARITY * index, ARITY * index + ARITY)
            touched.append(
                TouchedNode(
                    level,
                    index,
                    tuple(old_rows[level - 1][span]),  # type: ignore[arg-type]
                    tuple(new_rows[level - 1][span]),  # type: ignore[arg-type]
                    old_rows[level][index],
                    new_rows[level][index],
                )
            )
    return touched


def test_default_roots_are_hashes_of_empty_children() -> None:
    assert default_root(0) == 0
    for level in range(1, STATE_LEVELS + 1):
        assert default_root(level) == node(*[default_root(level - 1)] * ARITY)


def test_empty_tree() -> None:
    tree = SparseTree()
    assert tree.levels == STATE_LEVELS == 16
    assert tree.root == default_root(16)
    assert tree.region_roots() == (default_root(15),) * ARITY
    assert tree.get(2**32 - 1) == 0
    assert tree.update_many({}) == []
    assert tree.root == default_root(16)


@given(update_maps, update_maps)
@settings(max_examples=25)
def test_two_batches_equal_full_recomputation(
    first: dict[int, int], second: dict[int, int]
) -> None:
    tree = SparseTree(LEVELS)
    assert tree.update_many(first) == expected_touched({}, first, set(first))
    assert tree.root == naive_levels(first)[-1][0]
    both = first | second
    assert tree.update_many(second) == expected_touched(first, both, set(second))
    assert tree.root == naive_levels(both)[-1][0]
    assert [tree.get(index) for index in range(LEAVES)] == naive_levels(both)[0]
    assert tree.region_roots() == tuple(naive_levels(both)[LEVELS - 1])


@given(update_maps, update_maps)
@settings(max_examples=15)
def test_each_level_is_hashed_at_once(first: dict[int, int], second: dict[int, int]) -> None:
    """One call per level, lowest first, with the nodes whose children changed and no others."""
    calls: list[list[tuple[int, int, int, int]]] = []

    def permute_many(states: Sequence[Lanes]) -> list[Lanes]:
        calls.append(list(states))
        return permute_each(states)

    tree = tree_of(first)
    touched = tree.update_many(second, permute_many)
    assert tree.root == naive_levels(first | second)[-1][0]
    expected = [
        [
            entry.new_children
            for entry in touched
            if entry.level == level and entry.new_children != entry.old_children
        ]
        for level in range(1, LEVELS + 1)
    ]
    assert calls == (expected if second else [])


@given(update_maps)
@settings(max_examples=15)
def test_order_and_grouping_of_updates_do_not_matter(leaves: dict[int, int]) -> None:
    one_by_one = SparseTree(LEVELS)
    for index, leaf in reversed(leaves.items()):
        one_by_one.update_many({index: leaf})
    assert one_by_one.root == tree_of(leaves).root


@given(update_maps)
@settings(max_examples=15)
def test_clearing_every_leaf_gives_the_empty_tree(leaves: dict[int, int]) -> None:
    tree = tree_of(leaves)
    tree.update_many(dict.fromkeys(leaves, 0))
    assert tree.root == default_root(LEVELS)
    assert tree.path(0) == SparseTree(LEVELS).path(0)


@given(update_maps, st.integers(0, LEAVES - 1))
@settings(max_examples=15)
def test_every_leaf_has_a_path(leaves: dict[int, int], index: int) -> None:
    tree = tree_of(leaves)
    path = tree.path(index)
    assert len(path) == LEVELS
    assert verify_path(tree.root, index, tree.get(index), path)
    assert not verify_path(tree.root, index, (tree.get(index) + 1) % R, path)
    assert not verify_path((tree.root + 1) % R, index, tree.get(index), path)


def test_path_binds_the_index() -> None:
    tree = tree_of({5: 11, 6: 12})
    path = tree.path(5)
    verified = [index for index in range(LEAVES) if verify_path(tree.root, index, 11, path)]
    assert verified == [5]


def test_path_of_another_shape_or_form_is_false() -> None:
    tree = tree_of({5: 11})
    path = tree.path(5)
    assert not verify_path(tree.root, 5, 11, path[:-1])
    assert not verify_path(tree.root, 5 + LEAVES, 11, path)
    assert not verify_path(tree.root, -1, 11, path)
    assert not verify_path(tree.root, 5, 11 + R, path)
    shifted = ((path[0][0] + R, *path[0][1:]), *path[1:])
    assert not verify_path(tree.root, 5, 11, shifted)
    short = (path[0][:2], *path[1:])
    assert not verify_path(tree.root, 5, 11, short)  # type: ignore[arg-type]


def test_reading_a_leaf_touches_its_path_without_changing_it() -> None:
    """Given a batch that keeps a leaf, then its nodes are listed with equal hashes."""
    tree = tree_of({5: 11, 40: 12})
    root = tree.root
    touched = tree.update_many({5: 11, 6: 0})
    assert [(entry.level, entry.index) for entry in touched] == [(3, 0), (2, 0), (1, 1)]
    assert all(entry.old_hash == entry.new_hash for entry in touched)
    assert all(entry.old_children == entry.new_children for entry in touched)
    assert tree.root == root


def test_copies_do_not_see_later_updates() -> None:
    tree = tree_of({1: 1})
    twin = tree.copy()
    twin.update_many({1: 2, 30: 3})
    assert (tree.get(1), tree.get(30), tree.root) == (1, 0, tree_of({1: 1}).root)
    assert (twin.get(1), twin.get(30), twin.root) == (2, 3, tree_of({1: 2, 30: 3}).root)
    tree.update_many({1: 9})
    assert twin.get(1) == 2


def test_state_tree_shares_nodes_and_checks_each_once() -> None:
    """Given 20 neighbouring account headers, then shared nodes appear once and hash as stated."""
    tree = SparseTree()
    leaves = {account * 64: account for account in range(1, 21)}
    touched = tree.update_many(leaves)
    positions = [(entry.level, entry.index) for entry in touched]
    assert positions == sorted(positions, key=lambda position: (-position[0], position[1]))
    assert len(set(positions)) == len(positions)
    assert touched[0].level == STATE_LEVELS
    assert (touched[0].old_hash, touched[0].new_hash) == (default_root(16), tree.root)
    assert touched[0].new_children == tree.region_roots()
    for entry in touched:
        assert node(*entry.old_children) == entry.old_hash
        assert node(*entry.new_children) == entry.new_hash
    by_position = {(entry.level, entry.index): entry for entry in touched}
    for entry in touched[1:]:
        parent = by_position[(entry.level + 1, entry.index // ARITY)]
        assert parent.old_children[entry.index % ARITY] == entry.old_hash
        assert parent.new_children[entry.index % ARITY] == entry.new_hash
    for index, leaf in leaves.items():
        assert verify_path(tree.root, index, leaf, tree.path(index))


@pytest.mark.parametrize("index", [-1, LEAVES])
def test_index_outside_the_tree_is_refused(index: int) -> None:
    tree = SparseTree(LEVELS)
    for attempt in (tree.get, tree.path, lambda bad: tree.update_many({bad: 1})):
        with pytest.raises(TreeError) as caught:
            attempt(index)
        assert str(caught.value) == f"leaf index: expected a number below 4**3, got {index}"


@pytest.mark.parametrize("leaf", [-1, R])
def test_bad_leaf_changes_nothing(leaf: int) -> None:
    tree = tree_of({1: 1})
    root = tree.root
    with pytest.raises(TreeError) as caught:
        tree.update_many({0: 5, 2: leaf})
    assert str(caught.value) == f"leaf 2: expected a field element below r, got {leaf}"
    assert (tree.root, tree.get(0)) == (root, 0)
