"""Sparse 4-ary Merkle tree with batched updates that share their inner nodes.

Levels count from the leaves: leaves are level 0, the root is level `levels`. The digit of a leaf
index in base 4 picks the child, most significant digit at the root. An empty leaf is 0.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from circuits.errors import TreeError
from circuits.field import is_canonical
from circuits.poseidon2 import PermuteMany, node, node_each, permute_each

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


def _children_of(subtree: Any) -> tuple[Any, ...]:
    return _NO_CHILDREN if subtree is None else subtree[1]


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
        return _hashes_of(_children_of(self._root), self.levels - 1)

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
            children = _children_of(subtree)
            hashes = _hashes_of(children, level - 1)
            first, second, third = hashes[:digit] + hashes[digit + 1 :]
            siblings.append((first, second, third))
            subtree = children[digit]
        return tuple(reversed(siblings))

    def update_many(
        self, leaves: Mapping[int, int], permute_many: PermuteMany = permute_each
    ) -> list[TouchedNode]:
        """Set leaves and list every inner node above them once, the root first.

        Leaves that keep their value are touched too: a batch proves what it reads. The order is
        by falling level, then by rising index.
        Raises: TreeError for an index outside the tree or a value that is no field element;
        nothing is changed then.
        Cost: one permutation per node whose children changed; `permute_many` is given those of
        one level at once.
        """
        for index, leaf in leaves.items():
            self._require_index(index)
            if not is_canonical(leaf):
                raise TreeError(f"leaf {index}", "a field element below r", leaf)
        if not leaves:
            return []
        levels = []
        replaced: dict[int, Any] = {index: leaf or None for index, leaf in leaves.items()}
        for level, subtrees in enumerate(self._subtrees_above(leaves), start=1):
            touched, replaced = _rehash(level, subtrees, replaced, permute_many)
            levels.append(touched)
        self._root = replaced[0]
        return [entry for touched in reversed(levels) for entry in touched]

    def _subtrees_above(self, leaves: Iterable[int]) -> list[dict[int, Any]]:
        """By level from 1 up: the nodes above the leaves, by rising index."""
        indices = sorted({index // ARITY for index in leaves})
        by_level = [indices]
        while len(by_level) < self.levels:
            indices = list(dict.fromkeys(index // ARITY for index in indices))
            by_level.append(indices)
        subtrees = [{0: self._root}]
        for indices in reversed(by_level[:-1]):
            above = subtrees[-1]
            subtrees.append(
                {index: _children_of(above[index // ARITY])[index % ARITY] for index in indices}
            )
        return subtrees[::-1]

    @staticmethod
    def _digit(index: int, level: int) -> int:
        return index >> 2 * (level - 1) & 3

    def _require_index(self, index: int) -> None:
        if not 0 <= index < ARITY**self.levels:
            raise TreeError("leaf index", f"a number below 4**{self.levels}", index)


def _rehash(
    level: int, subtrees: Mapping[int, Any], replaced: Mapping[int, Any], permute_many: PermuteMany
) -> tuple[list[TouchedNode], dict[int, Any]]:
    """The touched nodes of one level and their new subtrees, from those of the level below."""
    after = {}
    children = {}
    for index, subtree in subtrees.items():
        old = _children_of(subtree)
        new = tuple(replaced.get(ARITY * index + digit, old[digit]) for digit in range(ARITY))
        after[index] = new
        children[index] = (_hashes_of(old, level - 1), _hashes_of(new, level - 1))
    changed = {index: new for index, (old, new) in children.items() if new != old}
    hashes = dict(zip(changed, node_each(list(changed.values()), permute_many), strict=True))
    touched = []
    made: dict[int, Any] = {}
    for index, subtree in subtrees.items():
        old_hash = _hash_of(subtree, level)
        new_hash = hashes.get(index, old_hash)
        touched.append(TouchedNode(level, index, *children[index], old_hash, new_hash))
        is_empty = all(child is None for child in after[index])
        made[index] = None if is_empty else (new_hash, after[index])
    return touched, made


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
