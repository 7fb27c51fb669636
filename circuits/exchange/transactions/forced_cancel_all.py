"""ForcedCancelAll: cancels that the venue cannot leave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.book import cancel_resting
from circuits.exchange.draft import Draft
from circuits.exchange.events import Kind, Outcome
from circuits.exchange.transactions.authority import Context
from circuits.exchange.transactions.queued import QUEUED_WIDTHS, require_owner


@dataclass(frozen=True, slots=True)
class ForcedCancelAll:
    """All orders and triggers of `account`, asked for on L1."""

    KIND: ClassVar[Kind] = Kind.FORCED_CANCEL_ALL
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = QUEUED_WIDTHS

    account: int
    owner: int


def apply(draft: Draft, context: Context, forced: ForcedCancelAll) -> Outcome:
    """Take all of them away; there may be none.

    Raises: QueueGuaranteeBroken for a request that the contracts cannot have queued.
    """
    del context
    if require_owner(draft, forced.account, forced.owner) is None:
        return Outcome.UNKNOWN_ACCOUNT
    cancel_resting(draft, forced.account)
    return Outcome.APPLIED
