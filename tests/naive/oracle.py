"""Prices: ticks, the breaker, the mark price and funding."""

from __future__ import annotations

from fractions import Fraction
from statistics import median
from typing import Any

from circuits.exchange.errors import RejectReason
from tests.naive.order_book import best, require_current
from tests.naive.standing import why_dead
from tests.naive.world import ASK, BID, DELISTED, World, require

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
SAMPLES_MAX = 65_535
FUNDING_BOUND = Fraction(2**110, 10**18)


def live_price(world: World, market: int, side: int) -> int | None:
    """The best price of a side unless its order is one that may not stand."""
    order = best(world, market, side)
    return order.price if order and why_dead(world, market, order) is None else None


def set_mark(world: World, number: int) -> None:
    """The middle of the index, the index with its premium, and the book's middle."""
    market = world.markets[number]
    index = market.index
    reach = index * market.terms.mark_band_ppm // 10**6
    bid, ask = live_price(world, number, BID), live_price(world, number, ASK)
    middle = index if bid is None or ask is None else (bid + ask) // 2
    average = sum(market.premiums) // len(market.premiums) if market.premiums else 0
    near = [min(max(price, index - reach), index + reach) for price in (index + average, middle)]
    world.change_market(number, mark=max(1, median([index, *near])))


def apply_oracle_tick(world: World, command: Any) -> None:
    market = world.market(command.market)
    require(market.status != DELISTED, RejectReason.MARKET_STATUS)
    require_current(world, command.market)
    quotes = command.quotes
    require(1 <= len(quotes) <= 16, RejectReason.QUOTE_COUNT)
    keys = [(quote.price, quote.signer) for quote in quotes]
    require(keys == sorted(set(keys)), RejectReason.QUOTE_ORDER)
    seen: set[int] = set()
    for quote in quotes:
        require(quote.signer < len(world.signers), RejectReason.UNKNOWN_SIGNER)
        require(quote.signer not in seen, RejectReason.DUPLICATE_SIGNER)
        seen.add(quote.signer)
        require(quote.price > 0, RejectReason.PRICE_ZERO)
        require(quote.time_ms <= world.now, RejectReason.QUOTE_FUTURE)
        age = world.now - quote.time_ms
        require(age <= market.terms.max_age_ms, RejectReason.QUOTE_STALE)
        require(quote.time_ms > market.price_time_ms, RejectReason.QUOTE_NOT_NEWER)
    require(len(quotes) >= world.quorum, RejectReason.QUORUM)
    world.change_market(
        command.market,
        price_time_ms=max(quote.time_ms for quote in quotes),
        valid_until_ms=world.now + market.terms.price_valid_ms,
    )
    take_price(world, command.market, [quote.price for quote in quotes])


def take_price(world: World, number: int, prices: list[int]) -> None:
    """What the prices of a tick do to the index, or to the breaker."""
    market = world.markets[number]
    middle = prices[(len(prices) - 1) // 2]
    outlier = Fraction(market.terms.outlier_ppm, 10**6) * middle
    agree = sum(abs(price - middle) <= outlier for price in prices) >= world.quorum
    reference = market.pending if market.is_halted else market.index
    band = Fraction(market.terms.band_ppm, 10**6) * reference
    is_calm = agree and abs(middle - reference) <= band
    if market.index == 0:
        require(agree, RejectReason.QUORUM)
    if market.is_halted:
        count = min(255, market.cooldown + 1) if is_calm else 0
        world.change_market(number, pending=middle, cooldown=count)
    elif market.index == 0 or is_calm:
        world.change_market(number, index=middle)
        set_mark(world, number)
    else:
        world.change_market(number, is_halted=True, cooldown=0, pending=middle)


def apply_halt(world: World, command: Any) -> None:
    market = world.market(command.market)
    is_due = not market.is_halted and market.index > 0 and world.now >= market.valid_until_ms
    require(is_due, RejectReason.NOT_DUE)
    world.change_market(command.market, is_halted=True, cooldown=0, pending=market.index)


def apply_resume(world: World, command: Any) -> None:
    market = world.market(command.market)
    is_due = (
        market.is_halted
        and market.cooldown >= market.terms.cooldown_ticks
        and world.now < market.valid_until_ms
    )
    require(is_due, RejectReason.NOT_DUE)
    require_current(world, command.market)
    world.change_market(command.market, is_halted=False, index=market.pending)
    set_mark(world, command.market)


def next_after(now: int, period: int) -> int:
    return (now // period + 1) * period


def apply_funding_sample(world: World, command: Any) -> None:
    market = world.market(command.market)
    require(world.now >= market.next_sample_ms, RejectReason.NOT_DUE)
    settle_first = market.next_settlement_ms <= market.next_sample_ms
    if settle_first:
        require(world.now < market.next_settlement_ms, RejectReason.FUNDING_DUE)
    has_price = not market.is_halted and market.index > 0 and world.now < market.valid_until_ms
    if has_price and len(market.premiums) < SAMPLES_MAX:
        bid = live_price(world, command.market, BID) or 0
        ask = live_price(world, command.market, ASK)
        premium = max(0, bid - market.index)
        if ask is not None:
            premium -= max(0, market.index - ask)
        world.change_market(command.market, premiums=(*market.premiums, premium))
        set_mark(world, command.market)
    world.change_market(command.market, next_sample_ms=next_after(world.now, MINUTE_MS))


def apply_funding_settle(world: World, command: Any) -> None:
    market = world.market(command.market)
    require(world.now >= market.next_settlement_ms, RejectReason.NOT_DUE)
    sample_first = market.next_sample_ms < market.next_settlement_ms
    require(not sample_first, RejectReason.FUNDING_DUE)
    terms, rate = market.terms, 0
    if market.premiums and market.index:
        average = sum(market.premiums) * 10**9 // (len(market.premiums) * market.index)
        clamp = terms.funding_clamp_ppb
        rate = average + min(max(terms.interest_ppb - average, -clamp), clamp)
        rate = min(max(rate, -terms.funding_cap_ppb), terms.funding_cap_ppb)
    funding = market.funding + Fraction(rate, 10**9) * market.index * market.quote
    most = max(terms.open_interest_max, world.open_interest(command.market))
    if abs(funding) * most >= FUNDING_BOUND:
        funding = market.funding
    world.change_market(
        command.market,
        funding=funding,
        premiums=(),
        next_settlement_ms=next_after(world.now, HOUR_MS),
    )
