"""VaultRedeemRequest: a signed redemption of vault shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from circuits.exchange.draft import Draft
from circuits.exchange.events import Kind
from circuits.exchange.transactions.authority import (
    SIGNED_WIDTHS,
    Context,
    authorise,
    packed_tail,
)
from circuits.exchange.transactions.cash import require_mode
from circuits.exchange.vaults import redeem

if TYPE_CHECKING:
    from circuits.signature import Signature


@dataclass(frozen=True, slots=True)
class VaultRedeemRequest:
    """`shares` of `vault` back into cash, at once or in its queue."""

    KIND: ClassVar[Kind] = Kind.VAULT_REDEEM_REQUEST
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (*SIGNED_WIDTHS, ("vault", 24), ("shares", 96))

    account: int
    nonce: int
    expiry_ms: int
    vault: int
    shares: int

    def tail(self) -> tuple[int, ...]:
        """The fields of this kind, lowest first."""
        return packed_tail(self, self.WIDTHS[3:])


def apply(
    draft: Draft, context: Context, request: VaultRedeemRequest, signature: Signature
) -> None:
    """Pay at once or queue.

    Raises: Rejected with the first rule that fails.
    """
    account, _ = authorise(draft, context, request, signature)
    require_mode(draft)
    draft.put_account(request.account, account.with_nonce(request.nonce))
    redeem(draft, context.time_ms, request.account, request.vault, request.shares)
