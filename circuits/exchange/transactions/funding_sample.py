"""FundingSample: the premium of the book over the index, once a minute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.addresses import prices_address
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind
from circuits.exchange.funding import may_sample, premium_of
from circuits.exchange.gates import require_market
from circuits.exchange.limits import SAMPLE_MS
from circuits.exchange.oracle_price import best_prices, recompute_mark
from circuits.exchange.steps import Sampled
from circuits.exchange.times import next_boundary
from circuits.exchange.transactions.authority import Context


@dataclass(frozen=True, slots=True)
class FundingSample:
    """The minute of `market`."""

    KIND: ClassVar[Kind] = Kind.FUNDING_SAMPLE
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (("market", 16),)

    market: int


def apply(draft: Draft, context: Context, sample: FundingSample) -> None:
    """Add one premium to the period's; without a price the minute passes without one.

    Raises: Rejected with the first rule that fails.
    """
    market, time_ms = sample.market, context.time_ms
    require_market(draft, market)
    prices = draft.prices(market)
    due_ms, settlement_ms = prices.next_sample_ms, prices.next_settlement_ms
    if time_ms < due_ms:
        raise Rejected(RejectReason.NOT_DUE, f"a time of at least {due_ms} ms", f"{time_ms} ms")
    if settlement_ms <= due_ms:
        # The hour ends before this minute, or with it: what it sampled is settled first.
        raise Rejected(
            RejectReason.FUNDING_DUE, f"the settlement of {settlement_ms} ms first", f"{due_ms} ms"
        )
    prices = prices._replace(next_sample_ms=next_boundary(time_ms, SAMPLE_MS))
    premium, is_counted = 0, may_sample(prices, time_ms)
    if is_counted:
        premium = premium_of(prices.index_price, *best_prices(draft, market, time_ms))
        prices = prices._replace(
            premium_sum=prices.premium_sum + premium,
            premium_samples=prices.premium_samples + 1,
        )
        prices = recompute_mark(draft, market, prices, time_ms)
    draft.put(prices_address(market), prices)
    draft.steps.append(Sampled(market, premium, prices.mark_price, is_counted))
