"""ForcedWithdraw: a withdrawal that the venue cannot leave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.draft import Draft
from circuits.exchange.errors import QueueGuaranteeBroken, Rejected
from circuits.exchange.events import Kind, Outcome
from circuits.exchange.limits import AMOUNT_MAX
from circuits.exchange.steps import PaidOut
from circuits.exchange.transactions.authority import Context
from circuits.exchange.transactions.cash import (
    debit,
    pay_out,
    require_amount,
    require_own_cash,
)
from circuits.exchange.transactions.queued import QUEUED_WIDTHS, require_owner
from circuits.exchange.units import TokenUnits


@dataclass(frozen=True, slots=True)
class ForcedWithdraw:
    """`amount` from `account` to its owner, asked for on L1."""

    KIND: ClassVar[Kind] = Kind.FORCED_WITHDRAW
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (*QUEUED_WIDTHS, ("amount", 64))

    account: int
    owner: int
    amount: TokenUnits


def apply(draft: Draft, context: Context, request: ForcedWithdraw) -> Outcome:
    """Debit the account and the custody, in every mode, or say why not.

    Raises: QueueGuaranteeBroken for a request that the contracts cannot have queued.
    """
    account = require_owner(draft, request.account, request.owner)
    if not 0 <= request.amount <= AMOUNT_MAX:
        raise QueueGuaranteeBroken("withdrawal amount", f"0..{AMOUNT_MAX}", request.amount)
    if account is None:
        return Outcome.UNKNOWN_ACCOUNT
    try:
        require_own_cash(account)
        require_amount(request.amount)
        after = debit(draft, context.time_ms, request.account, account, request.amount)
        pay_out(draft, request.amount)
    except Rejected as rejected:
        return Outcome.of(rejected.reason)  # nothing is written yet
    draft.put_account(request.account, after)
    draft.steps.append(PaidOut(request.account, request.owner, request.amount))
    return Outcome.APPLIED
