"""Deposit: collateral that arrived on L1 is credited; it cannot be refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.draft import Draft
from circuits.exchange.errors import QueueGuaranteeBroken
from circuits.exchange.events import Deposited, Kind
from circuits.exchange.leaves import Account
from circuits.exchange.limits import CASH_BITS, CASH_OFFSET
from circuits.exchange.transactions.authority import Context
from circuits.exchange.transactions.queued import QUEUED_WIDTHS, require_owner, take_custody
from circuits.exchange.units import CashUnits, TokenUnits, cash_from_units


@dataclass(frozen=True, slots=True)
class Deposit:
    """`amount` for `account`, whose owner the L1 queue fixed when it assigned the id."""

    KIND: ClassVar[Kind] = Kind.DEPOSIT
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (*QUEUED_WIDTHS, ("amount", 64))

    account: int
    owner: int
    amount: TokenUnits


def apply(draft: Draft, context: Context, deposit: Deposit) -> Deposited:
    """Credit the account, creating it under its owner if this is the first request for it.

    Raises: QueueGuaranteeBroken for a request that the contracts cannot have queued.
    """
    before = require_owner(draft, deposit.account, deposit.owner)
    take_custody(draft, deposit.amount)
    account = before or Account(deposit.owner)
    cash = CashUnits(account.cash + cash_from_units(deposit.amount))
    if cash >= CASH_OFFSET:
        raise QueueGuaranteeBroken("cash", f"below 2^{CASH_BITS}", cash)
    after = account.with_cash(cash)
    draft.put_account(deposit.account, after)
    return Deposited(
        step=context.step,
        time_ms=context.time_ms,
        account_id=deposit.account,
        owner=deposit.owner,
        amount=deposit.amount,
        before=before,
        after=after,
    )
