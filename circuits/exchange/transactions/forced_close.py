"""ForcedClose: a position closed against the book, which the venue cannot leave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind, Outcome
from circuits.exchange.gates import require_current, require_market
from circuits.exchange.leaves import Account, MarketStatus, Side
from circuits.exchange.limits import PPM, PRICE_MAX
from circuits.exchange.matching import sweep
from circuits.exchange.order_checks import NewOrder, TimeInForce, require_trader
from circuits.exchange.risk import find_position, require_price
from circuits.exchange.steps import Ended, OrderName
from circuits.exchange.transactions.authority import Context
from circuits.exchange.transactions.queued import QUEUED_WIDTHS, require_owner

CURABLE = (RejectReason.FUNDING_DUE, RejectReason.TRIGGER_DUE)
"""What the venue must do first; until then the request is not consumed."""


@dataclass(frozen=True, slots=True)
class ForcedClose:
    """The position of `account` in `market`, asked for on L1."""

    KIND: ClassVar[Kind] = Kind.FORCED_CLOSE
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (*QUEUED_WIDTHS, ("market", 16))

    account: int
    owner: int
    market: int


def apply(draft: Draft, context: Context, forced: ForcedClose) -> Outcome:
    """Trade the position away in any mode, within the band of the mark.

    Raises: QueueGuaranteeBroken; Rejected with FUNDING_DUE or TRIGGER_DUE.
    """
    header = require_owner(draft, forced.account, forced.owner)
    if header is None:
        return Outcome.UNKNOWN_ACCOUNT
    mark = draft.mark()
    try:
        return _close(draft, context.time_ms, header, forced.account, forced.market)
    except Rejected as rejected:
        if rejected.reason in CURABLE:
            raise
        draft.rollback(mark)
        return Outcome.of(rejected.reason)


def _close(draft: Draft, time_ms: int, header: Account, account: int, market: int) -> Outcome:
    require_trader(header)
    terms = require_market(draft, market)
    prices = draft.prices(market)
    if prices.status == MarketStatus.DELISTED:
        raise Rejected(RejectReason.MARKET_STATUS, f"a market {market} that trades", "delisted")
    require_current(draft, market, time_ms)
    require_price(prices, market, time_ms)
    _, size = find_position(draft, account, header, market)
    if size == 0:
        raise Rejected(RejectReason.NO_POSITION, f"a position in market {market}", "none")
    side = Side.ASK if size > 0 else Side.BID
    price = worst_price(side, prices.mark_price, terms.mark_band_ppm)
    name = OrderName(account, 0, 0)
    order = NewOrder(
        name, market, side, TimeInForce.IMMEDIATE_OR_CANCEL, 1, price, abs(size), time_ms
    )
    remaining, fill_count, reason = sweep(draft, time_ms, order, abs(size))
    # Dead orders that used up all steps are gone for good: they may not shield their side.
    if fill_count == 0 and reason is not RejectReason.MATCH_STEPS:
        raise Rejected(
            reason or RejectReason.NO_LIQUIDITY,
            f"an order that fills at {price} ticks or better",
            f"{abs(size)} lots left",
        )
    if remaining == 0:
        return Outcome.APPLIED
    draft.steps.append(Ended(market, name, remaining, reason))
    return Outcome.PARTIAL if fill_count else Outcome.MATCH_STEPS


def worst_price(side: int, mark_price: int, band_ppm: int) -> int:
    """The price at the end of the mark's band, rounded into it, that a forced trade may pay."""
    if side == Side.ASK:
        return max(1, -(-mark_price * (PPM - band_ppm) // PPM))
    return min(PRICE_MAX, mark_price * (PPM + band_ppm) // PPM)
