"""The state tree: every inner node on the path of a touched leaf, before and after."""

from collections.abc import Collection, Sequence
from typing import Any

from circuits.air.builder import Builder
from circuits.air.chip import Chip
from circuits.air.columns import U8, U32, Bit, Columns, Field, Given
from circuits.chips.buses import HASH, NODE
from circuits.errors import ConstraintError
from circuits.merkle import ARITY, TouchedNode


class TreeChip(Chip):
    """One inner node above a touched leaf, with its children before and after the batch.

    Soundness: `level` and `index` come with the node from its parent and are set by the batch
    chip at the root, so they need no range: each level is one less, and a walk can end only in
    the leaf chip (level 0) or in a node that touches no child and therefore does not change.
    Each touched child is sent once, so no leaf can be changed twice. A child that is not touched
    keeps its hash. Old and new hash use the same siblings by construction of the row. That a hash
    stands for one subtree only rests on the collision resistance of the node hash (poseidon2).
    """

    name = "tree"

    class Cols(Columns):
        level: Given[U8]
        index: Given[U32]
        old: Field[ARITY]
        new: Field[ARITY]
        touched: Bit[ARITY]
        old_hash: Field
        new_hash: Field

    def constrain(self, c: Any, b: Builder) -> None:
        b.receive(NODE, c.level, c.index, c.old_hash, c.new_hash)
        b.lookup(HASH, *c.old, c.old_hash - c.old[0])
        b.lookup(HASH, *c.new, c.new_hash - c.new[0])
        for k in range(ARITY):
            b.assert_zero(f"child {k} is kept", (1 - c.touched[k]) * (c.new[k] - c.old[k]))
            child = (c.level - 1, c.index * ARITY + k, c.old[k], c.new[k])
            b.send(NODE, *child, times=c.touched[k])


def fill(nodes: Sequence[TouchedNode], leaves: Collection[int]) -> dict[str, Any]:
    """One row per node of `SparseTree.update_many`, where `leaves` are the indices it was given.

    The leaves are asked for because one that is touched may keep its value.
    Raises: ConstraintError when a touched leaf or node has no parent among the nodes.
    """
    reached = {(0, index) for index in leaves} | {(node.level, node.index) for node in nodes}
    parents = {(node.level, node.index) for node in nodes}
    top = max((node.level for node in nodes), default=0)
    for level, index in reached:
        if level < top and (level + 1, index // ARITY) not in parents:
            raise ConstraintError(f"tree node {(level, index)}", "a touched parent", "none")
    return {
        "level": [node.level for node in nodes],
        "index": [node.index for node in nodes],
        "old": [[node.old_children[k] for node in nodes] for k in range(ARITY)],
        "new": [[node.new_children[k] for node in nodes] for k in range(ARITY)],
        "touched": [
            [int((node.level - 1, ARITY * node.index + k) in reached) for node in nodes]
            for k in range(ARITY)
        ],
        "old_hash": [node.old_hash for node in nodes],
        "new_hash": [node.new_hash for node in nodes],
    }
