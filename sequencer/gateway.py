"""What a gateway says of a signed command before the venue orders it: authority, and nothing else.

Only the order of commands decides what becomes of one, so what is admitted here may still be
refused; what is refused here would be, as the exchange stands.
"""

from __future__ import annotations

from dataclasses import dataclass

from circuits.exchange.apply import require_time
from circuits.exchange.bodies import Signed
from circuits.exchange.errors import Rejected
from circuits.exchange.state import State
from circuits.exchange.transactions.authority import (
    Context,
    DigestFunction,
    QuoteMessage,
    SignatureVerifier,
    Transaction,
    authorise,
    authorise_trading,
    digest_of,
)
from circuits.signature import verify as verify_signature
from sequencer.looking import looking_at


@dataclass(frozen=True, slots=True)
class Admitted:
    """Time, account, key, expiry, nonce, widths and signature are in order."""

    digest: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The first rule of authority that fails, with what it expected.

    `digest` is what the signature was to be over, for a client that computed another; None if a
    field does not fit it.
    """

    rejected: Rejected
    digest: int | None


def admit(
    state: State,
    time_ms: int,
    signed: Signed,
    verify: SignatureVerifier = verify_signature,
    digest: DigestFunction = digest_of,
) -> Admitted | Refused:
    """Whether the signer may give this command now. The state is left as it is."""
    transaction = signed.transaction
    # Not left to the rules, which would not come to it for a command that is late or unknown.
    computed = _digest_or_none(transaction, state.domain, digest)

    def known(message: Transaction | QuoteMessage, domain: int) -> int:
        return digest(message, domain) if computed is None else computed

    context = Context(state.step + 1, time_ms, verify, known)
    try:
        require_time(state, time_ms)
        with looking_at(state) as draft:
            if hasattr(transaction, "key_slot"):
                authorise_trading(draft, context, transaction, signed.signature)
            else:
                authorise(draft, context, transaction, signed.signature)
    except Rejected as rejected:
        return Refused(rejected, computed)
    assert computed is not None, "authority needs a digest"
    return Admitted(computed)


def _digest_or_none(transaction: Transaction, domain: int, digest: DigestFunction) -> int | None:
    try:
        return digest(transaction, domain)
    except Rejected:
        return None
