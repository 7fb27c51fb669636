"""SetFees: governance sets the fees, their split, and the accounts of the exchange itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.addresses import FEE_TERMS_ADDRESS
from circuits.exchange.draft import Draft
from circuits.exchange.events import Kind, Outcome
from circuits.exchange.governance import fee_terms_hold
from circuits.exchange.leaves import AccountKind, FeeTerms
from circuits.exchange.transactions.authority import Context


@dataclass(frozen=True, slots=True)
class SetFees:
    """The fees of every fill from now on."""

    KIND: ClassVar[Kind] = Kind.SET_FEES
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = ()

    terms: FeeTerms


def apply(draft: Draft, context: Context, request: SetFees) -> Outcome:
    """Replace the fees; the first time, the two accounts become what they are named for."""
    terms = request.terms
    if not fee_terms_hold(terms):
        return Outcome.INVALID_TERMS
    if terms.vault_account:
        vault = draft.account(terms.vault_account)
        if vault is None or vault.kind != AccountKind.VAULT:
            return Outcome.UNKNOWN_VAULT
    current = draft.fee_terms()
    if current is None:
        outcome = _appoint(draft, terms)
        if outcome != Outcome.APPLIED:
            return outcome
    elif (terms.fee_account, terms.insurance_account) != (
        current.fee_account,
        current.insurance_account,
    ):
        return Outcome.INVALID_TERMS
    draft.put(FEE_TERMS_ADDRESS, terms)
    return Outcome.APPLIED


def _appoint(draft: Draft, terms: FeeTerms) -> Outcome:
    """Make two accounts without positions, orders and triggers the fee and insurance accounts."""
    fee, insurance = draft.account(terms.fee_account), draft.account(terms.insurance_account)
    if fee is None or insurance is None:
        return Outcome.UNKNOWN_ACCOUNT
    for account in (fee, insurance):
        if account.kind != AccountKind.USER:
            return Outcome.ACCOUNT_KIND
        if account.positions or account.orders or account.triggers:
            return Outcome.INVALID_TERMS
    draft.put_account(terms.fee_account, fee._replace(kind=AccountKind.FEE))
    draft.put_account(terms.insurance_account, insurance._replace(kind=AccountKind.INSURANCE))
    return Outcome.APPLIED
