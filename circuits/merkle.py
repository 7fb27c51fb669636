"""Sparse 4-ary Merkle tree with batched updates that share their inner nodes.

Levels count from the leaves: leaves are level 0, the root is level `levels`. The digit of a leaf
index in base 4 picks the child, most significant digit at the root. An empty leaf is 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from circuits.errors import TreeError
from circuits.field import is_canonical
from circuits.poseidon2 import node

ARITY = 4
STATE_LEVELS = 16  # 32-bit leaf indices; the top digit is the region

Children = tuple[int, int, int, int]
Siblings = tuple[int, int, int]

# A subtree is None if empty, an int at level 0, else (hash, four subtrees). It never changes, so
# copies of a tree share all of it.
_NO_CHILDREN: tuple[Any, ...] = (None, None, None, None)


@dataclass(frozen=True, slots=True)
class TouchedNode:
    """One inner node on the path of an updated leaf, before and after the update."""

    level: int
    index: int
    old_children: Children
    new_children: Children
    old_hash: int
    new_hash: int


@cache
def default_root(level: int) -> int:
    """Root of an empty subtree of the given height."""
    if level == 0:
        return 0
    child = default_root(level - 1)
    return node(child, child, child, child)


def _hash_of(subtree: Any, level: int) -> int:
    if subtree is None:
        return default_root(level)
    return subtree if level == 0 else subtree[0]


def _hashes_of(children: Sequence[Any], level: int) -> Children:
    first, second, third, fourth = children
    return (
        _hash_of(first, level),
        _hash_of(second, level),
        _hash_of(third, level),
        _hash_of(fourth, level),
    )


class SparseTree:
    """A map from leaf index to field element with a root; absent leaves are 0."""

    __slots__ = ("_root", "levels")

    def __init__(self, levels: int = STATE_LEVELS) -> None:
        self.levels = levels
        self._root: Any = None

    @property
    def root(self) -> int:
        """Hash of the whole tree."""
        return _hash_of(self._root, self.levels)

    def region_roots(self) -> Children:
        """The four children of the root: accounts, markets, books, system."""
        return _hashes_of(self._children_of(self._root), self.levels - 1)

    def copy(self) -> "SparseTree":
        """A tree of equal content; the two share memory but not later updates."""
        twin = SparseTree(self.levels)
        twin._root = self._root
        return twin

    def get(self, index: int) -> int:
        """The leaf at an index. Raises: TreeError for an index outside the tree."""
        self._require_index(index)
        subtree = self._root
        for level in range(self.levels, 0, -1):
            if subtree is None:
                return 0
            subtree = subtree[1][self._digit(index, level)]
        return _hash_of(subtree, 0)

    def path(self, index: int) -> tuple[Siblings, ...]:
        """The three siblings at each level from the leaf up, as `verify_path` reads them.

        Raises: TreeError for an index outside the tree.
        """
        self._require_index(index)
        siblings: list[Siblings] = []
        subtree = self._root
        for level in range(self.levels, 0, -1):
            digit = self._digit(index, level)
            children = self._children_of(subtree)
            hashes = _hashes_of(children, level - 1)
            first, second, third = hashes[:digit] + hashes[digit + 1 :]
            siblings.append((first, second, third))
            subtree = children[digit]
        return tuple(reversed(siblings))

    def update_many(self, leaves: Mapping[int, int]) -> list[TouchedNode]:
        """Set leaves and list every inner node above them once, the root first.

        Leaves that keep their value are touched too: a batch proves what it reads. The order is
        by falling level, then by rising index.
        Raises: TreeError for an index outside the tree or a value that is no field element;
        nothing is changed then.
        Cost: one permutation per node whose children changed.
        """
        changes = sorted(leaves.items())
        for index, leaf in changes:
            self._require_index(index)
            if not is_canonical(leaf):
                raise TreeError(f"leaf {index}", "a field element below r", leaf)
        touched: list[TouchedNode] = []
        if changes:
            self._root = self._replace(self._root, self.levels, 0, changes, touched)
        touched.sort(key=lambda entry: (-entry.level, entry.index))
        return touched

    def _replace(
        self,
        subtree: Any,
        level: int,
        node_index: int,
        changes: list[tuple[int, int]],
        touched: list[TouchedNode],
    ) -> Any:
        if level == 0:
            return changes[0][1] or None
        old_subtrees = self._children_of(subtree)
        new_subtrees = list(old_subtrees)
        for digit, group in groupby(changes, key=lambda change: self._digit(change[0], level)):
            new_subtrees[digit] = self._replace(
                old_subtrees[digit], level - 1, ARITY * node_index + digit, list(group), touched
            )
        old_children = _hashes_of(old_subtrees, level - 1)
        new_children = _hashes_of(new_subtrees, level - 1)
        old_hash = _hash_of(subtree, level)
        new_hash = old_hash if new_children == old_children else node(*new_children)
        touched.append(
            TouchedNode(level, node_index, old_children, new_children, old_hash, new_hash)
        )
        if all(child is None for child in new_subtrees):
            return None
        return (new_hash, tuple(new_subtrees))

    @staticmethod
    def _children_of(subtree: Any) -> tuple[Any, ...]:
        return _NO_CHILDREN if subtree is None else subtree[1]

    @staticmethod
    def _digit(index: int, level: int) -> int:
        return index >> 2 * (level - 1) & 3

    def _require_index(self, index: int) -> None:
        if not 0 <= index < ARITY**self.levels:
            raise TreeError("leaf index", f"a number below 4**{self.levels}", index)


def verify_path(root: int, index: int, leaf: int, path: Sequence[Siblings]) -> bool:
    """True if `path` shows that the leaf at `index` of the tree with this root is `leaf`."""
    if not (is_canonical(leaf) and 0 <= index < ARITY ** len(path)):
        return False
    current = leaf
    for level, siblings in enumerate(path):
        if len(siblings) != ARITY - 1 or not all(map(is_canonical, siblings)):
            return False
        digit = index >> 2 * level & 3
        children = (*siblings[:digit], current, *siblings[digit:])
        current = node(*children)
    return current == root
