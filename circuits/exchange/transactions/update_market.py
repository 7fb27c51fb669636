"""UpdateMarket: governance changes what a market allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.addresses import prices_address, terms_address
from circuits.exchange.draft import Draft
from circuits.exchange.events import Kind, Outcome
from circuits.exchange.funding import is_bounded
from circuits.exchange.governance import market_terms_hold
from circuits.exchange.leaves import MarketStatus, MarketTerms
from circuits.exchange.transactions.authority import Context


@dataclass(frozen=True, slots=True)
class UpdateMarket:
    """`market` goes to `status` and these terms."""

    KIND: ClassVar[Kind] = Kind.UPDATE_MARKET
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (("market", 16), ("status", 8))

    market: int
    status: int
    terms: MarketTerms


def apply(draft: Draft, context: Context, request: UpdateMarket) -> Outcome:
    """Replace the terms, but never what a lot is worth, and the status.

    A market is delisted only once nobody has a position in it.
    """
    market, terms = request.market, request.terms
    before = draft.terms(market)
    if before is None:
        return Outcome.UNKNOWN_MARKET
    prices, lots = draft.prices(market), draft.book(market).open_interest
    if (
        not market_terms_hold(terms)
        or terms.quote_per_tick_lot != before.quote_per_tick_lot
        or not is_bounded(prices.funding_index, terms, lots)
        or not 0 <= request.status <= MarketStatus.DELISTED
        or (request.status == MarketStatus.DELISTED and lots)
    ):
        return Outcome.INVALID_TERMS
    draft.put(terms_address(market), terms)
    draft.put(prices_address(market), prices._replace(status=request.status))
    return Outcome.APPLIED
