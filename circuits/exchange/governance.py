"""What governance may set: terms that fit their leaves and do not contradict each other."""

from __future__ import annotations

from circuits.exchange.draft import Draft
from circuits.exchange.leaves import FeeTerms, Leaf, MarketTerms, VaultTerms
from circuits.exchange.limits import (
    OPEN_INTEREST_QUOTE_MAX,
    PPM,
    QUOTE_LAYERS_MAX,
    TAKER_FEE_MAX_PPM,
)
from circuits.exchange.packing import words_of


def fits(leaf: Leaf) -> bool:
    """Whether every field of a leaf other than a header has room in its words."""
    try:
        words_of(leaf)
    except ValueError:
        return False
    return True


def can_list(draft: Draft) -> bool:
    """Whether a market would find fees and oracle signers."""
    return draft.fee_terms() is not None and draft.controls().signer_count > 0


def market_terms_hold(terms: MarketTerms) -> bool:
    """Whether a market may have these terms."""
    return (
        fits(terms)
        and terms.quote_per_tick_lot >= 1
        and 1 <= terms.size_min <= terms.open_interest_max
        and terms.open_interest_max * terms.quote_per_tick_lot <= OPEN_INTEREST_QUOTE_MAX
        and _margins_hold(terms)
        and terms.outlier_ppm <= PPM
        and terms.band_ppm <= PPM
        and terms.mark_band_ppm < PPM
        # Without a tick that agrees, a market could resume at the very price that stopped it.
        and terms.cooldown_ticks >= 1
        and terms.price_valid_ms >= 1
        and abs(terms.interest_ppb) <= terms.funding_cap_ppb
    )


def vault_terms_hold(terms: VaultTerms) -> bool:
    """Whether a vault may have these terms."""
    return fits(terms) and terms.epoch_ms >= 1 and terms.quote_layers <= QUOTE_LAYERS_MAX


def fee_terms_hold(terms: FeeTerms) -> bool:
    """Whether fees may be these, whatever the accounts are."""
    shares_ppm = terms.referrer_share_ppm + terms.vault_share_ppm + terms.insurance_share_ppm
    return (
        fits(terms)
        and terms.maker_ppm <= terms.taker_ppm <= TAKER_FEE_MAX_PPM
        and shares_ppm <= PPM
        and terms.fee_account != terms.insurance_account
    )


def _margins_hold(terms: MarketTerms) -> bool:
    initial, maintenance = terms.initial_ppm, terms.maintenance_ppm
    return (
        0 < maintenance <= initial
        and initial + terms.tier_1_initial_ppm + terms.tier_2_initial_ppm <= PPM
        and terms.tier_1_maintenance_ppm <= terms.tier_1_initial_ppm
        and terms.tier_2_maintenance_ppm <= terms.tier_2_initial_ppm
        and terms.tier_1_notional <= terms.tier_2_notional
        and terms.close_out_ppm <= PPM
        and terms.withdraw_buffer_ppm <= initial - maintenance
        and terms.liquidation_fee_ppm <= maintenance
    )
