"""What governance decides; a decision that contradicts itself changes nothing."""

from __future__ import annotations

from typing import Any

from circuits.exchange.errors import RejectReason
from circuits.exchange.leaves import FeeTerms, MarketTerms
from tests.naive.cash import cleared
from tests.naive.double_entry import cash_units
from tests.naive.oracle import HOUR_MS, MINUTE_MS, next_after
from tests.naive.order_book import order_count, trigger_count
from tests.naive.world import DELISTED, FEE, INSURANCE, USER, VAULT, Market, Vault, World, require

WHOLE = 10**6


def are_sound(terms: MarketTerms) -> bool:
    """Whether the terms of a market fit together."""
    sums = terms.initial_ppm + terms.tier_1_initial_ppm + terms.tier_2_initial_ppm
    return all(
        (
            terms.quote_per_tick_lot >= 1,
            terms.open_interest_max >= 1,
            terms.open_interest_max * terms.quote_per_tick_lot <= 2**31,
            1 <= terms.size_min <= terms.open_interest_max,
            0 < terms.maintenance_ppm <= terms.initial_ppm <= WHOLE,
            terms.close_out_ppm <= WHOLE,
            terms.withdraw_buffer_ppm <= terms.initial_ppm - terms.maintenance_ppm,
            sums <= WHOLE,
            terms.tier_1_maintenance_ppm <= terms.tier_1_initial_ppm,
            terms.tier_2_maintenance_ppm <= terms.tier_2_initial_ppm,
            terms.tier_1_notional <= terms.tier_2_notional,
            terms.liquidation_fee_ppm <= terms.maintenance_ppm,
            terms.band_ppm <= WHOLE,
            terms.outlier_ppm <= WHOLE,
            terms.mark_band_ppm < WHOLE,
            terms.cooldown_ticks >= 1,
            terms.price_valid_ms >= 1,
            abs(terms.interest_ppb) <= terms.funding_cap_ppb,
        )
    )


def apply_list_market(world: World, command: Any) -> None:
    require(command.market not in world.markets, RejectReason.MARKET_EXISTS)
    can_list = command.market <= 1023 and world.fees is not None and bool(world.signers)
    require(can_list and are_sound(command.terms), RejectReason.INVALID_TERMS)
    world.markets[command.market] = Market(
        command.terms, next_after(world.now, MINUTE_MS), next_after(world.now, HOUR_MS)
    )
    world.markets = dict(sorted(world.markets.items()))


def apply_update_market(world: World, command: Any) -> None:
    market = world.market(command.market)
    same = command.terms.quote_per_tick_lot == market.terms.quote_per_tick_lot
    is_valid = same and command.status <= DELISTED and are_sound(command.terms)
    if command.status == DELISTED:
        is_valid = is_valid and world.open_interest(command.market) == 0
    require(is_valid, RejectReason.INVALID_TERMS)
    world.change_market(command.market, status=command.status, terms=command.terms)


def apply_set_oracle_signers(world: World, command: Any) -> None:
    keys = tuple(cleared(key) for key in command.keys)
    count = len(keys)
    is_valid = 1 <= count <= 16 and None not in keys and len(set(keys)) == count
    is_valid = is_valid and command.quorum <= count < 2 * command.quorum
    require(is_valid, RejectReason.INVALID_TERMS)
    world.signers = tuple(key for key in keys if key)
    world.quorum = command.quorum


def is_idle(world: World, account: int) -> bool:
    """Whether an account has nothing going on."""
    busy = order_count(world, account) + trigger_count(world, account)
    return not busy and not world.markets_of(account)


def apply_set_fees(world: World, command: Any) -> None:
    terms: FeeTerms = command.terms
    own = (terms.fee_account, terms.insurance_account)
    shares = terms.referrer_share_ppm + terms.vault_share_ppm + terms.insurance_share_ppm
    is_valid = terms.maker_ppm <= terms.taker_ppm <= 100_000 and shares <= WHOLE
    require(is_valid and own[0] != own[1], RejectReason.INVALID_TERMS)
    has_vault = terms.vault_account == 0 or world.is_vault(terms.vault_account)
    require(has_vault, RejectReason.UNKNOWN_VAULT)
    if world.fees:
        same = own == (world.fees.fee_account, world.fees.insurance_account)
        require(same, RejectReason.INVALID_TERMS)
    else:
        holders = [world.account(account, RejectReason.UNKNOWN_ACCOUNT) for account in own]
        for account, holder in zip(own, holders, strict=True):
            require(holder.kind == USER, RejectReason.ACCOUNT_KIND)
            require(is_idle(world, account), RejectReason.INVALID_TERMS)
    world.fees = terms
    for account, kind in zip(own, (FEE, INSURANCE), strict=True):
        world.change_account(account, kind=kind)


def apply_set_vault(world: World, command: Any) -> None:
    account, terms = command.account, command.terms
    holder = world.account(account, RejectReason.UNKNOWN_ACCOUNT)
    require(holder.kind in (USER, VAULT), RejectReason.ACCOUNT_KIND)
    is_valid = terms.epoch_ms >= 1 and terms.quote_layers <= 3
    require(is_valid, RejectReason.INVALID_TERMS)
    if world.is_vault(account):
        world.vaults[account] = world.vaults[account]._replace(terms=terms)
        return
    holds = any(who == account for who, _ in world.stakes)
    is_empty = is_idle(world, account) and not holds and not cash_units(world, account)
    require(is_empty, RejectReason.INVALID_TERMS)
    world.vaults[account] = Vault(terms, world.now + terms.epoch_ms)
    world.change_account(account, kind=VAULT)


def apply_set_mode(world: World, command: Any) -> None:
    require(command.mode <= 2, RejectReason.INVALID_TERMS)
    world.mode = command.mode


def apply_rotate_sequencer(world: World, command: Any) -> None:
    require(command.epoch > world.sequencer_epoch, RejectReason.INVALID_TERMS)
    world.sequencer_epoch = command.epoch
