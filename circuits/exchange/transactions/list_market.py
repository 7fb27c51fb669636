"""ListMarket: governance opens a market; it trades once the oracle has given it a price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.addresses import book_address, prices_address, terms_address
from circuits.exchange.draft import Draft
from circuits.exchange.events import Kind, Outcome
from circuits.exchange.governance import can_list, market_terms_hold
from circuits.exchange.leaves import MarketBook, MarketPrices, MarketStatus, MarketTerms
from circuits.exchange.limits import MARKET_MAX, SAMPLE_MS, SETTLEMENT_MS
from circuits.exchange.times import next_boundary
from circuits.exchange.transactions.authority import Context


@dataclass(frozen=True, slots=True)
class ListMarket:
    """`market` under these terms."""

    KIND: ClassVar[Kind] = Kind.LIST_MARKET
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (("market", 16),)

    market: int
    terms: MarketTerms


def apply(draft: Draft, context: Context, request: ListMarket) -> Outcome:
    """Open the market with an empty book and no price; its timers start on the clock's own minute.

    Raises: Rejected with TIME_OUT_OF_RANGE.
    """
    market, terms = request.market, request.terms
    if draft.terms(market) is not None:
        return Outcome.MARKET_EXISTS
    if not (0 <= market <= MARKET_MAX and market_terms_hold(terms) and can_list(draft)):
        return Outcome.INVALID_TERMS
    prices = MarketPrices(
        index_price=0,
        mark_price=0,
        price_time_ms=0,
        valid_until_ms=0,
        status=MarketStatus.ACTIVE,
        halted=0,
        cooldown_count=0,
        pending=0,
        funding_index=0,
        premium_sum=0,
        premium_samples=0,
        next_sample_ms=next_boundary(context.time_ms, SAMPLE_MS),
        next_settlement_ms=next_boundary(context.time_ms, SETTLEMENT_MS),
    )
    draft.put(terms_address(market), terms)
    draft.put(prices_address(market), prices)
    draft.put(book_address(market), MarketBook())
    return Outcome.APPLIED
