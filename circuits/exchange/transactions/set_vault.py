"""SetVault: governance makes an account a vault, or changes what one may risk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.addresses import vault_ledger_address, vault_terms_address
from circuits.exchange.draft import Draft
from circuits.exchange.events import Kind, Outcome
from circuits.exchange.governance import vault_terms_hold
from circuits.exchange.leaves import AccountKind, VaultLedger, VaultTerms
from circuits.exchange.times import later
from circuits.exchange.transactions.authority import Context


@dataclass(frozen=True, slots=True)
class SetVault:
    """`account` under these terms."""

    KIND: ClassVar[Kind] = Kind.SET_VAULT
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (("account", 24),)

    account: int
    terms: VaultTerms


def apply(draft: Draft, context: Context, request: SetVault) -> Outcome:
    """Replace a vault's terms, or make a vault of an account that has nothing yet.

    Raises: Rejected with TIME_OUT_OF_RANGE.
    """
    account = draft.account(request.account)
    if account is None:
        return Outcome.UNKNOWN_ACCOUNT
    if account.kind not in (AccountKind.USER, AccountKind.VAULT):
        return Outcome.ACCOUNT_KIND
    if not vault_terms_hold(request.terms):
        return Outcome.INVALID_TERMS
    if account.kind == AccountKind.USER:
        # What it has would belong to the first holders of shares, and nobody could redeem it.
        if account.cash or account.positions or account.orders or account.triggers:
            return Outcome.INVALID_TERMS
        if account.shares:
            return Outcome.INVALID_TERMS
        ledger = VaultLedger(0, 0, 0, 0, later(context.time_ms, request.terms.epoch_ms))
        draft.put_account(request.account, account._replace(kind=AccountKind.VAULT))
        draft.put(vault_ledger_address(request.account), ledger)
    draft.put(vault_terms_address(request.account), request.terms)
    return Outcome.APPLIED
