"""The first commands of a run: governance, keys, deposits, and what traders arrange at once."""

from __future__ import annotations

from collections.abc import Iterator

from circuits.exchange.bodies import Body, Governed
from circuits.exchange.leaves import FeeTerms, VaultTerms
from circuits.exchange.transactions.adjust_isolated import AdjustIsolated
from circuits.exchange.transactions.authority import SCOPE_TRADE
from circuits.exchange.transactions.deposit import Deposit
from circuits.exchange.transactions.list_market import ListMarket
from circuits.exchange.transactions.register_key import RegisterKey
from circuits.exchange.transactions.set_agent import SetAgent
from circuits.exchange.transactions.set_fees import SetFees
from circuits.exchange.transactions.set_oracle_signers import SetOracleSigners
from circuits.exchange.transactions.set_referrer import SetReferrer
from circuits.exchange.transactions.set_vault import SetVault
from circuits.exchange.transactions.vault_deposit import VaultDeposit
from circuits.exchange.units import TokenUnits
from sequencer.sim.cast import (
    AGENT_KEY_SLOT,
    FEE_ACCOUNT,
    INSURANCE_ACCOUNT,
    QUORUM,
    SIGNERS,
    VAULT_ACCOUNT,
    Cast,
    owner_of,
)
from sequencer.sim.desk import Desk, Trader, unsigned
from sequencer.sim.keys import Keyring
from sequencer.sim.markets import MARKETS, TOKEN
from sequencer.sim.plan import Plan

INSURANCE_TOKENS = 20_000
"""Little, beside what followers will owe: the crash is to empty it."""

MAKER_TOKENS, PROVIDER_TOKENS = 3_000_000, 150_000
FOLLOWER_TOKENS, TAKER_TOKENS = 5_000, 2_000
"""Followers get up to six times as much, takers up to twenty."""

AGENT_DAYS_MS = 7 * 24 * 3_600_000
REFERRED_ONE_IN = 3


def opening(desk: Desk, cast: Cast, keyring: Keyring) -> Iterator[Body]:
    """Everything up to the first price, each made when it is its turn."""
    for account in (FEE_ACCOUNT, INSURANCE_ACCOUNT, VAULT_ACCOUNT):
        yield registration(account, owner_of(account), keyring)
    yield Deposit(
        INSURANCE_ACCOUNT, owner_of(INSURANCE_ACCOUNT), TokenUnits(INSURANCE_TOKENS * TOKEN)
    )
    yield from governance(desk.plan, keyring)
    for trader in cast.traders:
        yield registration(trader.account, trader.owner, keyring)
        yield Deposit(trader.account, trader.owner, _first_deposit(desk, cast, trader))


def arrangements(desk: Desk, cast: Cast, keyring: Keyring) -> Iterator[Body]:
    """Agents, referrers, sub-accounts and the first shares of the vault."""
    for trader in cast.agents:
        key = keyring.public_key((trader.account, AGENT_KEY_SLOT))
        expiry_ms = desk.time_ms + AGENT_DAYS_MS
        yield unsigned(
            SetAgent(*desk.owning(trader.account), AGENT_KEY_SLOT - 1, SCOPE_TRADE, expiry_ms, *key)
        )
    for taker in cast.takers[::REFERRED_ONE_IN]:
        referrer = cast.followers[taker.account % len(cast.followers)].account
        yield unsigned(SetReferrer(*desk.owning(taker.account), referrer))
    for taker, sub in zip(cast.takers, cast.isolated, strict=False):
        amount = TokenUnits((200 + desk.rng.randrange(800)) * TOKEN)
        yield unsigned(AdjustIsolated(*desk.owning(taker.account), sub.account, 0, amount))
    for provider in cast.providers:
        amount = TokenUnits((50_000 + desk.rng.randrange(100_000)) * TOKEN)
        yield VaultDeposit(provider.account, provider.owner, amount, VAULT_ACCOUNT)


def registration(account: int, owner: int, keyring: Keyring) -> RegisterKey:
    """The owner names the account's key."""
    return RegisterKey(account, owner, *keyring.public_key((account, 0)))


def governance(plan: Plan, keyring: Keyring) -> Iterator[Governed]:
    """The vault, the fees, the oracle, and the markets."""
    yield SetVault(VAULT_ACCOUNT, vault_terms(plan))
    yield SetFees(
        FeeTerms(
            taker_ppm=400,
            maker_ppm=100,
            referrer_share_ppm=100_000,
            vault_share_ppm=150_000,
            insurance_share_ppm=50_000,
            fee_account=FEE_ACCOUNT,
            insurance_account=INSURANCE_ACCOUNT,
            vault_account=VAULT_ACCOUNT,
        )
    )
    keys = tuple(keyring.public_key((0, signer)) for signer in range(SIGNERS))
    yield SetOracleSigners(QUORUM, keys)
    for market in MARKETS:
        yield ListMarket(market.number, market.terms(plan))


def vault_terms(plan: Plan) -> VaultTerms:
    """A vault that quotes a little and can hold little."""
    return VaultTerms(
        leverage_cap_ppm=2_000_000,
        exposure_cap=400_000 * TOKEN,
        skew_cap=600_000 * TOKEN,
        epoch_ms=plan.epoch_ms,
        unwind_ppm=1_000,
        quote_spread_ppm=1_200,
        quote_step_ppm=800,
        quote_skew_ppm=2_000,
        quote_size=2_000,
        quote_layers=2,
    )


def _first_deposit(desk: Desk, cast: Cast, trader: Trader) -> TokenUnits:
    rng = desk.rng
    if trader in cast.makers:
        tokens = MAKER_TOKENS
    elif trader in cast.providers:
        tokens = PROVIDER_TOKENS
    elif trader in cast.followers:
        tokens = FOLLOWER_TOKENS * (1 + rng.randrange(6))
    else:
        tokens = TAKER_TOKENS * (1 + rng.randrange(20))
    return TokenUnits(tokens * TOKEN)
