"""The rules on amounts and balances that several transactions share."""

from __future__ import annotations

from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.leaves import Account, AccountKind, Mode
from circuits.exchange.limits import CASH_BITS, CASH_OFFSET
from circuits.exchange.risk import totals
from circuits.exchange.units import CashUnits, TokenUnits, cash_from_units


def require_mode(draft: Draft) -> None:
    """Refuse what no frozen exchange does."""
    if draft.controls().mode == Mode.FROZEN:
        raise Rejected(RejectReason.MODE_FORBIDS, "a mode that allows this", "a frozen exchange")


def require_payer(draft: Draft, account: Account) -> None:
    """Refuse in a frozen exchange, and cash that belongs to many."""
    require_mode(draft)
    require_own_cash(account)


def require_own_cash(account: Account) -> None:
    """Refuse to take the cash of a vault or of the insurance, which belongs to many."""
    if account.kind in (AccountKind.VAULT, AccountKind.INSURANCE):
        kind = AccountKind(account.kind).name.lower()
        raise Rejected(RejectReason.ACCOUNT_KIND, "an account that may pay out", f"the {kind}")


def require_amount(amount: TokenUnits) -> None:
    """Refuse a zero amount; a wide or negative one was refused before the signature."""
    if amount == 0:
        raise Rejected(RejectReason.AMOUNT_ZERO, "an amount above 0", amount)


def require_cash_bounds(cash: CashUnits) -> None:
    """Refuse a balance that a leaf cannot hold."""
    if not -CASH_OFFSET < cash < CASH_OFFSET:
        raise Rejected(RejectReason.CASH_OUT_OF_BOUNDS, f"|cash| below 2^{CASH_BITS}", cash)


def pay_out(draft: Draft, amount: TokenUnits) -> None:
    """Take an amount out of custody.

    Raises: Rejected with CASH_OUT_OF_BOUNDS for more than there is: while somebody is bankrupt, the
    equity of all others is worth more than custody.
    """
    if amount > draft.custody:
        raise Rejected(
            RejectReason.CASH_OUT_OF_BOUNDS, f"at most {draft.custody}, all of custody", amount
        )
    draft.custody = TokenUnits(draft.custody - amount)


def debit(
    draft: Draft, time_ms: int, account_id: int, account: Account, amount: TokenUnits
) -> Account:
    """The account less an amount, if its equity allows that; nothing is written.

    Raises: Rejected with PRICE_STALE, or INSUFFICIENT_MARGIN when equity would fall below the
    requirement: maintenance and the market's buffer, in a conservative exchange the initial one.
    """
    after = account.with_cash(CashUnits(account.cash - cash_from_units(amount)))
    required = 0
    equity: int = after.cash
    if account.positions:
        sums = totals(draft, account_id, after, time_ms)
        equity, required = sums.equity, sums.maintenance + sums.buffer
        if draft.controls().mode == Mode.CONSERVATIVE:
            required = max(required, sums.initial)
    if equity < required:
        raise Rejected(
            RejectReason.INSUFFICIENT_MARGIN, f"equity of at least {required} afterwards", equity
        )
    require_cash_bounds(after.cash)
    return after
