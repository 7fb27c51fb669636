"""Random decisions of governance, of which many contradict themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from circuits.exchange.events import Kind
from circuits.exchange.transactions.list_market import ListMarket
from circuits.exchange.transactions.rotate_sequencer import RotateSequencer
from circuits.exchange.transactions.set_fees import SetFees
from circuits.exchange.transactions.set_mode import SetMode
from circuits.exchange.transactions.set_oracle_signers import SetOracleSigners
from circuits.exchange.transactions.set_vault import SetVault
from circuits.exchange.transactions.update_market import UpdateMarket
from tests.naive.scenario import (
    INSURANCE_ACCOUNT,
    OTHER_POOL,
    POOL,
    QUORUM,
    SPARE_MARKET,
    fee_terms,
    market_terms,
    signer_keys,
    vault_terms,
)

if TYPE_CHECKING:
    from tests.naive.flow import Flow


def make_list_market(flow: Flow) -> ListMarket:
    """Mostly a market that is there, or terms that do not hold together."""
    number = flow.rng.choice([0, 1, SPARE_MARKET, SPARE_MARKET, 7, 1024])
    terms = market_terms(number)
    change = flow.rng.choice(
        [
            {"initial_ppm": terms.maintenance_ppm - 1},
            {"withdraw_buffer_ppm": terms.initial_ppm - terms.maintenance_ppm + 1},
            {"tier_2_initial_ppm": 10**6},
            {"tier_1_notional": terms.tier_2_notional + 1},
            {"size_min": terms.open_interest_max + 1},
            {"mark_band_ppm": 10**6},
            {"interest_ppb": -terms.funding_cap_ppb - 1},
            {"price_valid_ms": 0},
            {"cooldown_ticks": 0},
        ]
    )
    return ListMarket(number, terms._replace(**change) if flow.chance(0.6) else terms)


def make_update_market(flow: Flow) -> UpdateMarket:
    """Changes that trading feels, and some that must be refused."""
    number = SPARE_MARKET if flow.chance(0.3) else flow.market()
    terms = market_terms(number)
    change = flow.rng.choice(
        [
            {},
            {"open_interest_max": 40},
            {"open_interest_max": 120},
            {"size_min": 3},
            {"maintenance_ppm": terms.initial_ppm, "withdraw_buffer_ppm": 0},
            {"quote_per_tick_lot": 1},
            {"band_ppm": 10**6 + 1},
            {"cooldown_ticks": 0},
        ]
    )
    status = flow.rng.choices([0, 1, 2, 3], [10, 3, 3, 1])[0]
    return UpdateMarket(number, status, terms._replace(**change))


def make_set_oracle_signers(flow: Flow) -> SetOracleSigners:
    count, quorum = flow.rng.choice([(5, QUORUM), (4, QUORUM), (5, 2), (3, 4), (0, 0)])
    keys = signer_keys(count)
    if flow.chance(0.2):
        keys = (*keys, *keys[:1])
    return SetOracleSigners(quorum, keys)


def make_set_fees(flow: Flow) -> SetFees:
    """Other fees, the vault as before, none, or something that may not be."""
    terms = fee_terms(flow.rng.choice([POOL, POOL, POOL, 0, 1]))
    change = flow.rng.choice(
        [
            {},
            {"maker_ppm": 0},
            {"taker_ppm": 199},
            {"taker_ppm": 100_001},
            {"vault_share_ppm": 0},
            {"referrer_share_ppm": 10**6},
            {"fee_account": 2},
        ]
    )
    return SetFees(terms._replace(**change))


def make_set_vault(flow: Flow) -> SetVault:
    account = flow.rng.choice([POOL, POOL, POOL, OTHER_POOL, 1, 15, INSURANCE_ACCOUNT])
    terms = vault_terms(flow.rng.choice([0, 1, 2, 3]))
    change = flow.rng.choice(
        [
            {},
            {"quote_layers": 4},
            {"quote_size": 0},
            {"epoch_ms": 0},
            {"leverage_cap_ppm": 0},
            {"leverage_cap_ppm": 5_000_000, "unwind_ppm": 0},
            {"quote_spread_ppm": 0, "quote_step_ppm": 0},
        ]
    )
    return SetVault(account, terms._replace(**change))


def make_set_mode(flow: Flow) -> SetMode:
    return SetMode(flow.rng.choice([0, 0, 1, 1, 2, 3]))


def make_rotate_sequencer(flow: Flow) -> RotateSequencer:
    return RotateSequencer(flow.world.sequencer_epoch + flow.rng.choice([0, 1, 1, 5]))


MAKERS: dict[Kind, Callable[[Flow], Any]] = {
    Kind.LIST_MARKET: make_list_market,
    Kind.UPDATE_MARKET: make_update_market,
    Kind.SET_ORACLE_SIGNERS: make_set_oracle_signers,
    Kind.SET_FEES: make_set_fees,
    Kind.SET_VAULT: make_set_vault,
    Kind.SET_MODE: make_set_mode,
    Kind.ROTATE_SEQUENCER: make_rotate_sequencer,
}
