"""Funding: how far the book stands from the index, and what longs owe shorts for it each hour."""

from __future__ import annotations

from circuits.exchange.leaves import MarketPrices, MarketTerms
from circuits.exchange.limits import (
    FUNDING_CASH_BITS,
    FUNDING_INDEX_BITS,
    PPB,
    SAMPLES_MAX,
)
from circuits.exchange.oracle_price import clamp
from circuits.exchange.units import CASH_PER_UNIT

PPB_CASH = CASH_PER_UNIT // PPB
"""Cash units in a billionth of a token unit."""


def premium_of(index: int, bid: int, ask: int) -> int:
    """Ticks by which the book is above the index, or below it (negative); 0 stands for no head."""
    above = bid - index if bid > index else 0
    below = index - ask if 0 < ask < index else 0
    return above - below


def may_sample(prices: MarketPrices, time_ms: int) -> bool:
    """Whether the market has a price to compare the book to, and room for one more sample."""
    return (
        not prices.halted
        and prices.index_price > 0
        and time_ms < prices.valid_until_ms
        and prices.premium_samples < SAMPLES_MAX
    )


def rate_of(prices: MarketPrices, terms: MarketTerms) -> int:
    """The rate of the period, parts per billion of the notional that longs pay to shorts.

    The average rounds down, in favour of longs by less than one part per billion.
    """
    weight = prices.premium_samples * prices.index_price
    if weight == 0:
        return 0
    average = prices.premium_sum * PPB // weight
    bound, cap = terms.funding_clamp_ppb, terms.funding_cap_ppb
    return clamp(average + clamp(terms.interest_ppb - average, -bound, bound), -cap, cap)


def moved_index(prices: MarketPrices, terms: MarketTerms, rate_ppb: int, lots: int) -> int:
    """The funding index after one period; `lots` is the open interest.

    An index that would leave its bounds stays where it is, so that no settlement is ever refused.
    """
    step = rate_ppb * prices.index_price * terms.quote_per_tick_lot * PPB_CASH
    index = prices.funding_index + step
    return index if is_bounded(index, terms, lots) else prices.funding_index


def is_bounded(funding_index: int, terms: MarketTerms, lots: int) -> bool:
    """Whether a funding index fits its leaf, and what it makes of any position fits cash."""
    size = max(terms.open_interest_max, lots)
    return (
        abs(funding_index) < 2**FUNDING_INDEX_BITS
        and abs(funding_index) * size < 2**FUNDING_CASH_BITS
    )
