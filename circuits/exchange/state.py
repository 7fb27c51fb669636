"""The state of the exchange: frozen accounts in a copy-on-write map, the clock, and custody."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from circuits.edwards import Point
from circuits.exchange.accounts import AccountMap
from circuits.exchange.units import NO_CASH, NO_UNITS, CashUnits, TokenUnits
from circuits.poseidon2 import TAG_IDENTITY, hash_words

NO_KEY: Point = (0, 0)
"""Stands for "no key registered"; it is not on the curve, so no signature verifies against it."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account header: who owns it, which key signs for it, its last nonce and its cash."""

    owner: int
    key: Point = NO_KEY
    nonce: int = 0
    cash: CashUnits = NO_CASH
    _identity: int | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def has_key(self) -> bool:
        """Whether a key is registered."""
        return self.key != NO_KEY

    @property
    def identity(self) -> int:
        """H(key_x, key_y, owner), hashed once and carried along while key and owner stay."""
        if self._identity is not None:
            return self._identity
        identity = hash_words(TAG_IDENTITY, (self.key[0], self.key[1], self.owner))
        object.__setattr__(self, "_identity", identity)
        return identity

    def with_key(self, key: Point) -> Account:
        """The account under another key."""
        return replace(self, key=key)

    def with_cash(self, cash: CashUnits) -> Account:
        """The account with another cash balance."""
        return self._keep_identity(replace(self, cash=cash))

    def with_nonce(self, nonce: int) -> Account:
        """The account with another last nonce."""
        return self._keep_identity(replace(self, nonce=nonce))

    def _keep_identity(self, changed: Account) -> Account:
        object.__setattr__(changed, "_identity", self._identity)
        return changed


@dataclass(frozen=True, slots=True)
class State:
    """Everything that the rules read, and nothing else.

    `time_ms` is the time of the last applied command, `step` how many commands the open batch
    holds, `custody` the token units that the L1 contracts hold for all accounts together.
    """

    domain: int
    time_ms: int = 0
    step: int = 0
    custody: TokenUnits = NO_UNITS
    accounts: AccountMap = field(default_factory=AccountMap)

    def with_account(self, account_id: int, account: Account) -> State:
        """The state with one account set or replaced."""
        return replace(self, accounts=self.accounts.with_account(account_id, account))

    def at_batch_start(self) -> State:
        """The state with its step counter back at zero, as a new batch finds it."""
        return replace(self, step=0)
