"""Why the rules refuse a command, and what may never reach the rules at all.

CircuitError
└── ExchangeError
    ├── Rejected               a rule refused a signed command; the state is unchanged
    ├── QueueGuaranteeBroken   an L1 request that the contracts can never have queued
    ├── BatchRefused           a sealed batch holds a command that the rules refuse
    ├── CodecError             bytes or JSON that are not one canonical command
    └── PubdataError           published words that are not one canonical batch
"""

from __future__ import annotations

from enum import StrEnum

from circuits.errors import CircuitError


class RejectReason(StrEnum):
    """Why a command is refused, in order of precedence: only the first that applies is given.

    A field that does not fit its width cannot be packed into a digest, so nothing can have been
    signed: the range rule stands before the signature, all other amounts after it.
    """

    TIME_BACKWARDS = "time_backwards"
    """The command's time is before the time of the command applied last."""
    TIME_OUT_OF_RANGE = "time_out_of_range"
    """The command's time does not fit 48 bits."""
    UNKNOWN_ACCOUNT = "unknown_account"
    """The signing account has no header: it was never deposited to or registered."""
    NO_KEY = "no_key"
    """The signing account has no registered key."""
    EXPIRED = "expired"
    """The command's time is after the expiry that was signed."""
    NONCE_NOT_INCREASING = "nonce_not_increasing"
    """The nonce is not above the last nonce that the account used."""
    FIELD_OUT_OF_RANGE = "field_out_of_range"
    """A field is negative or wider than its place in the signed digest."""
    SIGNATURE_R_NOT_CANONICAL = "signature_r_not_canonical"
    """A coordinate of the signature's R is not below the field modulus."""
    SIGNATURE_S_NOT_CANONICAL = "signature_s_not_canonical"
    """The signature's S is not below the order of the subgroup."""
    SIGNATURE_R_OFF_CURVE = "signature_r_off_curve"
    """The signature's R is not on the curve."""
    SIGNATURE_R_SMALL_ORDER = "signature_r_small_order"
    """The signature's R is one of the eight points that carry no secret."""
    SIGNATURE_EQUATION = "signature_equation"
    """The signature does not hold for this key, command and domain."""
    AMOUNT_ZERO = "amount_zero"
    """The amount is zero."""
    TRANSFER_TO_SELF = "transfer_to_self"
    """The recipient is the sender."""
    UNKNOWN_RECIPIENT = "unknown_recipient"
    """The recipient has no header."""
    INSUFFICIENT_MARGIN = "insufficient_margin"
    """The account's equity after the command would be below its requirement."""
    CASH_OUT_OF_BOUNDS = "cash_out_of_bounds"
    """A cash balance would leave its packed range."""


class ExchangeError(CircuitError):
    """Root of the errors of the rules."""


class Rejected(ExchangeError):
    """A rule refused a command; `reason` says which rule, and is the place of the error."""

    def __init__(self, reason: RejectReason, expected: object, got: object) -> None:
        super().__init__(reason.value, expected, got)
        self.args = (reason, expected, got)
        self.reason = reason


class QueueGuaranteeBroken(ExchangeError):
    """An L1 request breaks what the contracts guarantee, so it did not come from them."""


class BatchRefused(ExchangeError):
    """A batch of accepted commands holds one that the rules refuse."""


class CodecError(ExchangeError):
    """Bytes or JSON that are not one canonical command; the place is a field or an offset."""


class PubdataError(ExchangeError):
    """Published words that no accepted batch can have published."""
