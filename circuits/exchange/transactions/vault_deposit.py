"""VaultDeposit: collateral from L1 that becomes shares, or cash if it cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.draft import Draft
from circuits.exchange.errors import QueueGuaranteeBroken, Rejected
from circuits.exchange.events import Kind, Outcome
from circuits.exchange.leaves import Account
from circuits.exchange.limits import CASH_BITS, CASH_OFFSET
from circuits.exchange.transactions.authority import Context
from circuits.exchange.transactions.queued import QUEUED_WIDTHS, require_owner, take_custody
from circuits.exchange.units import CashUnits, TokenUnits, cash_from_units
from circuits.exchange.vaults import mint


@dataclass(frozen=True, slots=True)
class VaultDeposit:
    """`amount` that arrived on L1 for shares of `vault`."""

    KIND: ClassVar[Kind] = Kind.VAULT_DEPOSIT
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (*QUEUED_WIDTHS, ("amount", 64), ("vault", 24))

    account: int
    owner: int
    amount: TokenUnits
    vault: int


def apply(draft: Draft, context: Context, deposit: VaultDeposit) -> Outcome:
    """Mint shares, or credit the account and say why not; the account is opened if it is new.

    Raises: QueueGuaranteeBroken for a request that the contracts cannot have queued.
    """
    account = require_owner(draft, deposit.account, deposit.owner) or Account(deposit.owner)
    take_custody(draft, deposit.amount)
    draft.put_account(deposit.account, account)
    mark = draft.mark()
    try:
        mint(draft, context.time_ms, deposit.account, deposit.vault, deposit.amount)
    except Rejected as rejected:
        draft.rollback(mark)
        cash = CashUnits(account.cash + cash_from_units(deposit.amount))
        if cash >= CASH_OFFSET:
            raise QueueGuaranteeBroken("cash", f"below 2^{CASH_BITS}", cash) from None
        draft.put_account(deposit.account, account.with_cash(cash))
        return Outcome.of(rejected.reason)
    return Outcome.APPLIED
