"""Deposit: collateral that arrived on L1 is credited; it cannot be refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from circuits.exchange.errors import QueueGuaranteeBroken
from circuits.exchange.events import Deposited, Kind
from circuits.exchange.limits import AMOUNT_MAX, CASH_BITS, CASH_OFFSET, CUSTODY_MAX
from circuits.exchange.state import Account, State
from circuits.exchange.transactions.authority import Context
from circuits.exchange.transactions.queued import require_owner
from circuits.exchange.units import CashUnits, TokenUnits, cash_from_units


@dataclass(frozen=True, slots=True)
class Deposit:
    """`amount` for `account`, whose owner the L1 queue fixed when it assigned the id."""

    KIND: ClassVar[Kind] = Kind.DEPOSIT

    account: int
    owner: int
    amount: TokenUnits


def apply(state: State, context: Context, deposit: Deposit) -> tuple[State, Deposited]:
    """Credit the account, creating it under its owner if this is the first request for it.

    Raises: QueueGuaranteeBroken for a request that the contracts cannot have queued.
    """
    before = require_owner(state, deposit.account, deposit.owner)
    if not 1 <= deposit.amount <= AMOUNT_MAX:
        raise QueueGuaranteeBroken("deposit amount", f"1..{AMOUNT_MAX}", deposit.amount)
    custody = TokenUnits(state.custody + deposit.amount)
    if custody > CUSTODY_MAX:
        raise QueueGuaranteeBroken("custody", f"at most {CUSTODY_MAX}", custody)
    account = before or Account(deposit.owner)
    cash = CashUnits(account.cash + cash_from_units(deposit.amount))
    if cash >= CASH_OFFSET:
        raise QueueGuaranteeBroken("cash", f"below 2^{CASH_BITS}", cash)
    after = account.with_cash(cash)
    event = Deposited(
        step=context.step,
        time_ms=context.time_ms,
        account_id=deposit.account,
        owner=deposit.owner,
        amount=deposit.amount,
        before=before,
        after=after,
    )
    return replace(state.with_account(deposit.account, after), custody=custody), event
