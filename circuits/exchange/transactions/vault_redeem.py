"""VaultRedeem: a redemption that the venue cannot leave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected
from circuits.exchange.events import Kind, Outcome
from circuits.exchange.transactions.authority import Context
from circuits.exchange.transactions.queued import QUEUED_WIDTHS, require_owner
from circuits.exchange.vaults import redeem


@dataclass(frozen=True, slots=True)
class VaultRedeem:
    """`shares` of `vault` back into cash, asked for on L1."""

    KIND: ClassVar[Kind] = Kind.VAULT_REDEEM
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (*QUEUED_WIDTHS, ("vault", 24), ("shares", 96))

    account: int
    owner: int
    vault: int
    shares: int


def apply(draft: Draft, context: Context, request: VaultRedeem) -> Outcome:
    """Pay at once or queue, in every mode, or say why not.

    Raises: QueueGuaranteeBroken for a request that the contracts cannot have queued.
    """
    if require_owner(draft, request.account, request.owner) is None:
        return Outcome.UNKNOWN_ACCOUNT
    try:
        redeem(draft, context.time_ms, request.account, request.vault, request.shares)
    except Rejected as rejected:
        return Outcome.of(rejected.reason)
    return Outcome.APPLIED
