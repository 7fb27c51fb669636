"""How the state becomes one root: every leaf is a hash in the sparse 4-ary tree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import cast

from circuits.exchange.leaves import Account, Leaf, hash_identities
from circuits.exchange.limits import ACCOUNT_REGION, CASH_OFFSET
from circuits.exchange.packing import BY_KIND, Words, header_word, words_of
from circuits.exchange.state import State
from circuits.merkle import SparseTree, TouchedNode
from circuits.poseidon2 import TAG_HEADER, PermuteMany, hash_each, hash_words, permute_each

EMPTY_LEAF = 0
"""What stands where there is no leaf; no hash is known that yields it."""


def header_leaf(identity: int, word: int, cash: int) -> int:
    """The leaf of a header; with nothing but cash in the account, its word is the nonce."""
    return hash_words(TAG_HEADER, (identity, word, cash + CASH_OFFSET))


def leaf_words(leaf: Leaf) -> Words:
    """The three words that a leaf's hash is over."""
    if type(leaf) is Account:
        return leaf.identity, header_word(leaf), leaf.cash + CASH_OFFSET
    return words_of(leaf)


def tag_of(leaf: Leaf) -> int:
    """The domain tag of a leaf's hash, by its kind."""
    return TAG_HEADER if type(leaf) is Account else BY_KIND[type(leaf)].tag


def leaf_hash(leaf: Leaf | None) -> int:
    """What stands in the tree for a leaf, or for none."""
    return EMPTY_LEAF if leaf is None else hash_words(tag_of(leaf), leaf_words(leaf))


def hash_leaves(
    leaves: Mapping[int, Leaf | None], permute_many: PermuteMany = permute_each
) -> dict[int, int]:
    """`leaf_hash` of each leaf by its address."""
    accounts = [leaf for leaf in leaves.values() if type(leaf) is Account]
    hash_identities(accounts, permute_many)
    words = {
        address: (tag_of(leaf), leaf_words(leaf))
        for address, leaf in leaves.items()
        if leaf is not None
    }
    return dict.fromkeys(leaves, EMPTY_LEAF) | hash_words_each(words, permute_many)


def hash_words_each(
    words: Mapping[int, tuple[int, Words]], permute_many: PermuteMany = permute_each
) -> dict[int, int]:
    """The hash of each leaf by its address, from its tag and words."""
    by_tag: dict[int, list[int]] = defaultdict(list)
    for address, (tag, _) in words.items():
        by_tag[tag].append(address)
    hashes: dict[int, int] = {}
    for tag, addresses in by_tag.items():
        hashed = hash_each(tag, [words[address][1] for address in addresses], permute_many)
        hashes.update(zip(addresses, hashed, strict=True))
    return hashes


def leaves_of(state: State, addresses: Iterable[int]) -> dict[int, Leaf | None]:
    """The leaves that stand at these addresses, None where there is none."""
    entries = state.leaves.entries()
    return {address: entries.get(address) for address in addresses}


def update_tree(
    tree: SparseTree,
    state: State,
    addresses: Iterable[int],
    permute_many: PermuteMany = permute_each,
) -> list[TouchedNode]:
    """Bring the leaves at these addresses to the state; the touched nodes, root first.

    Assumes: the address of every leaf that differs between tree and state is named.
    """
    hashes = hash_leaves(leaves_of(state, addresses), permute_many)
    return tree.update_many(hashes, permute_many)


def build_tree(state: State, permute_many: PermuteMany = permute_each) -> SparseTree:
    """The tree of a whole state, hashed from nothing.

    Cost: some ten seconds for 100,000 accounts with compiled permutations on two cores.
    """
    tree = SparseTree()
    leaves = cast(Mapping[int, Leaf | None], state.leaves.entries())
    tree.update_many(hash_leaves(leaves, permute_many), permute_many)
    return tree


def account_region_root(tree: SparseTree) -> int:
    """The root of the region that holds all accounts."""
    return tree.region_roots()[ACCOUNT_REGION]
