"""The price that a market takes from its oracle, the breaker over it, and the mark behind it."""

from __future__ import annotations

from circuits.exchange.addresses import prices_address
from circuits.exchange.backing import lack_of
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.gates import require_market
from circuits.exchange.leaves import MarketPrices
from circuits.exchange.limits import PPM
from circuits.exchange.steps import BreakerHeld, BreakerTripped, PriceTaken

COOLDOWN_COUNT_MAX = 2**8 - 1
"""The byte that counts agreeing ticks stays at its end."""


def is_near(price: int, reference: int, ppm: int) -> bool:
    """Whether a price is at most so many millionths of the reference away from it."""
    return abs(price - reference) * PPM <= ppm * reference


def take_median(draft: Draft, market: int, median: int, is_agreed: bool, time_ms: int) -> None:
    """Take the median of a tick as the price, or let the breaker stop the market at it.

    `is_agreed` says that a quorum of quotes is near the median. A halted market remembers the
    median and counts the ticks in a row that agreed with the one before; only `resume` takes it.
    Raises: Rejected with QUORUM for a first price that no quorum agrees on.
    """
    terms = require_market(draft, market)
    prices = draft.prices(market)
    if prices.index_price == 0:
        if not is_agreed:
            raise Rejected(
                RejectReason.QUORUM, "a quorum of quotes near the median", f"median {median}"
            )
        is_steady = True
    else:
        reference = prices.pending if prices.halted else prices.index_price
        is_steady = is_agreed and is_near(median, reference, terms.band_ppm)
    if prices.halted:
        count = min(COOLDOWN_COUNT_MAX, prices.cooldown_count + 1) if is_steady else 0
        prices = prices._replace(cooldown_count=count, pending=median)
        draft.steps.append(BreakerHeld(market, median, count))
    elif is_steady:
        prices = recompute_mark(draft, market, prices._replace(index_price=median), time_ms)
        draft.steps.append(PriceTaken(market, median, prices.mark_price))
    else:
        prices = halted(prices, median)
        draft.steps.append(BreakerTripped(market, median))
    draft.put(prices_address(market), prices)


def halted(prices: MarketPrices, pending: int) -> MarketPrices:
    """The prices of a market that stops, with the price that the next tick is compared to."""
    return prices._replace(halted=1, cooldown_count=0, pending=pending)


def recompute_mark(draft: Draft, market: int, prices: MarketPrices, time_ms: int) -> MarketPrices:
    """The prices with the mark that follows from index, premiums and book: their median.

    The orders at the head of the book are judged at the mark from before.
    Assumes: an index price. Divisions round down, against nobody: a mark serves both sides.
    """
    draft.put(prices_address(market), prices)
    index = prices.index_price
    # Less than the index, as the band is less than the whole: so every mark is at least 1. It is
    # no larger than the index or a price of the book, whichever is larger: so it fits its bits.
    width = index * require_market(draft, market).mark_band_ppm // PPM
    low, high = index - width, index + width
    average = middle = index
    if prices.premium_samples:
        average += prices.premium_sum // prices.premium_samples
    bid, ask = best_prices(draft, market, time_ms)
    if bid and ask:
        middle = (bid + ask) // 2
    _, mark, _ = sorted((index, clamp(average, low, high), clamp(middle, low, high)))
    return prices._replace(mark_price=mark)


def best_prices(draft: Draft, market: int, time_ms: int) -> tuple[int, int]:
    """Prices of the two heads of the book; 0 where there is none, or one that nothing backs."""
    book = draft.book(market)
    bid = _head_price(draft, market, book.best_bid, time_ms)
    return bid, _head_price(draft, market, book.best_ask, time_ms)


def clamp(value: int, low: int, high: int) -> int:
    """The value, or the bound that it passes."""
    return max(low, min(high, value))


def _head_price(draft: Draft, market: int, slot: int, time_ms: int) -> int:
    if slot == 0:
        return 0
    order = draft.order(market, slot)
    return order.price if lack_of(draft, market, order, time_ms) is None else 0
