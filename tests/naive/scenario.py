"""A small venue under stress: few accounts, tight caps, high leverage."""

from __future__ import annotations

from circuits.exchange.bodies import Body
from circuits.exchange.leaves import FeeTerms, MarketTerms, VaultTerms
from circuits.exchange.transactions.deposit import Deposit
from circuits.exchange.transactions.list_market import ListMarket
from circuits.exchange.transactions.register_key import RegisterKey
from circuits.exchange.transactions.set_fees import SetFees
from circuits.exchange.transactions.set_oracle_signers import SetOracleSigners
from circuits.exchange.transactions.set_vault import SetVault
from circuits.exchange.transactions.vault_deposit import VaultDeposit
from tests.support.exchange import owner_of, public_key_of

USDC = 10**6
START_MS = 1_700_000_000_123

TRADERS = tuple(range(1, 11))
FEE_ACCOUNT, INSURANCE_ACCOUNT, POOL, OTHER_POOL = 11, 12, 13, 14
NEVER_OPENED = 15
FIRST_SUB = 2**23
SUBS = tuple(range(FIRST_SUB, FIRST_SUB + 4))
SIGNER_COUNT, QUORUM = 5, 3
FIRST_SIGNER_KEY = 100

BASE_PRICES = {0: 1_000, 1: 50_000, 7: 20}
"""Ticks; in every market one lot is worth about one USDC."""

SPARE_MARKET = 2
"""A market that hardly anybody trades in, so that it can be delisted."""


def owner(account: int) -> int:
    """The L1 owner; two of the traders are one person."""
    return owner_of(9 if account == 10 else account)


def signer_keys(count: int = SIGNER_COUNT) -> tuple[tuple[int, int], ...]:
    return tuple(public_key_of(FIRST_SIGNER_KEY + signer) for signer in range(count))


def market_terms(market: int) -> MarketTerms:
    """Terms with every rule in reach."""
    return MarketTerms(
        quote_per_tick_lot=USDC // BASE_PRICES.get(market, 1_000),
        initial_ppm=80_000 if market else 50_000,
        maintenance_ppm=40_000 if market else 25_000,
        close_out_ppm=500_000,
        withdraw_buffer_ppm=20_000 if market else 0,
        liquidation_fee_ppm=10_000,
        outlier_ppm=20_000,
        band_ppm=150_000,
        mark_band_ppm=50_000,
        cooldown_ticks=2,
        tier_1_notional=15 * USDC,
        tier_1_initial_ppm=30_000,
        tier_1_maintenance_ppm=10_000,
        tier_2_notional=30 * USDC,
        tier_2_initial_ppm=100_000,
        tier_2_maintenance_ppm=50_000,
        max_age_ms=2_000,
        price_valid_ms=90_000,
        interest_ppb=12_500,
        funding_clamp_ppb=50_000,
        funding_cap_ppb=4_000_000,
        size_min=2 if market == 1 else 1,
        open_interest_max=120,
    )


def vault_terms(quote_layers: int = 2) -> VaultTerms:
    return VaultTerms(
        leverage_cap_ppm=3_000_000,
        exposure_cap=20 * USDC,
        skew_cap=30 * USDC,
        epoch_ms=120_000,
        unwind_ppm=5_000,
        quote_spread_ppm=2_000,
        quote_step_ppm=3_000,
        quote_skew_ppm=20_000,
        quote_size=6,
        quote_layers=quote_layers,
    )


def fee_terms(vault_account: int) -> FeeTerms:
    return FeeTerms(
        taker_ppm=500,
        maker_ppm=200,
        referrer_share_ppm=100_001,
        vault_share_ppm=199_999,
        insurance_share_ppm=300_003,
        fee_account=FEE_ACCOUNT,
        insurance_account=INSURANCE_ACCOUNT,
        vault_account=vault_account,
    )


def opening(insurance_units: int) -> list[Body]:
    """The first commands: accounts, governance and vaults, once each before and after it can."""
    key = public_key_of
    accounts: list[Body] = []
    for account in TRADERS:
        accounts.append(Deposit(account, owner(account), (5 + 3 * account) * USDC))
        if account != TRADERS[-1]:
            accounts.append(RegisterKey(account, owner(account), *key(account)))
    own = (FEE_ACCOUNT, INSURANCE_ACCOUNT, POOL, OTHER_POOL)
    return [
        ListMarket(0, market_terms(0)),
        SetFees(fee_terms(0)),
        SetOracleSigners(QUORUM, (*signer_keys(4), (3, 5))),
        SetOracleSigners(QUORUM, signer_keys()),
        ListMarket(0, market_terms(0)),
        *accounts,
        *(RegisterKey(account, owner(account), *key(account)) for account in own),
        Deposit(INSURANCE_ACCOUNT, owner(INSURANCE_ACCOUNT), insurance_units),
        VaultDeposit(1, owner(1), USDC, POOL),
        SetVault(FEE_ACCOUNT, vault_terms()._replace(epoch_ms=0)),
        SetVault(POOL, vault_terms()),
        SetFees(fee_terms(OTHER_POOL)),
        SetFees(fee_terms(0)._replace(insurance_account=FEE_ACCOUNT)),
        SetFees(fee_terms(0)),
        SetFees(fee_terms(POOL)),
        SetVault(OTHER_POOL, vault_terms(0)),
        SetVault(INSURANCE_ACCOUNT, vault_terms()),
        ListMarket(0, market_terms(0)._replace(size_min=0)),
        *(ListMarket(market, market_terms(market)) for market in BASE_PRICES),
        ListMarket(1, market_terms(1)),
        VaultDeposit(1, owner(1), 7 * USDC + 7, POOL),
        VaultDeposit(2, owner(2), 5 * USDC + 1, POOL),
        VaultDeposit(3, owner(3), 3 * USDC, OTHER_POOL),
        VaultDeposit(4, owner(4), 2 * USDC, OTHER_POOL),
    ]
