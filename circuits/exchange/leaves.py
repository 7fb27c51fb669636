"""What a leaf of the state holds, kind by kind; `packing` says how each becomes three words.

Sizes are lots, prices ticks, notionals token units, times milliseconds, fractions parts per
million. A link to another leaf is a slot of the same market, or a whole address; 0 is no link.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum
from typing import NamedTuple

from circuits.edwards import Point
from circuits.exchange.units import NO_CASH, CashUnits
from circuits.poseidon2 import TAG_IDENTITY, PermuteMany, hash_each, hash_words

NO_KEY: Point = (0, 0)
"""Stands for "no key registered"; it is not on the curve, so no signature verifies against it."""

IDENTITIES_KEPT = 2**17
"""Identities that are not hashed again: one hash in plain Python costs as much as five commands."""

_identities: dict[tuple[Point, int], int] = {}


class AccountKind(IntEnum):
    """What an account is for; only a user's and the fee account's cash may be withdrawn."""

    USER = 0
    VAULT = 1
    INSURANCE = 2
    FEE = 3


class Side(IntEnum):
    """Which list an order rests in."""

    BID = 0
    ASK = 1


class MarketStatus(IntEnum):
    """What governance lets happen in a market; the breaker's halt is a bit of its own."""

    ACTIVE = 0
    REDUCE_ONLY = 1
    DELISTED = 2


class Mode(IntEnum):
    """What governance lets happen in the whole exchange."""

    NORMAL = 0
    CONSERVATIVE = 1
    FROZEN = 2


def identity_of(key: Point, owner: int) -> int:
    """H(key_x, key_y, owner), which stands in the header for both."""
    identity = _identities.get((key, owner))
    if identity is None:
        identity = hash_words(TAG_IDENTITY, (key[0], key[1], owner))
        _keep({(key, owner): identity})
    return identity


def hash_identities(accounts: Collection[Account], permute_many: PermuteMany) -> None:
    """Hash at once all identities of these accounts that are not known; `identity` then has them.

    Assumes: whoever needs them asks before the next call.
    """
    pairs = dict.fromkeys((account.key, account.owner) for account in accounts)
    missing = [pair for pair in pairs if pair not in _identities]
    words = [(key[0], key[1], owner) for key, owner in missing]
    hashed = dict(zip(missing, hash_each(TAG_IDENTITY, words, permute_many), strict=True))
    if len(_identities) + len(hashed) > IDENTITIES_KEPT:
        hashed |= {pair: _identities[pair] for pair in pairs if pair in _identities}
    _keep(hashed)


def _keep(identities: dict[tuple[Point, int], int]) -> None:
    """Remember these identities; when there are too many, these alone."""
    if len(_identities) + len(identities) > IDENTITIES_KEPT:
        _identities.clear()
    _identities.update(identities)


class Account(NamedTuple):
    """One account header. `positions` and `shares` are bitmaps of used slots, `orders` and
    `triggers` count what rests in the books, `referrer` is 0 for none.
    """

    owner: int
    key: Point = NO_KEY
    nonce: int = 0
    cash: CashUnits = NO_CASH
    kind: int = AccountKind.USER
    positions: int = 0
    orders: int = 0
    triggers: int = 0
    referrer: int = 0
    shares: int = 0

    @property
    def has_key(self) -> bool:
        """Whether a key is registered."""
        return self.key != NO_KEY

    @property
    def identity(self) -> int:
        """The hash of key and owner."""
        return identity_of(self.key, self.owner)

    @property
    def is_plain(self) -> bool:
        """Whether the account has nothing but cash, as the chips of margin batches expect."""
        return not any(self[4:])

    def with_key(self, key: Point) -> Account:
        """The account under another key."""
        return self._replace(key=key)

    def with_cash(self, cash: CashUnits) -> Account:
        """The account with another cash balance."""
        return self._replace(cash=cash)

    def with_nonce(self, nonce: int) -> Account:
        """The account with another last nonce."""
        return Account._make((*self[:2], nonce, *self[3:]))


class Position(NamedTuple):
    """A position; `entry_quote` is what it was bought for in token units, for reports and ranking
    alone. `previous` and `next` are addresses in the list of its market and direction.
    """

    market: int
    size: int
    entry_quote: int
    previous: int
    next: int


class AgentKey(NamedTuple):
    """A key that may trade for the account; revoked, it has no key but keeps its last nonce."""

    key_x: int
    key_y: int
    scope: int
    expiry_ms: int
    nonce: int

    @property
    def key(self) -> Point:
        """The point that signatures are checked against."""
        return self.key_x, self.key_y


class VaultShare(NamedTuple):
    """Shares that an account holds in a vault; `pending` of them wait in the redemption queue."""

    vault: int
    shares: int
    pending: int
    next: int


class VaultTerms(NamedTuple):
    """What a vault may risk, and how the liquidity vault quotes."""

    leverage_cap_ppm: int
    exposure_cap: int
    skew_cap: int
    epoch_ms: int
    unwind_ppm: int
    quote_spread_ppm: int
    quote_step_ppm: int
    quote_skew_ppm: int
    quote_size: int
    quote_layers: int


class VaultLedger(NamedTuple):
    """All shares of a vault, and the queue of those that wait for an epoch."""

    total_shares: int
    pending_shares: int
    queue_head: int
    queue_tail: int
    next_epoch_ms: int


class MarketTerms(NamedTuple):
    """What governance fixed for a market; the quote of one tick and lot can never change."""

    quote_per_tick_lot: int
    initial_ppm: int
    maintenance_ppm: int
    close_out_ppm: int
    withdraw_buffer_ppm: int
    liquidation_fee_ppm: int
    outlier_ppm: int
    band_ppm: int
    mark_band_ppm: int
    cooldown_ticks: int
    tier_1_notional: int
    tier_1_initial_ppm: int
    tier_1_maintenance_ppm: int
    tier_2_notional: int
    tier_2_initial_ppm: int
    tier_2_maintenance_ppm: int
    max_age_ms: int
    price_valid_ms: int
    interest_ppb: int
    funding_clamp_ppb: int
    funding_cap_ppb: int
    size_min: int
    open_interest_max: int


class MarketPrices(NamedTuple):
    """Prices, funding and the timers of what is due."""

    index_price: int
    mark_price: int
    price_time_ms: int
    valid_until_ms: int
    status: int
    halted: int
    cooldown_count: int
    pending: int
    funding_index: int
    premium_sum: int
    premium_samples: int
    next_sample_ms: int
    next_settlement_ms: int


class MarketBook(NamedTuple):
    """Heads of all lists of a market, and what they add up to."""

    best_bid: int = 0
    best_ask: int = 0
    last_trade: int = 0
    open_interest: int = 0
    long_head: int = 0
    short_head: int = 0
    long_count: int = 0
    short_count: int = 0
    order_count: int = 0
    mark_up: int = 0
    mark_down: int = 0
    last_up: int = 0
    last_down: int = 0


class Order(NamedTuple):
    """A resting order; `previous` stands before it in priority."""

    account: int
    key_slot: int
    nonce: int
    side: int
    price: int
    remaining: int
    good_until_ms: int
    reduce_only: int
    previous: int
    next: int


class Trigger(NamedTuple):
    """An order that waits for a price; `previous` fires before it."""

    account: int
    key_slot: int
    nonce: int
    side: int
    reduce_only: int
    time_in_force: int
    source: int
    direction: int
    trigger_price: int
    price: int
    size: int
    good_until_ms: int
    previous: int
    next: int


class FeeTerms(NamedTuple):
    """Fees of a fill, how they are split, and the accounts of the exchange itself."""

    taker_ppm: int
    maker_ppm: int
    referrer_share_ppm: int
    vault_share_ppm: int
    insurance_share_ppm: int
    fee_account: int
    insurance_account: int
    vault_account: int


class Controls(NamedTuple):
    """What governance switches for the whole exchange."""

    mode: int = Mode.NORMAL
    sequencer_epoch: int = 0
    quorum: int = 0
    signer_count: int = 0


class OracleSigner(NamedTuple):
    """A key that signs prices."""

    key_x: int
    key_y: int

    @property
    def key(self) -> Point:
        """The point that signatures are checked against."""
        return self.key_x, self.key_y


Leaf = (
    Account
    | Position
    | AgentKey
    | VaultShare
    | VaultTerms
    | VaultLedger
    | MarketTerms
    | MarketPrices
    | MarketBook
    | Order
    | Trigger
    | FeeTerms
    | Controls
    | OracleSigner
)
