import random

import pytest

from circuits.air.lint import lint
from circuits.chips.tree import TreeChip, fill
from circuits.errors import ConstraintError
from circuits.field import R
from circuits.merkle import SparseTree, TouchedNode
from circuits.poseidon2 import node
from tests.support.breaker import assert_every_constraint_breakable
from tests.support.harness import NO_PUBLICS, Harness, rows_of

BEFORE = {0: 11, 64: 12, 129: 13, 2**31: 14}
# Changed, created, deleted, and touched without a change; all four children of one node.
UPDATE = {0: 21, 1: 22, 2: 23, 3: 24, 64: 0, 65: 0, 129: 13, 2**32 - 1: 25}


def update(before: dict[int, int], leaves: dict[int, int]) -> tuple[SparseTree, list[TouchedNode]]:
    tree = SparseTree()
    tree.update_many(before)
    return tree, tree.update_many(leaves)


def harness_of(nodes: list[TouchedNode], leaves: dict[int, int]) -> Harness:
    return Harness.honest((TreeChip(),), {"tree": fill(nodes, leaves)})


@pytest.fixture(scope="module")
def nodes() -> list[TouchedNode]:
    return update(BEFORE, UPDATE)[1]


@pytest.fixture(scope="module")
def harness(nodes: list[TouchedNode]) -> Harness:
    return harness_of(nodes, UPDATE)


def test_a_batch_of_updates_leads_from_root_to_root(harness: Harness) -> None:
    assert harness.failures() == []
    assert lint(harness.system) == []
    old, new = SparseTree(), update(BEFORE, UPDATE)[0]
    old.update_many(BEFORE)
    (root_message,) = rows_of(harness.tables["node sender"])
    assert root_message == [16, 0, old.root, new.root]
    assert sorted(map(tuple, rows_of(harness.tables["node receiver"]))) == [
        (0, index, BEFORE.get(index, 0), leaf) for index, leaf in sorted(UPDATE.items())
    ]


def test_random_updates_are_accepted(rng: random.Random) -> None:
    before = {rng.getrandbits(32): rng.randrange(R) for _ in range(5)}
    leaves = {rng.getrandbits(32): rng.randrange(R) for _ in range(5)}
    leaves |= {index: rng.choice((0, rng.randrange(R))) for index in before}
    _, nodes = update(before, leaves)
    assert harness_of(nodes, leaves).failures() == []


def test_every_constraint_is_needed(harness: Harness) -> None:
    chip = harness.system.chip("tree")
    rows = rows_of(harness.tables["tree"])
    assert_every_constraint_breakable(chip, rows, NO_PUBLICS, R)


def test_a_sibling_cannot_change_unseen(nodes: list[TouchedNode], harness: Harness) -> None:
    place = next(i for i, each in enumerate(nodes) if each.level == 1 and each.index == 16)
    old = nodes[place]
    forged = (old.new_children[0], old.new_children[1], 99, old.new_children[3])
    tampered = harness.tampered("tree", "new[2]", place, 99)
    tampered = tampered.tampered("tree", "new_hash", place, node(*forged))
    # The node hash is right, so only its parent and the rule on kept children object.
    assert tampered.failing() == {"tree/child 2 is kept", "bus node"}


@pytest.mark.parametrize("touched", [2, R - 1])
def test_a_child_is_sent_once_or_not_at_all(harness: Harness, touched: int) -> None:
    failing = harness.tampered("tree", "touched[0]", 0, touched).failing()
    assert {"tree/touched[0] is a bit", "bus node"} <= failing


@pytest.mark.parametrize("column", ["level", "index", "old_hash", "new_hash", "old[1]", "new[3]"])
def test_a_changed_cell_is_found(harness: Harness, column: str) -> None:
    assert harness.tampered("tree", column, 0, 77).failing() & {"bus node", "bus hash"}


def test_leaving_out_a_touched_leaf_is_found(harness: Harness) -> None:
    place = harness.heights["tree"] - 1
    assert harness.tampered("tree", "touched[3]", place, 0).failing() == {
        "tree/child 3 is kept",
        "bus node",
    }


def test_a_leaf_without_its_nodes_is_not_filled(nodes: list[TouchedNode]) -> None:
    with pytest.raises(ConstraintError) as caught:
        fill(nodes, {*UPDATE, 4096})
    assert str(caught.value) == "tree node (0, 4096): expected a touched parent, got none"
    missing = [each for each in nodes if each.level != 7]
    with pytest.raises(ConstraintError):
        fill(missing, UPDATE)
