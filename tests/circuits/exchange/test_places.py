"""Which leaf an address is for, at the edges of every range."""

from __future__ import annotations

import pytest

from circuits.exchange.leaves import (
    Account,
    AgentKey,
    Controls,
    FeeTerms,
    MarketBook,
    MarketPrices,
    MarketTerms,
    OracleSigner,
    Order,
    Position,
    Trigger,
    VaultLedger,
    VaultShare,
    VaultTerms,
)
from circuits.exchange.places import kind_at

REGION = 2**30
MARKET = 2**20


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        (0, None),
        (63, None),
        (64, Account),
        (64 + 1, Position),
        (64 + 16, Position),
        (64 + 17, AgentKey),
        (64 + 24, AgentKey),
        (64 + 25, VaultShare),
        (64 + 40, VaultShare),
        (64 + 41, VaultTerms),
        (64 + 42, VaultLedger),
        (64 + 43, None),
        (REGION - 64, Account),
        (REGION - 1, None),
        (REGION, MarketTerms),
        (REGION + 1, MarketPrices),
        (REGION + 2, MarketBook),
        (REGION + 3, None),
        (REGION + MARKET // 2, None),
        (REGION + MARKET // 2 + 1, Trigger),
        (REGION + MARKET - 1, Trigger),
        (REGION + MARKET, MarketTerms),
        (2 * REGION, None),
        (2 * REGION + 1, Order),
        (2 * REGION + MARKET - 1, Order),
        (3 * REGION - 1, Order),
        (3 * REGION, FeeTerms),
        (3 * REGION + 1, Controls),
        (3 * REGION + 2, None),
        (3 * REGION + 16, OracleSigner),
        (3 * REGION + 31, OracleSigner),
        (3 * REGION + 32, None),
        (4 * REGION, None),
    ],
)
def test_kinds(address: int, kind: type | None) -> None:
    assert kind_at(address) is kind
