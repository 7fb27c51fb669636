"""RequestLiquidation: a liquidation that the venue cannot leave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind, Outcome
from circuits.exchange.liquidation import clear, examine, require_open, sell_off
from circuits.exchange.risk import totals
from circuits.exchange.transactions.authority import Context
from circuits.exchange.transactions.queued import QUEUED_WIDTHS, require_owner


@dataclass(frozen=True, slots=True)
class RequestLiquidation:
    """`target` in `market`, asked for on L1 by the owner of `account`."""

    KIND: ClassVar[Kind] = Kind.REQUEST_LIQUIDATION
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (
        *QUEUED_WIDTHS,
        ("target", 24),
        ("market", 16),
    )

    account: int
    owner: int
    target: int
    market: int


NOT_YET = (RejectReason.FUNDING_DUE, RejectReason.TRIGGER_DUE)
"""What the venue must do first; until then the request is not part of a batch."""


def apply(draft: Draft, context: Context, request: RequestLiquidation) -> Outcome:
    """Clear the target's orders and liquidate all of its position, or say why not.

    APPLIED if the position is closed or the target is safe again, PARTIAL if neither.
    Raises: QueueGuaranteeBroken; Rejected with a reason of NOT_YET.
    """
    require_owner(draft, request.account, request.owner)
    mark = draft.mark()
    try:
        return _liquidated(draft, context.time_ms, request.target, request.market)
    except Rejected as rejected:
        if rejected.reason in NOT_YET:
            raise
        draft.rollback(mark)
        return Outcome.of(rejected.reason)


def _liquidated(draft: Draft, time_ms: int, target: int, market: int) -> Outcome:
    header = require_open(draft, time_ms, target, market)
    if header.orders or header.triggers:
        clear(draft, time_ms, target, header)
    victim = examine(draft, time_ms, target, market)
    swept = sell_off(draft, time_ms, victim, abs(victim.size))
    if swept.remaining == 0:
        return Outcome.APPLIED
    left = totals(draft, target, draft.known(target), time_ms)
    return Outcome.PARTIAL if left.is_liquidatable else Outcome.APPLIED
