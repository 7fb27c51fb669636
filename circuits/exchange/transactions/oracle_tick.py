"""OracleTick: prices that oracle signers signed, and the median that they make."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, NamedTuple, cast

from circuits.exchange.addresses import prices_address, signer_address
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind
from circuits.exchange.gates import require_current, require_market
from circuits.exchange.leaves import MarketStatus, MarketTerms, OracleSigner
from circuits.exchange.limits import PRICE_MAX, SIGNERS_MAX
from circuits.exchange.oracle_price import is_near, take_median
from circuits.exchange.times import later
from circuits.exchange.transactions.authority import Context, QuoteMessage, digest_of

if TYPE_CHECKING:
    from circuits.signature import Signature


class Quote(NamedTuple):
    """One signer's price of the tick's market at a time, and the signature over it."""

    signer: int
    price: int
    time_ms: int
    signature: Signature


@dataclass(frozen=True, slots=True)
class OracleTick:
    """The quotes for `market`, increasing by price and signer."""

    KIND: ClassVar[Kind] = Kind.ORACLE_TICK
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (("market", 16),)
    QUOTE_WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (
        ("signer", 8),
        ("price", 32),
        ("time_ms", 48),
    )

    market: int
    quotes: tuple[Quote, ...]


def quote_digest(domain: int, market: int, price: int, time_ms: int) -> int:
    """The word that an oracle signer signs."""
    return digest_of(QuoteMessage(market, price, time_ms), domain)


def apply(draft: Draft, context: Context, tick: OracleTick) -> None:
    """Check every quote, then give their median to the market or to its breaker.

    Raises: Rejected with the first rule that fails, quote by quote.
    """
    market, quotes, time_ms = tick.market, tick.quotes, context.time_ms
    terms = require_market(draft, market)
    prices = draft.prices(market)
    if prices.status == MarketStatus.DELISTED:
        raise Rejected(RejectReason.MARKET_STATUS, "a market that is not delisted", market)
    require_current(draft, market, time_ms)
    _require_order(quotes)
    controls = draft.controls()
    seen = 0
    for quote in quotes:
        if not 0 <= quote.signer < controls.signer_count:
            raise Rejected(
                RejectReason.UNKNOWN_SIGNER,
                f"a signer below {controls.signer_count}",
                quote.signer,
            )
        if seen >> quote.signer & 1:
            raise Rejected(
                RejectReason.DUPLICATE_SIGNER, "one quote from each signer", quote.signer
            )
        seen |= 1 << quote.signer
        _require_quote(quote, terms, prices.price_time_ms, time_ms)
        _require_signature(draft, context, market, quote)
    if len(quotes) < controls.quorum:
        raise Rejected(RejectReason.QUORUM, f"{controls.quorum} quotes", len(quotes))
    # The lower one of two in the middle: every tick has one median, made by one of its quotes.
    median = quotes[(len(quotes) - 1) // 2].price
    near = sum(is_near(quote.price, median, terms.outlier_ppm) for quote in quotes)
    timed = prices._replace(
        price_time_ms=max(quote.time_ms for quote in quotes),
        valid_until_ms=later(time_ms, terms.price_valid_ms),
    )
    draft.put(prices_address(market), timed)
    take_median(draft, market, median, near >= controls.quorum, time_ms)


def _require_order(quotes: tuple[Quote, ...]) -> None:
    if not 1 <= len(quotes) <= SIGNERS_MAX:
        raise Rejected(RejectReason.QUOTE_COUNT, f"1..{SIGNERS_MAX} quotes", len(quotes))
    for before, after in pairwise(quotes):
        if (before.price, before.signer) >= (after.price, after.signer):
            raise Rejected(
                RejectReason.QUOTE_ORDER,
                f"a price and signer above {before.price}, {before.signer}",
                f"{after.price}, {after.signer}",
            )


def _require_quote(quote: Quote, terms: MarketTerms, price_time_ms: int, time_ms: int) -> None:
    """Refuse a quote without a price, or of a time that this market does not take now."""
    if quote.price == 0:
        raise Rejected(RejectReason.PRICE_ZERO, "a price above 0", quote.price)
    if not 0 <= quote.price <= PRICE_MAX:
        # It could not be packed, so that nothing can have been signed for it.
        raise Rejected(RejectReason.FIELD_OUT_OF_RANGE, f"price in 0..{PRICE_MAX}", quote.price)
    if quote.time_ms > time_ms:
        raise Rejected(
            RejectReason.QUOTE_FUTURE, f"a time of at most {time_ms} ms", f"{quote.time_ms} ms"
        )
    if quote.time_ms + terms.max_age_ms < time_ms:
        raise Rejected(
            RejectReason.QUOTE_STALE,
            f"a time of at least {time_ms - terms.max_age_ms} ms",
            f"{quote.time_ms} ms",
        )
    if quote.time_ms <= price_time_ms:
        raise Rejected(
            RejectReason.QUOTE_NOT_NEWER, f"a time above {price_time_ms} ms", f"{quote.time_ms} ms"
        )


def _require_signature(draft: Draft, context: Context, market: int, quote: Quote) -> None:
    signer = cast(OracleSigner, draft.get(signer_address(quote.signer)))
    digest = context.digest(QuoteMessage(market, quote.price, quote.time_ms), draft.domain)
    reject = context.verify(signer.key, digest, quote.signature)
    if reject is not None:
        raise Rejected(
            RejectReason(reject.value),
            f"a signature by oracle signer {quote.signer}",
            f"one that does not hold for digest {digest:#x}",
        )
