"""The words that a batch publishes, written from its events.

Sections, in this order, all words below r
    queue        4 words per consumed L1 request, as `requests` says
    withdrawals  1 word each: owner and amount
    accounts     3 words per touched account, by increasing id: account and the header's second
                 word, which is the nonce of an account with nothing but cash; cash; identity
    leaves       per changed leaf of the account region that is no header, by increasing address:
                 address and tag, then its 3 words; the address alone if the leaf is gone
    markets      2 words per market with changed prices: market, index and mark; funding index

A batch of deposits, keys, transfers and withdrawals has no leaves and no markets, and is what the
chips prove today.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from circuits.exchange.addresses import account_of, header_address, market_of
from circuits.exchange.commit import leaf_words, tag_of
from circuits.exchange.errors import PubdataError
from circuits.exchange.events import (
    Deposited,
    Event,
    Executed,
    KeyRegistered,
    Outcome,
    Transferred,
    Withdrawn,
)
from circuits.exchange.fields import kind_of
from circuits.exchange.leaves import Account, Leaf, MarketPrices, hash_identities
from circuits.exchange.limits import (
    ACCOUNT_BITS,
    ACCOUNT_REGION,
    ACCOUNT_SLOTS,
    CASH_OFFSET,
    FUNDING_INDEX_BITS,
    HEADER_SLOT,
    MARKET_BITS,
    NONCE_BITS,
    OWNER_BITS,
    PRICE_BITS,
    REGION_BITS,
)
from circuits.exchange.packing import header_word
from circuits.exchange.requests import MARGIN_REQUESTS, PublishedRequest, published_request
from circuits.exchange.state import State
from circuits.exchange.steps import PaidOut
from circuits.exchange.units import CashUnits, TokenUnits
from circuits.poseidon2 import PermuteMany, permute_each

FUNDING_INDEX_OFFSET = 2**FUNDING_INDEX_BITS
"""Added to a funding index, so that its word is never negative."""


@dataclass(frozen=True, slots=True)
class PublishedWithdrawal:
    """Collateral that the owner may claim on L1."""

    owner: int
    amount: TokenUnits

    @property
    def word(self) -> int:
        """The published word."""
        return self.owner | self.amount << OWNER_BITS


class PublishedAccount(NamedTuple):
    """The header of a touched account as the batch left it; all but the owner and key, for which
    the identity stands.
    """

    account_id: int
    nonce: int
    cash: CashUnits
    identity: int
    positions: int = 0
    kind: int = 0
    orders: int = 0
    triggers: int = 0
    referrer: int = 0
    shares: int = 0

    @property
    def header_word(self) -> int:
        """The second word of the header."""
        return header_word(self)

    @property
    def words(self) -> tuple[int, int, int]:
        """The published words."""
        head = self.account_id | self.header_word << ACCOUNT_BITS
        return head, self.cash + CASH_OFFSET, self.identity


class PublishedLeaf(NamedTuple):
    """A changed leaf that is no header; without a leaf, it is gone."""

    address: int
    leaf: Leaf | None

    @property
    def words(self) -> tuple[int, ...]:
        """The published words."""
        if self.leaf is None:
            return (self.address,)
        return self.address | tag_of(self.leaf) << REGION_BITS, *leaf_words(self.leaf)


class PublishedMarket(NamedTuple):
    """The prices of a market as the batch left them."""

    market: int
    index_price: int
    mark_price: int
    funding_index: int

    @property
    def words(self) -> tuple[int, int]:
        """The published words."""
        head = (
            self.market
            | self.index_price << MARKET_BITS
            | self.mark_price << (MARKET_BITS + PRICE_BITS)
        )
        return head, self.funding_index + FUNDING_INDEX_OFFSET


class Counts(NamedTuple):
    """How many entries each section has, which its words do not say."""

    requests: int
    withdrawals: int
    accounts: int
    leaves: int = 0
    markets: int = 0


@dataclass(frozen=True, slots=True)
class Published:
    """All that one batch publishes."""

    requests: tuple[PublishedRequest, ...]
    withdrawals: tuple[PublishedWithdrawal, ...]
    accounts: tuple[PublishedAccount, ...]
    leaves: tuple[PublishedLeaf, ...] = ()
    markets: tuple[PublishedMarket, ...] = ()

    @property
    def counts(self) -> Counts:
        """What a reader of the words must be told."""
        sections = (self.requests, self.withdrawals, self.accounts, self.leaves, self.markets)
        return Counts(*map(len, sections))

    @property
    def words(self) -> tuple[int, ...]:
        """The sections one after the other."""
        return (
            *(word for request in self.requests for word in request.words),
            *(withdrawal.word for withdrawal in self.withdrawals),
            *(word for account in self.accounts for word in account.words),
            *(word for leaf in self.leaves for word in leaf.words),
            *(word for market in self.markets for word in market.words),
        )

    @property
    def is_plain(self) -> bool:
        """Whether the words have a place in a statement, which counts the first three sections."""
        return (
            not self.leaves
            and not self.markets
            and all(request.kind in MARGIN_REQUESTS for request in self.requests)
            and all(not account.header_word >> NONCE_BITS for account in self.accounts)
        )

    @property
    def deposit_total(self) -> int:
        """Token units that the requests brought in."""
        return sum(request.brought_in for request in self.requests)

    @property
    def withdrawal_total(self) -> int:
        """Token units that the withdrawals take out."""
        return sum(withdrawal.amount for withdrawal in self.withdrawals)


def touched_addresses(event: Event) -> Iterable[int]:
    """The addresses whose leaves a command wrote; a refused key touches none."""
    if isinstance(event, Executed):
        return event.before.keys()
    if isinstance(event, Transferred):
        return header_address(event.transaction.account), header_address(event.transaction.to)
    if isinstance(event, Withdrawn):
        return (header_address(event.transaction.account),)
    if isinstance(event, Deposited) or event.outcome is Outcome.APPLIED:
        return (header_address(event.account_id),)
    return ()


def publish(
    events: Iterable[Event], state: State, permute_many: PermuteMany = permute_each
) -> Published:
    """What the batch of these events publishes.

    Assumes: `state` is the state after the last event.
    """
    requests: list[PublishedRequest] = []
    withdrawals: list[PublishedWithdrawal] = []
    before: dict[int, Leaf | None] = {}
    for event in events:
        if isinstance(event, Executed):
            for address, leaf in event.before.items():
                before.setdefault(address, leaf)
            withdrawals += _paid_out(event)
            if kind_of(event.body).is_queued:
                requests.append(published_request(event))
            continue
        for address in touched_addresses(event):
            before.setdefault(address, None)  # a header: published even if it is as before
        if isinstance(event, Deposited | KeyRegistered):
            requests.append(published_request(event))
        elif isinstance(event, Withdrawn):
            withdrawals.append(PublishedWithdrawal(event.after.owner, event.transaction.amount))
    entries = state.leaves.entries()
    headers: dict[int, Account] = {}
    leaves: list[PublishedLeaf] = []
    markets: list[PublishedMarket] = []
    for address in sorted(before):
        leaf, region = entries.get(address), address >> REGION_BITS
        if region == ACCOUNT_REGION and address % ACCOUNT_SLOTS == HEADER_SLOT:
            headers[account_of(address)] = _header(address, leaf)
        elif leaf == before[address]:
            continue
        elif region == ACCOUNT_REGION:
            leaves.append(PublishedLeaf(address, leaf))
        elif type(leaf) is MarketPrices:
            markets.append(_published_market(market_of(address), leaf))
    hash_identities(headers.values(), permute_many)
    return Published(
        tuple(requests),
        tuple(withdrawals),
        tuple(published_account(*entry) for entry in headers.items()),
        tuple(leaves),
        tuple(markets),
    )


def published_account(account_id: int, account: Account) -> PublishedAccount:
    """What is published about an account."""
    return PublishedAccount(
        account_id,
        account.nonce,
        account.cash,
        account.identity,
        account.positions,
        account.kind,
        account.orders,
        account.triggers,
        account.referrer,
        account.shares,
    )


def _header(address: int, leaf: Leaf | None) -> Account:
    if type(leaf) is not Account:
        place = f"account {account_of(address)}"
        raise PubdataError(place, "an account that a command touched", "none")
    return leaf


def _published_market(market: int, prices: MarketPrices) -> PublishedMarket:
    return PublishedMarket(market, prices.index_price, prices.mark_price, prices.funding_index)


def _paid_out(event: Executed) -> list[PublishedWithdrawal]:
    """What a command that no key signed takes out."""
    return [
        PublishedWithdrawal(step.owner, TokenUnits(step.amount))
        for step in event.steps
        if type(step) is PaidOut
    ]
