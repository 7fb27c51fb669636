"""The whole account region, leaf by leaf, from the words that batches published."""

from __future__ import annotations

from circuits.exchange.addresses import header_address
from circuits.exchange.commit import EMPTY_LEAF, hash_words_each, leaf_words, tag_of
from circuits.exchange.errors import PubdataError
from circuits.exchange.leaves import Leaf
from circuits.exchange.limits import ACCOUNT_REGION, CASH_OFFSET
from circuits.exchange.packing import Words
from circuits.exchange.pubdata import Published, PublishedAccount
from circuits.merkle import SparseTree
from circuits.poseidon2 import TAG_HEADER, PermuteMany, permute_each


class AccountRegion:
    """What anybody can know: every header, every other leaf of an account, and their root."""

    def __init__(self) -> None:
        self._accounts: dict[int, PublishedAccount] = {}
        self._leaves: dict[int, Leaf] = {}
        self._tree = SparseTree()

    @property
    def accounts(self) -> dict[int, PublishedAccount]:
        """The headers by account, in increasing order."""
        return dict(sorted(self._accounts.items()))

    @property
    def leaves(self) -> dict[int, Leaf]:
        """All other leaves by address, in increasing order."""
        return dict(sorted(self._leaves.items()))

    @property
    def root(self) -> int:
        """The root of the region, which is a public word of the batch taken last."""
        return self._tree.region_roots()[ACCOUNT_REGION]

    def take(self, published: Published, permute_many: PermuteMany = permute_each) -> None:
        """Bring the region to where a batch left it; batches come in their order.

        Raises: PubdataError for a leaf that is as it was, which no batch publishes.
        """
        for address, leaf in published.leaves:
            if self._leaves.get(address) == leaf:
                raise PubdataError(f"leaf {address}", "a leaf that changed", "one that did not")
        words: dict[int, tuple[int, Words]] = {}
        hashes: dict[int, int] = {}
        for account in published.accounts:
            self._accounts[account.account_id] = account
            words[header_address(account.account_id)] = (
                TAG_HEADER,
                (account.identity, account.header_word, account.cash + CASH_OFFSET),
            )
        for address, leaf in published.leaves:
            if leaf is None:
                del self._leaves[address]
                hashes[address] = EMPTY_LEAF
            else:
                self._leaves[address] = leaf
                words[address] = (tag_of(leaf), leaf_words(leaf))
        hashes |= hash_words_each(words, permute_many)
        self._tree.update_many(hashes, permute_many)
