"""Who may act: the rules that every signed command passes before its own rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind
from circuits.exchange.limits import ACCOUNT_BITS, KIND_BITS, NONCE_BITS, TIME_BITS
from circuits.exchange.state import Account, Point, State
from circuits.poseidon2 import TAG_COMMAND, hash_words

if TYPE_CHECKING:
    from circuits.signature import Signature, SignatureReject

EXPIRY_SHIFT = KIND_BITS + ACCOUNT_BITS + NONCE_BITS
"""Where the expiry stands in the first word of a digest."""

SignatureVerifier = Callable[[Point, int, "Signature"], "SignatureReject | None"]
"""None if a signature over a digest holds under a registered key, else the first reason why not."""

DigestFunction = Callable[["Transaction", int], int]
"""The word that is signed for a transaction under a domain, as `digest_of` computes it."""


class Transaction(Protocol):
    """What a signed transaction must offer to be authorised."""

    KIND: ClassVar[Kind]
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]]

    @property
    def account(self) -> int:
        """The signing account."""

    @property
    def nonce(self) -> int:
        """Strictly above the account's last nonce; gaps are allowed."""

    @property
    def expiry_ms(self) -> int:
        """The last time at which the transaction may be applied."""

    def tail(self) -> int:
        """The fields of this kind alone, packed into the second word of the digest."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a rule may know besides the state and the command's own fields."""

    step: int
    time_ms: int
    verify: SignatureVerifier
    digest: DigestFunction


def digest_of(transaction: Transaction, domain: int) -> int:
    """The word that the account key signs: the hash of `signed_words`.

    Raises: Rejected with FIELD_OUT_OF_RANGE, as `signed_words` does.
    """
    return hash_words(TAG_COMMAND, signed_words(transaction, domain))


def signed_words(transaction: Transaction, domain: int) -> tuple[int, int, int]:
    """Domain, head and tail, the words that a digest hashes.

    Raises: Rejected with FIELD_OUT_OF_RANGE when a field does not fit its width, because the
    packing is injective only over fields that do.
    """
    require_widths(transaction)
    head = (
        transaction.KIND
        | transaction.account << KIND_BITS
        | transaction.nonce << (KIND_BITS + ACCOUNT_BITS)
        | transaction.expiry_ms << EXPIRY_SHIFT
    )
    return domain, head, transaction.tail()


def require_widths(transaction: Transaction) -> None:
    """Refuse a transaction with a field that is negative or too wide to be packed."""
    for name, bits in transaction.WIDTHS:
        value = getattr(transaction, name)
        if not 0 <= value < 2**bits:
            raise Rejected(RejectReason.FIELD_OUT_OF_RANGE, f"{name} in 0..{2**bits - 1}", value)


def authorise(
    state: State, context: Context, transaction: Transaction, signature: Signature
) -> tuple[Account, int]:
    """The signing account and the digest, once every rule of authority holds.

    Raises: Rejected with the first rule that fails.
    """
    account = state.accounts.get(transaction.account)
    if account is None:
        raise Rejected(RejectReason.UNKNOWN_ACCOUNT, "an existing account", transaction.account)
    if not account.has_key:
        raise Rejected(
            RejectReason.NO_KEY, "a registered key", f"none for account {transaction.account}"
        )
    if context.time_ms > transaction.expiry_ms:
        raise Rejected(
            RejectReason.EXPIRED,
            f"a time of at most {transaction.expiry_ms} ms",
            f"{context.time_ms} ms",
        )
    if transaction.nonce <= account.nonce:
        raise Rejected(
            RejectReason.NONCE_NOT_INCREASING,
            f"a nonce above {account.nonce}",
            transaction.nonce,
        )
    digest = context.digest(transaction, state.domain)
    signature_reject = context.verify(account.key, digest, signature)
    if signature_reject is not None:
        raise Rejected(
            RejectReason(signature_reject.value),
            f"a signature by the key of account {transaction.account}",
            "one that does not hold",
        )
    return account, digest


SIGNED_WIDTHS: tuple[tuple[str, int], ...] = (
    ("account", ACCOUNT_BITS),
    ("nonce", NONCE_BITS),
    ("expiry_ms", TIME_BITS),
)
"""The fields that every signed transaction starts with, and their widths in bits."""
