"""How the state becomes one root: account headers as leaves of the sparse 4-ary tree."""

from __future__ import annotations

from collections.abc import Iterable

from circuits.exchange.limits import ACCOUNT_REGION, ACCOUNT_SLOTS, CASH_OFFSET, HEADER_SLOT
from circuits.exchange.state import Account, State
from circuits.merkle import SparseTree, TouchedNode
from circuits.poseidon2 import TAG_HEADER, PermuteMany, hash_each, hash_words, permute_each

EMPTY_LEAF = 0
"""What an absent account has for a header; no hash is known that yields it."""


def header_index(account_id: int) -> int:
    """The leaf address of an account's header."""
    return account_id * ACCOUNT_SLOTS + HEADER_SLOT


def header_leaf(identity: int, nonce: int, cash: int) -> int:
    """The leaf of a header from its three words."""
    return hash_words(TAG_HEADER, (identity, nonce, cash + CASH_OFFSET))


def account_leaf(account: Account | None) -> int:
    """The leaf of an account, or the empty leaf for none."""
    if account is None:
        return EMPTY_LEAF
    return header_leaf(account.identity, account.nonce, account.cash)


def account_leaves(
    state: State, account_ids: Iterable[int], permute_many: PermuteMany = permute_each
) -> dict[int, int]:
    """`account_leaf` of the named accounts, by the address of the leaf."""
    accounts = {account_id: state.accounts.get(account_id) for account_id in account_ids}
    headers = {
        header_index(account_id): (account.identity, account.nonce, account.cash + CASH_OFFSET)
        for account_id, account in accounts.items()
        if account is not None
    }
    leaves = {header_index(account_id): EMPTY_LEAF for account_id in accounts}
    hashes = hash_each(TAG_HEADER, list(headers.values()), permute_many)
    return leaves | dict(zip(headers, hashes, strict=True))


def update_tree(
    tree: SparseTree,
    state: State,
    account_ids: Iterable[int],
    permute_many: PermuteMany = permute_each,
) -> list[TouchedNode]:
    """Bring the named accounts of the tree to the state; the touched nodes, root first.

    Assumes: every account that differs between tree and state is named.
    """
    return tree.update_many(account_leaves(state, account_ids, permute_many), permute_many)


def build_tree(state: State, permute_many: PermuteMany = permute_each) -> SparseTree:
    """The tree of a whole state, hashed from nothing."""
    tree = SparseTree()
    update_tree(tree, state, state.accounts, permute_many)
    return tree


def account_region_root(tree: SparseTree) -> int:
    """The root of the region that holds all accounts."""
    return tree.region_roots()[ACCOUNT_REGION]
