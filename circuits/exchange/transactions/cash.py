"""The rules on amounts and balances that several transactions share."""

from __future__ import annotations

from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.limits import CASH_BITS, CASH_OFFSET
from circuits.exchange.state import Account
from circuits.exchange.units import CashUnits, TokenUnits, cash_from_units


def require_amount(amount: TokenUnits) -> None:
    """Refuse a zero amount; a wide or negative one was refused before the signature."""
    if amount == 0:
        raise Rejected(RejectReason.AMOUNT_ZERO, "an amount above 0", amount)


def require_cash_bounds(cash: CashUnits) -> None:
    """Refuse a balance that a leaf cannot hold."""
    if not -CASH_OFFSET < cash < CASH_OFFSET:
        raise Rejected(RejectReason.CASH_OUT_OF_BOUNDS, f"|cash| below 2^{CASH_BITS}", cash)


def debit(account: Account, amount: TokenUnits) -> Account:
    """The account less an amount.

    Assumes: no positions exist, so that equity is cash and the requirement is zero.
    Raises: Rejected with INSUFFICIENT_MARGIN when equity would fall below the requirement.
    """
    cash = CashUnits(account.cash - cash_from_units(amount))
    if cash < 0:
        raise Rejected(RejectReason.INSUFFICIENT_MARGIN, "equity of at least 0 afterwards", cash)
    return account.with_cash(cash)
