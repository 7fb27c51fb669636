"""Quantities of the exchange: exact integers, with a type for each unit that could be confused."""

from __future__ import annotations

from typing import NewType

TokenUnits = NewType("TokenUnits", int)
"""Collateral as the L1 token counts it: 10^-6 of a USDC."""

CashUnits = NewType("CashUnits", int)
"""Collateral as an account holds it: 10^-18 of a USDC, signed."""

NO_UNITS = TokenUnits(0)
NO_CASH = CashUnits(0)

CASH_PER_UNIT = 10**12
"""Cash units in one token unit: a notional times parts per million stays an integer."""


def cash_from_units(amount: TokenUnits) -> CashUnits:
    """The cash that a token amount is worth; exact, so nothing is ever rounded on the way in."""
    return CashUnits(amount * CASH_PER_UNIT)
