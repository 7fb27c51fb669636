"""What an applied command did, with everything that a witness needs; one event per command."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from circuits.exchange.state import Account, Point
    from circuits.exchange.transactions.transfer import Transfer
    from circuits.exchange.transactions.withdraw import Withdraw
    from circuits.exchange.units import TokenUnits
    from circuits.signature import Signature


class Kind(IntEnum):
    """Codes of the command kinds in digests, queue entries, published words and the journal."""

    DEPOSIT = 1
    REGISTER_KEY = 2
    TRANSFER = 3
    WITHDRAW = 4


class Outcome(IntEnum):
    """What became of a queued command; a signed one is applied or not part of a batch at all."""

    APPLIED = 0
    INVALID_KEY = 1


@dataclass(frozen=True, slots=True)
class Deposited:
    """A deposit was credited; `before` is None when it created the account.

    Units: `step` is the 1-based position of the command in its batch, in every event.
    """

    step: int
    time_ms: int
    account_id: int
    owner: int
    amount: TokenUnits
    before: Account | None
    after: Account


@dataclass(frozen=True, slots=True)
class KeyRegistered:
    """A key request was consumed; with outcome INVALID_KEY nothing changed or was created.

    `key_x`, `key_y` are as requested, `cleared_key` is 8 times that point, or None if invalid.
    """

    step: int
    time_ms: int
    account_id: int
    owner: int
    key_x: int
    key_y: int
    cleared_key: Point | None
    before: Account | None
    after: Account | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Transferred:
    """A signed transfer moved cash; the sender's nonce rose, the recipient's stayed."""

    step: int
    time_ms: int
    transaction: Transfer
    signature: Signature
    digest: int
    sender_before: Account
    sender_after: Account
    recipient_before: Account
    recipient_after: Account


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A signed withdrawal took cash out, payable on L1 to the account's owner."""

    step: int
    time_ms: int
    transaction: Withdraw
    signature: Signature
    digest: int
    before: Account
    after: Account


Event = Deposited | KeyRegistered | Transferred | Withdrawn


class Observer(Protocol):
    """Receives the event of each applied command, in order, after the rules accepted it."""

    def record(self, event: Event) -> None:
        """Take one event."""


class NullObserver:
    """Ignores every event: the live engine needs none."""

    def record(self, event: Event) -> None:
        """Take one event and forget it."""


NULL_OBSERVER = NullObserver()
