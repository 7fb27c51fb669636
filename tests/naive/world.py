"""What the second implementation remembers: plain records in plain dictionaries.

Records never change, so a copy of the dictionaries is a copy of everything.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from circuits.exchange.errors import RejectReason
from circuits.exchange.leaves import FeeTerms, MarketTerms, VaultTerms

Name = tuple[int, int, int]
"""Account, key slot and nonce of an order."""

BID, ASK = 0, 1
ACTIVE, REDUCE_ONLY, DELISTED = 0, 1, 2
NORMAL, CONSERVATIVE, FROZEN = 0, 1, 2
USER, VAULT, INSURANCE, FEE = 0, 1, 2, 3


class Refused(Exception):
    """A rule says no."""

    def __init__(self, reason: RejectReason) -> None:
        super().__init__(reason)
        self.reason = reason


def require(holds: bool, reason: RejectReason) -> None:
    if not holds:
        raise Refused(reason)


class Holder(NamedTuple):
    """An account."""

    owner: int
    key: tuple[int, int] | None = None
    nonce: int = 0
    kind: int = USER
    referrer: int = 0


class Agent(NamedTuple):
    """A key that trades for an account; None once it is revoked."""

    key: tuple[int, int] | None
    scope: int
    expiry_ms: int
    nonce: int


class Lot(NamedTuple):
    """Lots bought (or, if negative, sold) in one trade and not closed since.

    Units: price in ticks, funding in USDC that one lot had paid by then.
    """

    size: int
    price: int
    funding: Fraction


class Holding(NamedTuple):
    """A position: its open lots, oldest first; `since` counts up with every opening or flip."""

    lots: tuple[Lot, ...]
    entry_quote: int
    place: int
    since: int

    @property
    def size(self) -> int:
        return sum(lot.size for lot in self.lots)


class Resting(NamedTuple):
    """An order in a book."""

    name: Name
    slot: int
    arrival: int
    side: int
    price: int
    remaining: int
    good_until_ms: int
    reduce_only: int


class Waiting(NamedTuple):
    """A trigger."""

    name: Name
    slot: int
    arrival: int
    source: int
    direction: int
    trigger_price: int
    side: int
    reduce_only: int
    time_in_force: int
    price: int
    size: int
    good_until_ms: int


class Market(NamedTuple):
    """A market; `premiums` are the samples of the running funding period, in ticks."""

    terms: MarketTerms
    next_sample_ms: int
    next_settlement_ms: int
    index: int = 0
    mark: int = 0
    price_time_ms: int = 0
    valid_until_ms: int = 0
    status: int = ACTIVE
    is_halted: bool = False
    cooldown: int = 0
    pending: int = 0
    funding: Fraction = Fraction(0)
    premiums: tuple[int, ...] = ()
    last_trade: int = 0

    @property
    def quote(self) -> Fraction:
        """USDC that one lot is worth for each tick."""
        return quote_of(self.terms.quote_per_tick_lot)


@cache
def quote_of(token_units: int) -> Fraction:
    return Fraction(token_units, 10**6)


class Stake(NamedTuple):
    """Shares of a vault; `pending` of them wait to be paid."""

    shares: int
    pending: int
    place: int


class Vault(NamedTuple):
    """Terms, and the holders that wait, first come first."""

    terms: VaultTerms
    next_epoch_ms: int
    queue: tuple[int, ...] = ()


class Fill(NamedTuple):
    """One trade, in a book or forced on two accounts."""

    market: int
    price: int
    size: int
    taker: int
    maker: int


@dataclass
class World:
    """Everything there is."""

    now: int = 0
    mode: int = NORMAL
    sequencer_epoch: int = 0
    quorum: int = 0
    signers: tuple[tuple[int, int], ...] = ()
    fees: FeeTerms | None = None
    arrivals: int = 0
    balances: dict[Any, Fraction] = field(default_factory=dict)
    posting_count: int = 0
    accounts: dict[int, Holder] = field(default_factory=dict)
    agents: dict[tuple[int, int], Agent] = field(default_factory=dict)
    holdings: dict[tuple[int, int], Holding] = field(default_factory=dict)
    books: dict[int, tuple[Resting, ...]] = field(default_factory=dict)
    triggers: dict[int, tuple[Waiting, ...]] = field(default_factory=dict)
    markets: dict[int, Market] = field(default_factory=dict)
    stakes: dict[tuple[int, int], Stake] = field(default_factory=dict)
    vaults: dict[int, Vault] = field(default_factory=dict)
    fills: tuple[Fill, ...] = ()
    postings: list[tuple[Any, Any, Fraction]] = field(default_factory=list)

    def snapshot(self) -> dict[str, Any]:
        """Everything as it is now; postings are only ever added, so their count will do."""
        kept = {name: copy(value) for name, value in vars(self).items() if name != "postings"}
        return kept | {"posting_count": len(self.postings)}

    def restore(self, kept: dict[str, Any]) -> None:
        """Go back; a snapshot serves more than once."""
        for name, value in kept.items():
            setattr(self, name, copy(value))
        del self.postings[kept["posting_count"] :]

    def arrival(self) -> int:
        """A number above all that were given before."""
        self.arrivals += 1
        return self.arrivals

    def account(self, account: int, missing: RejectReason) -> Holder:
        """The account, which must exist."""
        require(account in self.accounts, missing)
        return self.accounts[account]

    def change_account(self, account: int, **changes: Any) -> None:
        self.accounts[account] = self.accounts[account]._replace(**changes)

    def market(self, market: int) -> Market:
        """The market, which must be listed."""
        require(market in self.markets, RejectReason.UNKNOWN_MARKET)
        return self.markets[market]

    def change_market(self, market: int, **changes: Any) -> None:
        self.markets[market] = self.markets[market]._replace(**changes)

    def size(self, account: int, market: int) -> int:
        """The position, 0 for none."""
        holding = self.holdings.get((account, market))
        return holding.size if holding else 0

    def markets_of(self, account: int) -> list[int]:
        """Where the account has positions."""
        return [market for market in self.markets if (account, market) in self.holdings]

    def open_interest(self, market: int) -> int:
        """All that is long."""
        sizes = [each.size for (_, where), each in self.holdings.items() if where == market]
        return sum(size for size in sizes if size > 0)

    def is_vault(self, account: int) -> bool:
        return account in self.vaults
