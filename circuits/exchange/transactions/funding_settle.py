"""FundingSettle: the funding index moves, once an hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.addresses import prices_address
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind
from circuits.exchange.funding import moved_index, rate_of
from circuits.exchange.gates import require_market
from circuits.exchange.limits import SETTLEMENT_MS
from circuits.exchange.steps import FundingSettled
from circuits.exchange.times import next_boundary
from circuits.exchange.transactions.authority import Context


@dataclass(frozen=True, slots=True)
class FundingSettle:
    """The hour of `market`."""

    KIND: ClassVar[Kind] = Kind.FUNDING_SETTLE
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (("market", 16),)

    market: int


def apply(draft: Draft, context: Context, settle: FundingSettle) -> None:
    """Move the funding index by the rate of the period, and begin the next period.

    Every position's equity moves with the index and no cash does. After hours of silence there
    is one settlement at one hour's rate, because nobody could trade in the market in between.
    Raises: Rejected with the first rule that fails.
    """
    market, time_ms = settle.market, context.time_ms
    terms = require_market(draft, market)
    prices = draft.prices(market)
    due_ms, sample_ms = prices.next_settlement_ms, prices.next_sample_ms
    if time_ms < due_ms:
        raise Rejected(RejectReason.NOT_DUE, f"a time of at least {due_ms} ms", f"{time_ms} ms")
    if sample_ms < due_ms:
        raise Rejected(
            RejectReason.FUNDING_DUE, f"the sample of {sample_ms} ms first", f"{due_ms} ms"
        )
    rate_ppb = rate_of(prices, terms)
    lots = draft.book(market).open_interest
    settled = prices._replace(
        funding_index=moved_index(prices, terms, rate_ppb, lots),
        premium_sum=0,
        premium_samples=0,
        next_settlement_ms=next_boundary(time_ms, SETTLEMENT_MS),
    )
    draft.put(prices_address(market), settled)
    draft.steps.append(FundingSettled(market, rate_ppb, settled.funding_index))
