"""Who may act: the rules that every signed command passes before its own rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol, cast

from circuits.edwards import Point
from circuits.exchange.addresses import agent_address
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind
from circuits.exchange.leaves import NO_KEY, Account, AgentKey
from circuits.exchange.limits import ACCOUNT_BITS, AGENT_SLOTS, KIND_BITS, NONCE_BITS, TIME_BITS
from circuits.poseidon2 import TAG_COMMAND, TAG_QUOTE, hash_words

if TYPE_CHECKING:
    from circuits.signature import Signature, SignatureReject

EXPIRY_SHIFT = KIND_BITS + ACCOUNT_BITS + NONCE_BITS
"""Where the expiry stands in the first word of a digest."""

KEY_SLOT_SHIFT = EXPIRY_SHIFT + TIME_BITS
"""Where the key slot stands; it is 0, and so nothing, for the account's own key."""

SCOPE_TRADE, SCOPE_CANCEL = 1, 2
"""What an agent's key may sign; one that may trade may cancel too."""

SCOPES: dict[Kind, int] = {
    Kind.PLACE: SCOPE_TRADE,
    Kind.MODIFY: SCOPE_TRADE,
    Kind.BATCH: SCOPE_TRADE,
    Kind.PLACE_TRIGGER: SCOPE_TRADE,
    Kind.CANCEL: SCOPE_TRADE | SCOPE_CANCEL,
    Kind.CANCEL_ALL: SCOPE_TRADE | SCOPE_CANCEL,
}
"""The scopes of which an agent's key needs one, for each kind that it may sign at all."""

SignatureVerifier = Callable[[Point, int, "Signature"], "SignatureReject | None"]
"""None if a signature over a digest holds under a registered key, else the first reason why not."""

DigestFunction = Callable[["Transaction | QuoteMessage", int], int]
"""The word that is signed for a message under a domain, as `digest_of` computes it."""

SIGNED_WIDTHS: tuple[tuple[str, int], ...] = (
    ("account", ACCOUNT_BITS),
    ("nonce", NONCE_BITS),
    ("expiry_ms", TIME_BITS),
)
"""The fields that every signed transaction starts with, and their widths in bits."""

TRADING_WIDTHS: tuple[tuple[str, int], ...] = (*SIGNED_WIDTHS, ("key_slot", 8))
"""The same where an agent may sign: `key_slot` 0 is the account's key, 1 to 8 an agent's."""


class Transaction(Protocol):
    """What a signed transaction must offer to be authorised."""

    KIND: ClassVar[Kind]
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]]

    @property
    def account(self) -> int:
        """The signing account."""

    @property
    def nonce(self) -> int:
        """Strictly above the last nonce of the key; gaps are allowed."""

    @property
    def expiry_ms(self) -> int:
        """The last time at which the transaction may be applied."""

    def tail(self) -> tuple[int, ...]:
        """The fields of this kind alone, packed into the further words of the digest."""


class Trading(Transaction, Protocol):
    """A transaction that an agent may sign too."""

    @property
    def key_slot(self) -> int:
        """Which key signs."""


class QuoteMessage(NamedTuple):
    """What an oracle signer signs: a price of a market at a time."""

    market: int
    price: int
    time_ms: int


QUOTE_MESSAGE_WIDTHS = (("market", 16), ("price", 32), ("time_ms", 48))


class Context(NamedTuple):
    """What a rule may know besides the state and the command's own fields."""

    step: int
    time_ms: int
    verify: SignatureVerifier
    digest: DigestFunction


def digest_of(message: Transaction | QuoteMessage, domain: int) -> int:
    """The word that the key signs: the hash of `signed_words`.

    Raises: Rejected with FIELD_OUT_OF_RANGE, as `signed_words` does.
    """
    return hash_words(digest_tag(message), signed_words(message, domain))


def digest_tag(message: Transaction | QuoteMessage) -> int:
    """What keeps the digests of commands and of quotes apart."""
    return TAG_QUOTE if isinstance(message, QuoteMessage) else TAG_COMMAND


def signed_words(message: Transaction | QuoteMessage, domain: int) -> tuple[int, ...]:
    """Domain, head and tail, the words that a digest hashes; a quote is one word.

    Raises: Rejected with FIELD_OUT_OF_RANGE when a field does not fit its width, because the
    packing is injective only over fields that do.
    """
    if isinstance(message, QuoteMessage):
        require_widths(message, QUOTE_MESSAGE_WIDTHS)
        return domain, *packed_tail(message, QUOTE_MESSAGE_WIDTHS)
    require_widths(message, message.WIDTHS)
    for operation in getattr(message, "operations", ()):
        require_widths(operation, operation.WIDTHS)
    head = (
        message.KIND
        | message.account << KIND_BITS
        | message.nonce << (KIND_BITS + ACCOUNT_BITS)
        | message.expiry_ms << EXPIRY_SHIFT
        | getattr(message, "key_slot", 0) << KEY_SLOT_SHIFT
    )
    return domain, head, *message.tail()


def packed_tail(fields: object, widths: tuple[tuple[str, int], ...]) -> tuple[int]:
    """The named fields in one word, lowest first."""
    word = shift = 0
    for name, bits in widths:
        word |= getattr(fields, name) << shift
        shift += bits
    return (word,)


def require_widths(fields: object, widths: tuple[tuple[str, int], ...]) -> None:
    """Refuse a message with a field that is negative or too wide to be packed."""
    for name, bits in widths:
        value = getattr(fields, name)
        if value < 0 or value >> bits:
            raise Rejected(RejectReason.FIELD_OUT_OF_RANGE, f"{name} in 0..{2**bits - 1}", value)


def authorise(
    draft: Draft, context: Context, transaction: Transaction, signature: Signature
) -> tuple[Account, int]:
    """The signing account and the digest, once every rule of authority holds; its own key signs.

    Raises: Rejected with the first rule that fails.
    """
    account = _signing_account(draft, transaction)
    if account.key == NO_KEY:
        raise Rejected(
            RejectReason.NO_KEY, "a registered key", f"none for account {transaction.account}"
        )
    digest = _require_signature(
        draft, context, transaction, signature, (account.key, account.nonce)
    )
    return account, digest


def authorise_trading(
    draft: Draft, context: Context, transaction: Trading, signature: Signature
) -> None:
    """Check every rule of authority, for the account's key or an agent's, and use up the nonce.

    Raises: Rejected with the first rule that fails.
    """
    if transaction.key_slot == 0:
        account, _ = authorise(draft, context, transaction, signature)
        draft.put_account(transaction.account, account.with_nonce(transaction.nonce))
        return
    _signing_account(draft, transaction)
    place = transaction.key_slot - 1
    address = agent_address(transaction.account, place)
    agent = cast(AgentKey | None, draft.get(address)) if 0 <= place < AGENT_SLOTS else None
    if agent is None or agent.key == NO_KEY:
        raise Rejected(RejectReason.UNKNOWN_AGENT, "the key slot of an agent", transaction.key_slot)
    if context.time_ms > agent.expiry_ms:
        raise Rejected(
            RejectReason.AGENT_EXPIRED,
            f"a time of at most {agent.expiry_ms} ms",
            f"{context.time_ms} ms",
        )
    if not agent.scope & SCOPES[transaction.KIND]:
        raise Rejected(
            RejectReason.AGENT_SCOPE,
            f"a scope for {transaction.KIND.name.lower()}",
            f"scope {agent.scope}",
        )
    _require_signature(draft, context, transaction, signature, (agent.key, agent.nonce))
    draft.put(address, agent._replace(nonce=transaction.nonce))


def _signing_account(draft: Draft, transaction: Transaction) -> Account:
    account = draft.account(transaction.account)
    if account is None:
        raise Rejected(RejectReason.UNKNOWN_ACCOUNT, "an existing account", transaction.account)
    return account


def _require_signature(
    draft: Draft,
    context: Context,
    transaction: Transaction,
    signature: Signature,
    signer: tuple[Point, int],
) -> int:
    """The digest, once expiry, nonce, widths and signature hold; `signer` is key and last nonce."""
    key, last_nonce = signer
    if context.time_ms > transaction.expiry_ms:
        raise Rejected(
            RejectReason.EXPIRED,
            f"a time of at most {transaction.expiry_ms} ms",
            f"{context.time_ms} ms",
        )
    if transaction.nonce <= last_nonce:
        raise Rejected(
            RejectReason.NONCE_NOT_INCREASING, f"a nonce above {last_nonce}", transaction.nonce
        )
    digest = context.digest(transaction, draft.domain)
    reject = context.verify(key, digest, signature)
    if reject is not None:
        raise Rejected(
            RejectReason(reject.value),
            f"a signature by the key of account {transaction.account}",
            f"one that does not hold for digest {digest:#x}",
        )
    return digest
