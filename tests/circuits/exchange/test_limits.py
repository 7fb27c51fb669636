"""The bounds of the rules, the relations between them, and where each is tried out."""

from __future__ import annotations

from pathlib import Path

import pytest

from circuits.exchange import limits

TRIED_OUT: dict[str, tuple[str, ...]] = {
    "test_addresses": (
        "ACCOUNT_SLOTS", "HEADER_SLOT", "TREE_LEVELS", "REGION_BITS", "ACCOUNT_REGION",
        "MARKET_REGION", "BOOK_REGION", "SYSTEM_REGION", "MARKET_SLOT_BITS", "POSITION_SLOT_FIRST",
        "AGENT_SLOT_FIRST", "SHARE_SLOT_FIRST", "VAULT_TERMS_SLOT", "VAULT_LEDGER_SLOT",
        "SIGNER_SLOT_FIRST",
    ),
    "test_agents": ("AGENT_SLOTS",),
    "test_apply": ("CASH_BITS", "CASH_OFFSET", "TIME_MAX_MS", "NONCE_MAX", "AMOUNT_MAX"),
    "test_authority": ("ACCOUNT_BITS", "AMOUNT_BITS", "NONCE_BITS", "TIME_BITS", "KIND_BITS"),
    "test_events": ("OUTCOME_BITS",),
    "test_funding": (
        "FUNDING_INDEX_BITS", "FUNDING_CASH_BITS", "SAMPLES_MAX", "SAMPLE_MS", "SETTLEMENT_MS",
    ),
    "test_governance": (
        "OPEN_INTEREST_QUOTE_MAX", "PPM", "RATE_BITS", "QUOTE_LAYERS_MAX", "TAKER_FEE_MAX_PPM",
    ),
    "test_governed": ("MARKET_BITS", "MARKET_MAX", "SIGNERS_MAX"),
    "test_guide": ("TRIGGER_SLOT_FIRST", "TRIGGER_SLOT_MAX", "ORDER_SLOT_MAX"),
    "test_isolated": ("SUB_ACCOUNT_FIRST",),
    "test_oracle": ("PRICE_BITS", "PRICE_MAX"),
    "test_packing": (
        "SIZE_BITS", "ENTRY_QUOTE_BITS", "PPM_BITS", "PREMIUM_SUM_BITS", "SHARES_BITS",
        "KEY_SLOT_BITS", "PACKED_BITS",
    ),
    "test_queued": (
        "ACCOUNT_FIRST", "ACCOUNT_MAX", "OWNER_BITS", "OWNER_MAX", "CUSTODY_MAX",
    ),
    "test_risk": ("NOTIONAL_BITS", "EQUITY_BITS", "PPB"),
}  # fmt: skip
"""The bounds that the tests of each module try at, below and above."""

ELSEWHERE = {
    "CHAIN_ID_BITS", "CHAIN_ID_MAX", "POSITION_SLOTS", "SHARE_SLOTS", "SHARES_MAX",
    "VIRTUAL_SHARES", "ORDERS_MAX", "TRIGGERS_MAX", "BATCH_OPERATIONS_MAX", "MATCH_STEPS_MAX",
    "EPOCH_REDEMPTIONS_MAX", "QUOTE_LIFE_MS",
}  # fmt: skip
"""Bounds that the tests of statements, of orders and of vaults try."""


def test_a_broken_relation_is_refused_by_its_meaning() -> None:
    relations = (("two and two are four", True), ("two and two are five", False))
    with pytest.raises(ValueError, match=r"^limits: expected that two and two are five, got"):
        limits.check_relations(relations)


def test_the_relations_are_distinct_and_hold() -> None:
    meanings = [meaning for meaning, _ in limits.RELATIONS]
    assert len(set(meanings)) == len(meanings)
    limits.check_relations(limits.RELATIONS)


def test_bounds_as_the_contracts_and_the_statement_have_them() -> None:
    assert limits.ACCOUNT_MAX == 16_777_215
    assert limits.AMOUNT_MAX == 18_446_744_073_709_551_615
    assert limits.NONCE_MAX == limits.TIME_MAX_MS == 281_474_976_710_655
    assert limits.CASH_OFFSET == 2_596_148_429_267_413_814_265_248_164_610_048


def test_bounds_as_the_design_names_them() -> None:
    assert (limits.POSITION_SLOTS, limits.AGENT_SLOTS, limits.SHARE_SLOTS) == (16, 8, 16)
    assert (limits.ORDERS_MAX, limits.TRIGGERS_MAX) == (200, 50)
    assert (limits.BATCH_OPERATIONS_MAX, limits.MATCH_STEPS_MAX) == (50, 50)
    assert (limits.SIGNERS_MAX, limits.QUOTE_LAYERS_MAX) == (16, 3)
    assert (limits.SAMPLE_MS, limits.SETTLEMENT_MS, limits.QUOTE_LIFE_MS) == (
        60_000, 3_600_000, 60_000,
    )  # fmt: skip
    assert (limits.PRICE_MAX, limits.MARKET_MAX) == (4_294_967_295, 1023)
    assert (limits.ORDER_SLOT_MAX, limits.TRIGGER_SLOT_FIRST) == (1_048_575, 524_289)
    assert limits.SUB_ACCOUNT_FIRST == 8_388_608
    assert limits.SAMPLES_MAX == 32_767
    assert limits.TAKER_FEE_MAX_PPM == 100_000


def test_every_bound_is_tried_out_somewhere() -> None:
    bounds = {
        name for name, value in vars(limits).items() if name.isupper() and isinstance(value, int)
    }
    bounds -= {"R", "CASH_PER_UNIT"}
    named = [name for names in TRIED_OUT.values() for name in names]
    assert sorted([*named, *ELSEWHERE]) == sorted(bounds)
    for module in TRIED_OUT:
        assert (Path(__file__).parent / f"{module}.py").is_file()
