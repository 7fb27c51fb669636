"""VaultSettleEpoch: the queue of a vault is paid, in order, as far as collateral is free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.draft import Draft
from circuits.exchange.events import Kind
from circuits.exchange.transactions.authority import Context
from circuits.exchange.vaults import settle_epoch


@dataclass(frozen=True, slots=True)
class VaultSettleEpoch:
    """The redemptions that wait in `vault`."""

    KIND: ClassVar[Kind] = Kind.VAULT_SETTLE_EPOCH
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (("vault", 24),)

    vault: int


def apply(draft: Draft, context: Context, command: VaultSettleEpoch) -> None:
    """Pay the head of the queue, and the next, as far as collateral is free.

    Raises: Rejected with the first rule that fails.
    """
    settle_epoch(draft, context.time_ms, command.vault)
