"""Published words read back: only what a batch can have published, and only in its one form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from circuits.exchange.errors import PubdataError
from circuits.exchange.leaves import Account
from circuits.exchange.limits import (
    ACCOUNT_BITS,
    AMOUNT_BITS,
    CASH_BITS,
    CASH_OFFSET,
    FUNDING_INDEX_BITS,
    MARKET_BITS,
    OWNER_BITS,
    PRICE_BITS,
    REGION_BITS,
)
from circuits.exchange.packing import BY_KIND, HEADER_BITS, header_fields
from circuits.exchange.places import kind_at
from circuits.exchange.pubdata import (
    FUNDING_INDEX_OFFSET,
    Counts,
    Published,
    PublishedAccount,
    PublishedLeaf,
    PublishedMarket,
    PublishedWithdrawal,
)
from circuits.exchange.requests import parse_request, require_account, split
from circuits.exchange.units import CashUnits, TokenUnits
from circuits.field import is_canonical
from circuits.statement import ACCOUNT_WORDS, QUEUE_WORDS, WITHDRAWAL_WORDS, Statement

MARKET_WORDS = 2
LEAF_WORDS = 4
TAG_BITS = 8

Entry = TypeVar("Entry")
Parse = Callable[[Sequence[int], int], Entry]


def parse_pubdata(words: Sequence[int], counts: Counts) -> Published:
    """The published words of one batch, read back.

    Raises: PubdataError naming the word, for a wrong number of words or a value out of range.
    """
    reader = _Reader(words, counts)
    requests = reader.section(counts.requests, QUEUE_WORDS, parse_request)
    withdrawals = reader.section(counts.withdrawals, WITHDRAWAL_WORDS, _parse_withdrawal)
    accounts = reader.section(counts.accounts, ACCOUNT_WORDS, _parse_account, "an account")
    leaves = reader.leaves(counts.leaves)
    markets = reader.section(counts.markets, MARKET_WORDS, _parse_market, "a market")
    return Published(requests, withdrawals, accounts, leaves, markets)


def published_of(statement: Statement) -> Published:
    """What a batch published, read from its statement.

    Raises: PubdataError naming the word, or for words that no statement can carry.
    """
    counts = Counts(statement.queue_count, statement.withdrawal_count, statement.account_count)
    published = parse_pubdata(statement.pubdata, counts)
    if not published.is_plain:
        expected = "deposits, keys, withdrawals and accounts with nothing but cash"
        raise PubdataError("published words", expected, "more than that")
    return published


class _Reader:
    """Takes one section after the other off the words."""

    def __init__(self, words: Sequence[int], counts: Counts) -> None:
        fixed = (
            QUEUE_WORDS * counts.requests
            + WITHDRAWAL_WORDS * counts.withdrawals
            + ACCOUNT_WORDS * counts.accounts
            + MARKET_WORDS * counts.markets
        )
        least, most = fixed + counts.leaves, fixed + LEAF_WORDS * counts.leaves
        if min(counts) < 0 or not least <= len(words) <= most:
            expected = f"{least} words" if least == most else f"{least} to {most} words"
            raise PubdataError("published words", expected, f"{len(words)} words")
        for position, word in enumerate(words):
            if not is_canonical(word):
                raise PubdataError(f"word {position}", "a field element below r", word)
        self._words = words
        self._position = 0
        # Where the leaves, whose length only their heads say, must end.
        self._leaves_end = len(words) - MARKET_WORDS * counts.markets

    def section(
        self, count: int, width: int, parse: Parse[Entry], ordered: str = ""
    ) -> tuple[Entry, ...]:
        """As many entries of one width; `ordered` names what their first field increases over."""
        entries: list[Any] = []
        for _ in range(count):
            start = self._position
            entry: Any = parse(self._words[start : start + width], start)
            if ordered and entries and entry[0] <= entries[-1][0]:
                raise PubdataError(f"word {start}", f"{ordered} above {entries[-1][0]}", entry[0])
            entries.append(entry)
            self._position += width
        return tuple(entries)

    def leaves(self, count: int) -> tuple[PublishedLeaf, ...]:
        """The leaves that are no headers; they must end where the markets begin."""
        leaves: list[PublishedLeaf] = []
        for _ in range(count):
            start = self._position
            leaf, width = self._leaf(start)
            if leaves and leaf.address <= leaves[-1].address:
                expected = f"an address above {leaves[-1].address}"
                raise PubdataError(f"word {start}", expected, leaf.address)
            leaves.append(leaf)
            self._position += width
        if self._position != self._leaves_end:
            place = f"word {self._position}"
            raise PubdataError(place, f"the end of {count} leaves", "more words")
        return tuple(leaves)

    def _leaf(self, start: int) -> tuple[PublishedLeaf, int]:
        if start >= self._leaves_end:
            raise PubdataError(f"word {start}", "another leaf", "the end of the leaves")
        address, tag = split(self._words[start], (REGION_BITS, TAG_BITS), start)
        kind = kind_at(address)
        if kind is None or kind is Account:
            expected = "the address of a leaf of an account, not of its header"
            raise PubdataError(f"word {start}", expected, address)
        if tag == 0:
            return PublishedLeaf(address, None), 1
        packing = BY_KIND[kind]
        if tag != packing.tag:
            expected = f"tag {packing.tag} or none at address {address}"
            raise PubdataError(f"word {start}", expected, tag)
        if start + LEAF_WORDS > self._leaves_end:
            raise PubdataError(f"word {start}", f"{LEAF_WORDS - 1} more words", "fewer")
        first, second, third = self._words[start + 1 : start + LEAF_WORDS]
        leaf = packing.unpack((first, second, third), f"words {start + 1} to {start + 3}")
        return PublishedLeaf(address, leaf), LEAF_WORDS


def _parse_withdrawal(words: Sequence[int], start: int) -> PublishedWithdrawal:
    owner, amount = split(words[0], (OWNER_BITS, AMOUNT_BITS), start)
    return PublishedWithdrawal(owner, TokenUnits(amount))


def _parse_account(words: Sequence[int], start: int) -> PublishedAccount:
    account_id, word = split(words[0], (ACCOUNT_BITS, HEADER_BITS), start)
    require_account(account_id, start)
    (packed_cash,) = split(words[1], (CASH_BITS + 1,), start + 1)
    fields = header_fields(word, f"word {start}")
    return PublishedAccount(
        account_id=account_id,
        cash=CashUnits(packed_cash - CASH_OFFSET),
        identity=words[2],
        **fields,
    )


def _parse_market(words: Sequence[int], start: int) -> PublishedMarket:
    market, index_price, mark_price = split(words[0], (MARKET_BITS, PRICE_BITS, PRICE_BITS), start)
    (funding_index,) = split(words[1], (FUNDING_INDEX_BITS + 1,), start + 1)
    return PublishedMarket(market, index_price, mark_price, funding_index - FUNDING_INDEX_OFFSET)
