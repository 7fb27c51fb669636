"""What must hold of a market before a command may read it: nothing due may have been skipped."""

from __future__ import annotations

from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.leaves import MarketBook, MarketPrices, MarketTerms

MARK, LAST = 0, 1
"""The price that a trigger watches."""

UP, DOWN = 0, 1
"""The way in which the price must go for a trigger to fire."""

TRIGGER_LISTS = ((MARK, UP), (MARK, DOWN), (LAST, UP), (LAST, DOWN))


def require_market(draft: Draft, market: int) -> MarketTerms:
    """The terms of a market that is listed."""
    terms = draft.terms(market)
    if terms is None:
        raise Rejected(RejectReason.UNKNOWN_MARKET, "a listed market", market)
    return terms


def require_current(draft: Draft, market: int, time_ms: int) -> None:
    """Refuse to read a market whose funding is due, or a trigger of which is armed."""
    prices = draft.prices(market)
    require_funding(prices, market, time_ms)
    require_no_trigger(draft, market, prices, draft.book(market))


def require_funding(prices: MarketPrices, market: int, time_ms: int) -> None:
    """Refuse a time at which a sample or a settlement should have been taken already."""
    if time_ms >= prices.next_sample_ms or time_ms >= prices.next_settlement_ms:
        due_ms = min(prices.next_sample_ms, prices.next_settlement_ms)
        raise Rejected(
            RejectReason.FUNDING_DUE, f"a time before {due_ms} ms in market {market}", time_ms
        )


def require_no_trigger(draft: Draft, market: int, prices: MarketPrices, book: MarketBook) -> None:
    """Refuse while the head of a trigger list is armed: heads fire first, so no other is."""
    heads = book[-4:]
    if not any(heads):
        return
    watched = (prices.mark_price, prices.mark_price, book.last_trade, book.last_trade)
    for (_, direction), slot, price in zip(TRIGGER_LISTS, heads, watched, strict=True):
        if slot:
            trigger_price = draft.trigger(market, slot).trigger_price
            if is_reached(price, direction, trigger_price):
                raise Rejected(
                    RejectReason.TRIGGER_DUE,
                    f"no armed trigger in market {market}",
                    f"one at {trigger_price} ticks",
                )


def is_armed(
    prices: MarketPrices, book: MarketBook, source: int, direction: int, trigger_price: int
) -> bool:
    """Whether the watched price has reached a trigger; a price that is not known yet has not."""
    return is_reached(
        prices.mark_price if source == MARK else book.last_trade, direction, trigger_price
    )


def is_reached(price: int, direction: int, trigger_price: int) -> bool:
    """Whether a price, 0 if it is not known yet, has gone as far as a trigger waits for."""
    if price == 0:
        return False
    return price >= trigger_price if direction == UP else price <= trigger_price
