"""Plain facts about an exchange, read once from each implementation, to be equal.

Every fact of the rules is here but the links of lists, for which the order of the list stands.
"""

from __future__ import annotations

from typing import Any

from tests.naive.double_entry import CASH_UNIT, cash_units, custody
from tests.naive.order_book import firing_order, order_count, ranked, trigger_count
from tests.naive.world import Holder, Market, Resting, Waiting, World

View = dict[str, Any]


def view_of_world(world: World) -> View:
    """All facts of the second implementation."""
    return {
        "time_ms": world.now,
        "custody": custody(world),
        "controls": (world.mode, world.sequencer_epoch, world.quorum, len(world.signers)),
        "signers": dict(enumerate(world.signers)),
        "fees": world.fees,
        "accounts": {account: account_facts(world, account) for account in world.accounts},
        "agents": {
            place: (*agent.key, agent.scope, agent.expiry_ms, agent.nonce)
            if agent.key
            else ("revoked", agent.nonce)
            for place, agent in world.agents.items()
        },
        "positions": {
            where: (each.size, each.entry_quote, each.place)
            for where, each in world.holdings.items()
        },
        "lists": {
            (market, side): position_list(world, market, sign)
            for market in world.markets
            for side, sign in (("long", 1), ("short", -1))
        },
        "books": {
            (market, side): [order_facts(order) for order in ranked(world, market, side)]
            for market in world.markets
            for side in (0, 1)
        },
        "triggers": {
            (market, source, direction): [
                trigger_facts(each) for each in firing_order(world, market, source, direction)
            ]
            for market in world.markets
            for source in (0, 1)
            for direction in (0, 1)
        },
        "markets": {
            market: market_facts(world, market, each) for market, each in world.markets.items()
        },
        "shares": {
            where: (stake.shares, stake.pending, stake.place)
            for where, stake in world.stakes.items()
        },
        "vaults": {vault: vault_facts(world, vault) for vault in world.vaults},
    }


def account_facts(world: World, account: int) -> tuple[Any, ...]:
    """Owner, key, nonce, cash, kind, referrer, and how much rests and waits."""
    holder: Holder = world.accounts[account]
    return (
        holder.owner,
        holder.key,
        holder.nonce,
        cash_units(world, account),
        holder.kind,
        holder.referrer,
        order_count(world, account),
        trigger_count(world, account),
    )


def position_list(world: World, market: int, sign: int) -> list[int]:
    """The accounts long (or short) in a market, newest first."""
    held = [
        (-each.since, account)
        for (account, where), each in world.holdings.items()
        if where == market and each.size * sign > 0
    ]
    return [account for _, account in sorted(held)]


def order_facts(order: Resting) -> tuple[Any, ...]:
    return (
        *order.name,
        order.slot,
        order.price,
        order.remaining,
        order.good_until_ms,
        order.reduce_only,
    )


def trigger_facts(each: Waiting) -> tuple[Any, ...]:
    return (
        *each.name,
        each.slot,
        each.trigger_price,
        each.side,
        each.reduce_only,
        each.time_in_force,
        each.price,
        each.size,
        each.good_until_ms,
    )


def market_facts(world: World, number: int, market: Market) -> tuple[Any, ...]:
    """Terms, prices, timers and what the market's own leaves count."""
    funding = market.funding / CASH_UNIT
    assert funding.denominator == 1
    return (
        market.terms,
        market.index,
        market.mark,
        market.price_time_ms,
        market.valid_until_ms,
        market.status,
        int(market.is_halted),
        market.cooldown,
        market.pending,
        funding.numerator,
        sum(market.premiums),
        len(market.premiums),
        market.next_sample_ms,
        market.next_settlement_ms,
        market.last_trade,
        world.open_interest(number),
    )


def vault_facts(world: World, vault: int) -> tuple[Any, ...]:
    """Terms, all shares, those that wait, and who waits."""
    kept = world.vaults[vault]
    stakes = [stake for (_, where), stake in world.stakes.items() if where == vault]
    return (
        kept.terms,
        sum(stake.shares for stake in stakes),
        sum(stake.pending for stake in stakes),
        kept.next_epoch_ms,
        list(kept.queue),
    )
