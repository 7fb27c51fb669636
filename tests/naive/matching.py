"""A taker against the book: who trades, who is dropped, what everybody pays."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from circuits.exchange.errors import RejectReason
from tests.naive.double_entry import post, trade
from tests.naive.health import hindrance, totals
from tests.naive.order_book import best, remove, shrink
from tests.naive.world import BID, Fill, Name, Refused, Resting, World

STEPS_MAX = 50


class Taker(NamedTuple):
    """Who takes; a liquidation has the zero price that it began with."""

    name: Name
    market: int
    side: int
    limit: int
    size: int
    is_post_only: bool = False
    zero_price: int | None = None


class Ending(NamedTuple):
    """What was left, and why if it was neither for want of size nor of offers.

    `steps` counts the fills and the drops.
    """

    remaining: int
    filled: int
    reason: RejectReason | None
    steps: int


class Due(NamedTuple):
    """Part of a fee, and who gets it."""

    to: int
    amount: Fraction


def fee_parts(world: World, payer: int, notional: Fraction, ppm: int) -> list[Due]:
    """The fee of one side, split; the parts make up the whole."""
    terms = world.fees
    assert terms is not None
    fee = notional * ppm / 10**6
    referrer = world.accounts[payer].referrer
    parts = [
        Due(
            terms.vault_account,
            fee * terms.vault_share_ppm / 10**6 if terms.vault_account else fee * 0,
        ),
        Due(terms.insurance_account, fee * terms.insurance_share_ppm / 10**6),
        Due(referrer, fee * terms.referrer_share_ppm / 10**6 if referrer else fee * 0),
    ]
    rest = fee - sum((part.amount for part in parts), Fraction(0))
    return [part for part in [*parts, Due(terms.fee_account, rest)] if part.amount]


def total(parts: list[Due]) -> Fraction:
    return sum((part.amount for part in parts), Fraction(0))


def signed(side: int, size: int) -> int:
    return size if side == BID else -size


def taker_parts(world: World, taker: Taker, price: int, size: int) -> list[Due]:
    """What the taker pays for a fill: fees, or a liquidation's part of the better price."""
    market = world.markets[taker.market]
    notional = size * price * market.quote
    assert world.fees is not None
    if taker.zero_price is None:
        return fee_parts(world, taker.name[0], notional, world.fees.taker_ppm)
    better = abs(price - taker.zero_price) * size * market.quote
    fee = min(notional * market.terms.liquidation_fee_ppm / 10**6, better)
    return [Due(world.fees.insurance_account, fee)]


def taker_hindrance(
    world: World, taker: Taker, maker: Any, price: int, size: int
) -> RejectReason | None:
    """Why the taker may not have this fill."""
    account = taker.name[0]
    if taker.zero_price is not None and not totals(world, account).is_liquidatable:
        return RejectReason.NOT_LIQUIDATABLE
    bought = signed(taker.side, size)
    fee = total(taker_parts(world, taker, price, size))
    reason = hindrance(world, account, taker.market, bought, price, fee)
    if reason:
        return reason
    longs = 0
    for who, change in ((account, bought), (maker, -bought)):
        old = world.size(who, taker.market)
        longs += max(old + change, 0) - max(old, 0)
    most = world.markets[taker.market].terms.open_interest_max
    if longs > 0 and world.open_interest(taker.market) + longs > most:
        return RejectReason.OPEN_INTEREST
    return None


def exchange_lots(
    world: World, market: int, taker: int, maker: int, bought: int, price: int
) -> None:
    """Move lots from one account to the other, and remember it."""
    trade(world, taker, market, bought, price)
    trade(world, maker, market, -bought, price)
    world.fills = (*world.fills, Fill(market, price, abs(bought), taker, maker))


def stale_reason(world: World, taker: Taker, order: Resting) -> RejectReason | None:
    """Why a resting order cannot be met by anybody."""
    if order.good_until_ms < world.now:
        return RejectReason.EXPIRED
    if only_reduces(world, taker.market, order) and not reducible(
        world, order.name[0], taker.market, order.side
    ):
        return RejectReason.REDUCE_ONLY
    return None


def only_reduces(world: World, market: int, order: Resting) -> bool:
    """Whether a resting order may only close: by its own word, or while the market is halted."""
    return bool(order.reduce_only) or world.markets[market].is_halted


def reducible(world: World, account: int, market: int, side: int) -> int:
    """How many lots an order of this side can close."""
    size = world.size(account, market)
    return max(-size if side == BID else size, 0)


def fill(world: World, taker: Taker, order: Resting, size: int) -> RejectReason | None:
    """One fill with both sides' fees; why the maker may not, if so."""
    assert world.fees is not None
    market, maker, price = taker.market, order.name[0], order.price
    notional = size * price * world.markets[market].quote
    maker_parts = fee_parts(world, maker, notional, world.fees.maker_ppm)
    bought = signed(taker.side, size)
    reason = hindrance(world, maker, market, -bought, price, total(maker_parts))
    if reason:
        return reason
    taken_parts = taker_parts(world, taker, price, size)
    exchange_lots(world, market, taker.name[0], maker, bought, price)
    world.change_market(market, last_trade=price)
    for payer, parts in ((taker.name[0], taken_parts), (maker, maker_parts)):
        for part in parts:
            post(world, payer, part.to, part.amount)
    shrink(world, market, order.name, size)
    if only_reduces(world, market, order) and not world.size(maker, market):
        if any(each.name == order.name for each in world.books[market]):
            remove(world, market, order.name)
    return None


def take(world: World, taker: Taker) -> Ending:
    """Go down the other side of the book."""
    remaining, steps = taker.size, 0
    while remaining:
        order = best(world, taker.market, 1 - taker.side)
        if order is None or not crosses(taker.side, taker.limit, order.price):
            break
        if steps == STEPS_MAX:
            return Ending(remaining, taker.size - remaining, RejectReason.MATCH_STEPS, steps)
        steps += 1
        reason = stale_reason(world, taker, order)
        if reason is None and taker.is_post_only:
            raise Refused(RejectReason.POST_ONLY_CROSSES)
        if reason or order.name[0] == taker.name[0]:
            remove(world, taker.market, order.name)
            continue
        size = min(remaining, order.remaining)
        if only_reduces(world, taker.market, order):
            size = min(size, reducible(world, order.name[0], taker.market, order.side))
        reason = taker_hindrance(world, taker, order.name[0], order.price, size)
        if reason:
            return Ending(remaining, taker.size - remaining, reason, steps - 1)
        if fill(world, taker, order, size):
            remove(world, taker.market, order.name)
        else:
            remaining -= size
    return Ending(remaining, taker.size - remaining, None, steps)


def crosses(side: int, limit: int, price: int) -> bool:
    return limit >= price if side == BID else limit <= price
