"""Terms that governance may set: every field at the last value that holds and one beyond."""

from __future__ import annotations

import pytest

from circuits.exchange.governance import fee_terms_hold, market_terms_hold, vault_terms_hold
from circuits.exchange.leaves import VaultTerms
from tests.support.listed import FEE, FEES, TERMS

VAULT_TERMS = VaultTerms(3_000_000, 10**12, 10**12, 86_400_000, 5_000, 500, 250, 1_000, 10, 3)

TERM_BOUNDS: list[tuple[dict[str, int], bool]] = [
    ({"quote_per_tick_lot": 0}, False),
    ({"quote_per_tick_lot": 1}, True),
    ({"quote_per_tick_lot": 2**31, "open_interest_max": 1}, True),
    ({"quote_per_tick_lot": 2**31 + 1, "open_interest_max": 1}, False),
    ({"quote_per_tick_lot": 2**32, "open_interest_max": 0}, False),
    ({"open_interest_max": 2**31 // 3}, True),
    ({"open_interest_max": 2**31 // 3 + 1}, False),
    ({"open_interest_max": 0, "size_min": 0}, False),
    ({"size_min": 0}, False),
    ({"size_min": 10**8}, True),
    ({"size_min": 10**8 + 1}, False),
    ({"maintenance_ppm": 0, "liquidation_fee_ppm": 0}, False),
    ({"maintenance_ppm": 1, "liquidation_fee_ppm": 0}, True),
    ({"maintenance_ppm": 50_000, "withdraw_buffer_ppm": 0}, True),
    ({"maintenance_ppm": 50_001, "withdraw_buffer_ppm": 0}, False),
    ({"initial_ppm": 850_000}, True),
    ({"initial_ppm": 850_001}, False),
    ({"initial_ppm": 10**6, "tier_1_initial_ppm": 0, "tier_1_maintenance_ppm": 0}, False),
    ({"withdraw_buffer_ppm": 20_000}, True),
    ({"withdraw_buffer_ppm": 20_001}, False),
    ({"withdraw_buffer_ppm": -1}, False),
    ({"close_out_ppm": 0}, True),
    ({"close_out_ppm": 10**6}, True),
    ({"close_out_ppm": 10**6 + 1}, False),
    ({"liquidation_fee_ppm": 30_000}, True),
    ({"liquidation_fee_ppm": 30_001}, False),
    ({"tier_1_maintenance_ppm": 50_000}, True),
    ({"tier_1_maintenance_ppm": 50_001}, False),
    ({"tier_2_maintenance_ppm": 100_000}, True),
    ({"tier_2_maintenance_ppm": 100_001}, False),
    ({"tier_2_initial_ppm": 900_000}, True),
    ({"tier_2_initial_ppm": 900_001}, False),
    ({"tier_1_notional": 10**13}, True),
    ({"tier_1_notional": 10**13 + 1}, False),
    ({"tier_2_notional": 2**64 - 1}, True),
    ({"tier_2_notional": 2**64}, False),
    ({"outlier_ppm": 0}, True),
    ({"outlier_ppm": 10**6}, True),
    ({"outlier_ppm": 10**6 + 1}, False),
    ({"band_ppm": 10**6}, True),
    ({"band_ppm": 10**6 + 1}, False),
    ({"mark_band_ppm": 999_999}, True),
    ({"mark_band_ppm": 10**6}, False),
    ({"cooldown_ticks": 0}, False),
    ({"cooldown_ticks": 1}, True),
    ({"cooldown_ticks": 255}, True),
    ({"cooldown_ticks": 256}, False),
    ({"max_age_ms": 0}, True),
    ({"max_age_ms": 2**32 - 1}, True),
    ({"max_age_ms": 2**32}, False),
    ({"price_valid_ms": 0}, False),
    ({"price_valid_ms": 1}, True),
    ({"price_valid_ms": 2**32}, False),
    ({"interest_ppb": 5_000_000}, True),
    ({"interest_ppb": 5_000_001}, False),
    ({"interest_ppb": -5_000_000}, True),
    ({"interest_ppb": -5_000_001}, False),
    ({"funding_cap_ppb": 2**31 - 1, "interest_ppb": 2**31 - 1}, True),
    ({"funding_cap_ppb": 2**31}, False),
    ({"funding_cap_ppb": -1, "interest_ppb": 0}, False),
    ({"funding_clamp_ppb": 2**31 - 1}, True),
    ({"funding_clamp_ppb": 2**31}, False),
    ({"funding_clamp_ppb": -1}, False),
]


@pytest.mark.parametrize(
    ("changes", "holds"), TERM_BOUNDS, ids=[str(row) for row, _ in TERM_BOUNDS]
)
def test_terms_of_a_market(changes: dict[str, int], holds: bool) -> None:
    assert market_terms_hold(TERMS._replace(**changes)) is holds


def test_margin_without_tiers_may_be_the_whole_notional() -> None:
    flat = TERMS._replace(
        tier_1_initial_ppm=0,
        tier_1_maintenance_ppm=0,
        tier_2_initial_ppm=0,
        tier_2_maintenance_ppm=0,
    )
    assert market_terms_hold(flat._replace(initial_ppm=10**6))
    assert not market_terms_hold(flat._replace(initial_ppm=10**6 + 1))


FEE_BOUNDS: list[tuple[dict[str, int], bool]] = [
    ({"taker_ppm": 100_000}, True),
    ({"taker_ppm": 100_001}, False),
    ({"maker_ppm": 500}, True),
    ({"maker_ppm": 501}, False),
    ({"taker_ppm": 0, "maker_ppm": 0}, True),
    ({"maker_ppm": -1}, False),
    ({"insurance_share_ppm": 700_000}, True),
    ({"insurance_share_ppm": 700_001}, False),
    ({"referrer_share_ppm": 500_001}, False),
    ({"vault_share_ppm": 600_001}, False),
    ({"vault_share_ppm": -1, "insurance_share_ppm": 0}, False),
    ({"insurance_account": FEE}, False),
]


@pytest.mark.parametrize(("changes", "holds"), FEE_BOUNDS, ids=[str(row) for row, _ in FEE_BOUNDS])
def test_fee_terms(changes: dict[str, int], holds: bool) -> None:
    assert fee_terms_hold(FEES._replace(**changes)) is holds


VAULT_BOUNDS: list[tuple[dict[str, int], bool]] = [
    ({"epoch_ms": 0}, False),
    ({"epoch_ms": 1}, True),
    ({"epoch_ms": 2**32 - 1}, True),
    ({"epoch_ms": 2**32}, False),
    ({"quote_layers": 0}, True),
    ({"quote_layers": 3}, True),
    ({"quote_layers": 4}, False),
    ({"leverage_cap_ppm": 2**32 - 1}, True),
    ({"leverage_cap_ppm": 2**32}, False),
    ({"exposure_cap": 2**64}, False),
    ({"skew_cap": -1}, False),
    ({"quote_size": 2**32}, False),
    ({"unwind_ppm": 2**24 - 1}, True),
    ({"unwind_ppm": 2**24}, False),
]


@pytest.mark.parametrize(
    ("changes", "holds"), VAULT_BOUNDS, ids=[str(row) for row, _ in VAULT_BOUNDS]
)
def test_vault_terms(changes: dict[str, int], holds: bool) -> None:
    assert vault_terms_hold(VAULT_TERMS._replace(**changes)) is holds
