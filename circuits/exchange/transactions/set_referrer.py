"""SetReferrer: a signed choice that is made once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind
from circuits.exchange.transactions.authority import (
    SIGNED_WIDTHS,
    Context,
    authorise,
    packed_tail,
)

if TYPE_CHECKING:
    from circuits.signature import Signature


@dataclass(frozen=True, slots=True)
class SetReferrer:
    """`referrer` gets a share of the fees that the account pays, from now on and for ever."""

    KIND: ClassVar[Kind] = Kind.SET_REFERRER
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (*SIGNED_WIDTHS, ("referrer", 24))

    account: int
    nonce: int
    expiry_ms: int
    referrer: int

    def tail(self) -> tuple[int, ...]:
        """The fields of this kind, lowest first."""
        return packed_tail(self, self.WIDTHS[3:])


def apply(draft: Draft, context: Context, request: SetReferrer, signature: Signature) -> None:
    """Name the referrer, who must have an account, and only once.

    Raises: Rejected with the first rule that fails.
    """
    account, _ = authorise(draft, context, request, signature)
    if account.referrer:
        raise Rejected(RejectReason.REFERRER_SET, "no referrer yet", f"account {account.referrer}")
    if request.referrer == request.account:
        raise Rejected(
            RejectReason.TRANSFER_TO_SELF, "another account", f"the signer {request.account}"
        )
    if draft.account(request.referrer) is None:
        raise Rejected(RejectReason.UNKNOWN_RECIPIENT, "an existing account", request.referrer)
    after = account._replace(referrer=request.referrer, nonce=request.nonce)
    draft.put_account(request.account, after)
