"""Random work of the venue, the oracle and governance."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from circuits.exchange.events import Kind
from circuits.exchange.transactions.auto_deleverage import AutoDeleverage
from circuits.exchange.transactions.clear_orders import ClearOrders
from circuits.exchange.transactions.cover_deficit import CoverDeficit
from circuits.exchange.transactions.expire import Expire
from circuits.exchange.transactions.fire_trigger import FireTrigger
from circuits.exchange.transactions.funding_sample import FundingSample
from circuits.exchange.transactions.funding_settle import FundingSettle
from circuits.exchange.transactions.halt import Halt
from circuits.exchange.transactions.liquidate import Liquidate
from circuits.exchange.transactions.oracle_tick import OracleTick, Quote
from circuits.exchange.transactions.place import Place
from circuits.exchange.transactions.resume import Resume
from circuits.exchange.transactions.set_fees import SetFees
from circuits.exchange.transactions.set_mode import SetMode
from circuits.exchange.transactions.take_over import TakeOver
from circuits.exchange.transactions.update_market import UpdateMarket
from circuits.exchange.transactions.vault_quote import VaultQuote
from circuits.exchange.transactions.vault_settle_epoch import VaultSettleEpoch
from circuits.signature import Signature
from tests.naive.distress import is_clear, score
from tests.naive.order_book import is_reached
from tests.naive.scenario import (
    BASE_PRICES,
    INSURANCE_ACCOUNT,
    OTHER_POOL,
    POOL,
    TRADERS,
    fee_terms,
    market_terms,
)
from tests.naive.world import Refused

if TYPE_CHECKING:
    from tests.naive.flow import Flow


def what_is_due(flow: Flow) -> Any:
    """Work that the venue owes before anything else can happen in a market."""
    world = flow.world
    if world.mode and flow.chance(0.15):
        return SetMode(0)
    if world.fees and not world.fees.vault_account and flow.chance(0.1):
        return SetFees(fee_terms(POOL))
    for number, market in world.markets.items():
        sample, settle = market.next_sample_ms, market.next_settlement_ms
        if flow.now >= settle and settle <= sample:
            return FundingSettle(number) if flow.chance(0.9) else FundingSample(number)
        if flow.now >= sample:
            is_early = flow.now >= settle and flow.chance(0.1)
            return FundingSettle(number) if is_early else FundingSample(number)
        for each in world.triggers.get(number, ()):
            if is_reached(market, each.source, each.direction, each.trigger_price):
                return FireTrigger(number, each.source, each.direction)
        if flow.now >= market.valid_until_ms and market.status < 2 and flow.chance(0.6):
            can_halt = market.index > 0 and not market.is_halted and flow.chance(0.1)
            return Halt(number) if can_halt else tick(flow, number)
        if market.is_halted and flow.chance(0.25):
            is_calm = market.cooldown >= market.terms.cooldown_ticks
            return Resume(number) if is_calm or flow.chance(0.1) else tick(flow, number)
        if (market.status or market.terms != market_terms(number)) and flow.chance(0.03):
            return UpdateMarket(number, 0, market_terms(number))
    return None


def what_distress_asks_for(flow: Flow) -> Any:
    """The next step against some account that cannot keep what it has."""
    world = flow.world
    for account in flow.rng.sample(list(world.accounts), len(world.accounts)):
        markets = world.markets_of(account)
        if not markets:
            if flow.cash(account) < 0 and flow.chance(0.3):
                return CoverDeficit(account)
        elif flow.totals(account).is_liquidatable and flow.chance(0.7):
            if not is_clear(world, account):
                return ClearOrders(account)
            return forced_trade(flow, account, flow.rng.choice(markets))
    return None


def forced_trade(flow: Flow, account: int, market: int) -> Any:
    """Liquidate first, then take over, then deleverage; in no strict order."""
    signed = flow.world.size(account, market)
    held = abs(signed)
    size = flow.rng.choice([held, held, max(held // 2, 1), 1])
    draw = flow.rng.random()
    if draw < 0.25:
        flow.planned.append(lambda: way_out(flow, account, market, signed))
        return generous(flow, account, market, signed)
    if draw < 0.5:
        return Liquidate(account, market, size)
    if flow.totals(account).equity < 0 and draw < 0.8:
        return AutoDeleverage(account, market, counterparty(flow, account, market))
    backstop = flow.rng.choice([INSURANCE_ACCOUNT, POOL])
    return TakeOver(account, market, size, backstop)


def generous(flow: Flow, account: int, market: int, held: int) -> Place:
    """Somebody with money offers a price that is too good."""
    others = [who for who in TRADERS[:-1] if who != account]
    richest = max(others, key=lambda who: flow.totals(who).equity)
    better = flow.rng.uniform(0.0, 0.06)
    price = flow.world.markets[market].index * (1 + better if held > 0 else 1 - better)
    return Place(
        **flow.header(richest),
        key_slot=0,
        market=market,
        side=0 if held > 0 else 1,
        time_in_force=0,
        reduce_only=0,
        price=round(price),
        size=abs(held),
        good_until_ms=flow.now + 60_000,
    )


def way_out(flow: Flow, account: int, market: int, held: int) -> Place:
    """The owner closes what there is at any price."""
    return Place(
        **flow.header(account),
        key_slot=0,
        market=market,
        side=1 if held > 0 else 0,
        time_in_force=1,
        reduce_only=1,
        price=1 if held > 0 else 2**32 - 1,
        size=abs(held),
        good_until_ms=flow.now,
    )


def counterparty(flow: Flow, account: int, market: int) -> int:
    """The top of the other side, or anyone there."""
    world = flow.world
    held = world.size(account, market)
    others = [who for who in world.accounts if world.size(who, market) * held < 0]
    if not others:
        return flow.account()
    if flow.chance(0.3):
        return flow.rng.choice(others)
    scores = {}
    for who in others:
        try:
            scores[who] = score(world, who, market)
        except Refused:
            continue
    ranked = {who: value for who, value in scores.items() if value is not None}
    traders = [who for who in ranked if who not in (INSURANCE_ACCOUNT, POOL)]
    return max(traders, key=lambda who: ranked[who]) if traders else flow.rng.choice(others)


def tick(flow: Flow, market: int) -> OracleTick:
    """Quotes around a price that walks, jumps now and then, and finds back."""
    rng = flow.rng
    base = BASE_PRICES.get(market, 1_000)
    price = flow.prices.get(market, base)
    price *= 1 + rng.gauss(0, 0.004) + 0.02 * (base - price) / base
    draw = rng.random()
    if draw < flow.wildness:
        price *= 1 + rng.choice([-1, 1]) * rng.uniform(0.02, 0.14)
    elif draw < flow.wildness + 0.005:
        price *= 1 + rng.choice([-1, 1]) * rng.uniform(0.1, 0.3)
    flow.prices[market] = price = min(max(price, base / 3), base * 3)
    count = len(flow.world.signers)
    signers = rng.sample(range(count), max(count - rng.choice([0, 0, 1, 2]), 0))
    while len(signers) < flow.world.quorum and flow.chance(0.97):
        signers = rng.sample(range(count), count)
    quotes = []
    for signer in signers:
        quoted = price * (1 + rng.gauss(0, 0.0006))
        if flow.chance(0.03):
            quoted *= rng.choice([0.9, 1.1])
        made_ms = flow.now - rng.choice([0, 0, 1, 50, 700])
        quotes.append(Quote(signer, max(round(quoted), 1), made_ms, Signature(0, 0, 0)))
    quotes.sort(key=lambda quote: (quote.price, quote.signer))
    if quotes and flow.chance(0.03):
        quotes = spoiled(flow, quotes)
    return OracleTick(market, tuple(quotes))


def spoiled(flow: Flow, quotes: list[Quote]) -> list[Quote]:
    """Quotes with something wrong."""
    place = flow.rng.randrange(len(quotes))
    quote = quotes[place]
    bad = flow.rng.choice(
        [
            quote._replace(signer=9),
            quote._replace(signer=quotes[0].signer),
            quote._replace(price=0),
            quote._replace(price=2**32 - 1),
            quote._replace(time_ms=flow.now + 1),
            quote._replace(time_ms=flow.now - 2_001),
            quote._replace(time_ms=flow.world.markets[0].price_time_ms),
        ]
    )
    changed = [*quotes[:place], bad, *quotes[place + 1 :]]
    if flow.chance(0.7):
        changed.sort(key=lambda each: (each.price, each.signer))
    return changed * flow.rng.choice([1, 1, 1, 0, 4])


def make_expire(flow: Flow) -> Expire:
    past = [
        (market, order.slot)
        for market, orders in flow.world.books.items()
        for order in orders
        if order.good_until_ms < flow.now or flow.chance(0.1)
    ]
    if past and flow.chance(0.95):
        return Expire(*flow.rng.choice(past))
    return Expire(flow.market(), flow.rng.randint(0, 9))


def make_fire_trigger(flow: Flow) -> FireTrigger:
    return FireTrigger(flow.market(), flow.rng.randint(0, 1), flow.rng.randint(0, 1))


def make_liquidate(flow: Flow) -> Liquidate:
    held = list(flow.world.holdings)
    account, market = flow.rng.choice(held) if held else (1, 0)
    return Liquidate(account, market, flow.rng.randint(0, 10))


def make_take_over(flow: Flow) -> TakeOver:
    held = list(flow.world.holdings)
    account, market = flow.rng.choice(held) if held else (1, 0)
    backstop = flow.rng.choice([INSURANCE_ACCOUNT, POOL, OTHER_POOL, account])
    return TakeOver(account, market, flow.rng.randint(0, 10), backstop)


def make_auto_deleverage(flow: Flow) -> AutoDeleverage:
    held = list(flow.world.holdings)
    account, market = flow.rng.choice(held) if held else (1, 0)
    return AutoDeleverage(account, market, flow.account())


def make_vault_settle_epoch(flow: Flow) -> VaultSettleEpoch:
    waiting = [vault for vault, each in flow.world.vaults.items() if each.queue]
    vaults = waiting if waiting and flow.chance(0.9) else [POOL, OTHER_POOL, 1]
    return VaultSettleEpoch(flow.rng.choice(vaults))


MAKERS: dict[Kind, Callable[[Flow], Any]] = {
    Kind.ORACLE_TICK: lambda flow: tick(flow, flow.market()),
    Kind.EXPIRE: make_expire,
    Kind.TRIGGER: make_fire_trigger,
    Kind.FUNDING_SAMPLE: lambda flow: FundingSample(flow.market()),
    Kind.FUNDING_SETTLE: lambda flow: FundingSettle(flow.market()),
    Kind.HALT: lambda flow: Halt(flow.market()),
    Kind.RESUME: lambda flow: Resume(flow.market()),
    Kind.CLEAR_ORDERS: lambda flow: ClearOrders(flow.account()),
    Kind.LIQUIDATE: make_liquidate,
    Kind.TAKE_OVER: make_take_over,
    Kind.COVER_DEFICIT: lambda flow: CoverDeficit(flow.account()),
    Kind.AUTO_DELEVERAGE: make_auto_deleverage,
    Kind.VAULT_QUOTE: lambda flow: VaultQuote(flow.market()),
    Kind.VAULT_SETTLE_EPOCH: make_vault_settle_epoch,
}
