"""The state of the exchange: frozen leaves by address, the clock, and custody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import cast

from circuits.exchange.addresses import account_of, header_address
from circuits.exchange.leaf_map import LeafMap
from circuits.exchange.leaves import Account
from circuits.exchange.limits import ACCOUNT_FIRST, ACCOUNT_MAX
from circuits.exchange.units import NO_UNITS, TokenUnits


@dataclass(frozen=True, slots=True)
class Accounts:
    """The headers of a state, by account id."""

    leaves: LeafMap

    def get(self, account_id: int) -> Account | None:
        """The account, or None where there is none; any integer may be asked for."""
        if not ACCOUNT_FIRST <= account_id <= ACCOUNT_MAX:
            return None
        return cast(Account | None, self.leaves.get(header_address(account_id)))

    def items(self) -> Iterator[tuple[int, Account]]:
        """All accounts in increasing order of their id."""
        for address, leaf in self.leaves.items():
            if type(leaf) is Account:
                yield account_of(address), leaf

    def __iter__(self) -> Iterator[int]:
        return (account_id for account_id, _ in self.items())

    def __len__(self) -> int:
        return sum(type(leaf) is Account for leaf in self.leaves.entries().values())


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
    leaves: LeafMap = field(default_factory=LeafMap)

    @property
    def accounts(self) -> Accounts:
        """The headers of all accounts."""
        return Accounts(self.leaves)

    def with_account(self, account_id: int, account: Account) -> State:
        """The state with one account set or replaced.

        Raises: ValueError for an id that no account can have.
        """
        if not ACCOUNT_FIRST <= account_id <= ACCOUNT_MAX:
            raise ValueError(
                f"account id: expected {ACCOUNT_FIRST}..{ACCOUNT_MAX}, got {account_id}"
            )
        return replace(self, leaves=self.leaves.with_changes({header_address(account_id): account}))

    def at_batch_start(self) -> State:
        """The state with its step counter back at zero, as a new batch finds it."""
        return replace(self, step=0)
