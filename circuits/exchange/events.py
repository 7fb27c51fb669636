"""What an applied command did, with everything that a witness needs; one event per command."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from circuits.exchange.steps import Step

if TYPE_CHECKING:
    from circuits.edwards import Point
    from circuits.exchange.bodies import Body
    from circuits.exchange.errors import RejectReason
    from circuits.exchange.leaves import Account, Leaf
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
    FORCED_WITHDRAW = 5
    FORCED_CLOSE = 6
    FORCED_CANCEL_ALL = 7
    REQUEST_LIQUIDATION = 8
    VAULT_DEPOSIT = 9
    VAULT_REDEEM = 10
    LIST_MARKET = 16
    UPDATE_MARKET = 17
    SET_ORACLE_SIGNERS = 18
    SET_FEES = 19
    SET_VAULT = 20
    SET_MODE = 21
    ROTATE_SEQUENCER = 22
    PLACE = 32
    CANCEL = 33
    CANCEL_ALL = 34
    MODIFY = 35
    BATCH = 36
    PLACE_TRIGGER = 37
    SET_AGENT = 38
    REVOKE_AGENT = 39
    SET_REFERRER = 40
    ADJUST_ISOLATED = 41
    VAULT_REDEEM_REQUEST = 42
    ORACLE_TICK = 48
    EXPIRE = 64
    TRIGGER = 65
    FUNDING_SAMPLE = 66
    FUNDING_SETTLE = 67
    HALT = 68
    RESUME = 69
    CLEAR_ORDERS = 70
    LIQUIDATE = 71
    TAKE_OVER = 72
    COVER_DEFICIT = 73
    AUTO_DELEVERAGE = 74
    VAULT_QUOTE = 75
    VAULT_SETTLE_EPOCH = 76

    # Every command looks its kind up in several tables; an enum hashes its name in plain Python.
    __hash__ = int.__hash__

    @property
    def is_queued(self) -> bool:
        """Whether the command comes through the L1 queue, from an owner or from governance."""
        return self in QUEUED_KINDS

    @property
    def is_signed(self) -> bool:
        """Whether an account's key or agent must have signed the command."""
        return self in SIGNED_KINDS


QUEUED_KINDS = frozenset(
    kind for kind in Kind if kind <= Kind.ROTATE_SEQUENCER and kind not in (3, 4)
)
SIGNED_KINDS = frozenset(
    (
        Kind.TRANSFER,
        Kind.WITHDRAW,
        *(kind for kind in Kind if Kind.PLACE <= kind <= Kind.VAULT_REDEEM_REQUEST),
    )
)


class Outcome(IntEnum):
    """What became of a queued command; a signed one is applied or not part of a batch at all.

    All but the first three stand for the reject reason of the same name.
    """

    APPLIED = 0
    """The request was carried out."""
    INVALID_KEY = 1
    """The point is not on the curve, or of small order; nothing changed."""
    PARTIAL = 2
    """A part of the position was closed, and the book had no more at the price."""
    UNKNOWN_ACCOUNT = 3
    ACCOUNT_KIND = 4
    UNKNOWN_MARKET = 5
    MARKET_STATUS = 6
    AMOUNT_ZERO = 7
    MATCH_STEPS = 8
    TOO_MANY_POSITIONS = 9
    OPEN_INTEREST = 10
    VAULT_CAP = 11
    NO_POSITION = 12
    PRICE_STALE = 13
    NOT_LIQUIDATABLE = 14
    NO_LIQUIDITY = 15
    UNKNOWN_VAULT = 16
    NO_SHARES = 17
    SHARES_BOUND = 18
    TOO_MANY_SHARES = 19
    INSUFFICIENT_SHARES = 20
    WORTHLESS = 21
    MARKET_EXISTS = 22
    INVALID_TERMS = 23
    INSUFFICIENT_MARGIN = 24
    CASH_OUT_OF_BOUNDS = 25
    MODE_FORBIDS = 26
    OPEN_ORDERS = 27
    NOTHING_DUE = 28

    @classmethod
    def of(cls, reason: RejectReason) -> Outcome:
        """The outcome that stands for a reject reason.

        Raises: KeyError for a reason that no queued command can have.
        """
        return cls[reason.name]


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


class Executed(NamedTuple):
    """A command of any other kind; `steps` tell what happened, in order.

    `before` holds every leaf that the command wrote, as it was, by address (None: it was empty).
    """

    step: int
    time_ms: int
    body: Body
    steps: tuple[Step, ...]
    outcome: Outcome
    before: dict[int, Leaf | None]


MarginEvent = Deposited | KeyRegistered | Transferred | Withdrawn
"""What the chips prove today, as long as every account has nothing but cash."""

Event = MarginEvent | Executed


class Observer(Protocol):
    """Receives the event of each applied command, in order, after the rules accepted it."""

    def record(self, event: Event) -> None:
        """Take one event."""


class NullObserver:
    """Ignores every event: the live engine needs none."""

    def record(self, event: Event) -> None:
        """Take one event and forget it."""


NULL_OBSERVER = NullObserver()
