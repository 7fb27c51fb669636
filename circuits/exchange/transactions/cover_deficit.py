"""CoverDeficit: the insurance pays a debt that nothing backs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind
from circuits.exchange.liquidation import backstops, require_account
from circuits.exchange.risk import totals
from circuits.exchange.steps import DeficitCovered
from circuits.exchange.transactions.authority import Context
from circuits.exchange.units import NO_CASH, CashUnits


@dataclass(frozen=True, slots=True)
class CoverDeficit:
    """What `account`, which has no position, owes."""

    KIND: ClassVar[Kind] = Kind.COVER_DEFICIT
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (("account", 24),)

    account: int


def apply(draft: Draft, context: Context, command: CoverDeficit) -> None:
    """Bring the account to exactly nothing out of the insurance, which keeps its own requirement.

    Raises: Rejected with the first rule that fails.
    """
    header = require_account(draft, command.account)
    if header.positions or header.cash >= 0 or command.account == backstops(draft)[0]:
        raise Rejected(
            RejectReason.NO_DEFICIT, "negative cash and no position", f"{header.cash} cash units"
        )
    insurance, _ = backstops(draft)
    payer = draft.known(insurance)
    after = payer.with_cash(CashUnits(payer.cash + header.cash))
    sums = totals(draft, insurance, after, context.time_ms)
    if after.cash < 0 or sums.equity < sums.initial:
        raise Rejected(
            RejectReason.INSURANCE_EMPTY, f"{-header.cash} cash units to spare", payer.cash
        )
    draft.put_account(insurance, after)
    draft.put_account(command.account, header.with_cash(NO_CASH))
    draft.steps.append(DeficitCovered(command.account, -header.cash))
