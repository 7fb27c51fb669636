"""VaultQuote: the liquidity vault quotes, by a rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.addresses import market_of
from circuits.exchange.book import remove_resting
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind
from circuits.exchange.gates import require_current, require_market
from circuits.exchange.leaves import MarketStatus, MarketTerms, Mode
from circuits.exchange.limits import BOOK_REGION, NONCE_MAX, QUOTE_LIFE_MS, REGION_BITS
from circuits.exchange.matching import place_order
from circuits.exchange.order_checks import NewOrder, TimeInForce
from circuits.exchange.quoting import Quote, quotes
from circuits.exchange.risk import Health, Totals, position_totals, require_price, survey
from circuits.exchange.steps import Cancelled, OperationRefused, OrderName
from circuits.exchange.times import later
from circuits.exchange.transactions.authority import Context
from circuits.exchange.vaults import terms_of


@dataclass(frozen=True, slots=True)
class VaultQuote:
    """New orders of the liquidity vault in `market`."""

    KIND: ClassVar[Kind] = Kind.VAULT_QUOTE
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (("market", 16),)

    market: int


def apply(draft: Draft, context: Context, command: VaultQuote) -> None:
    """Replace all orders of the vault in the market; a layer that is refused is left out.

    Raises: Rejected with the first rule that fails.
    """
    market, time_ms = command.market, context.time_ms
    vault = require_quoting(draft)
    terms = require_quotable(draft, market, time_ms)
    inventory, sums = require_healthy(draft, time_ms, vault, market, terms)
    vault_terms = terms_of(draft, vault)
    last_nonce = draft.known(vault).nonce + 2 * vault_terms.quote_layers
    if last_nonce > NONCE_MAX:
        raise Rejected(RejectReason.FIELD_OUT_OF_RANGE, f"nonces up to {NONCE_MAX}", last_nonce)
    remove_quotes(draft, vault, market)
    index_price = draft.prices(market).index_price
    for quote in quotes(vault_terms, index_price, terms.open_interest_max, inventory, sums):
        place_quote(draft, time_ms, vault, market, quote)


def require_quoting(draft: Draft) -> int:
    """The liquidity vault, in an exchange where everything is allowed."""
    mode = draft.controls().mode
    if mode != Mode.NORMAL:
        raise Rejected(
            RejectReason.MODE_FORBIDS, "an exchange in normal mode", Mode(mode).name.lower()
        )
    fee_terms = draft.fee_terms()
    if fee_terms is None or fee_terms.vault_account == 0:
        raise Rejected(RejectReason.UNKNOWN_VAULT, "a liquidity vault", "none")
    return fee_terms.vault_account


def require_quotable(draft: Draft, market: int, time_ms: int) -> MarketTerms:
    """The terms of an active market with nothing due and a valid price."""
    terms = require_market(draft, market)
    prices = draft.prices(market)
    if prices.status != MarketStatus.ACTIVE or prices.halted:
        raise Rejected(RejectReason.MARKET_STATUS, "an active market", market)
    require_current(draft, market, time_ms)
    require_price(prices, market, time_ms)
    return terms


def require_healthy(
    draft: Draft, time_ms: int, vault: int, market: int, terms: MarketTerms
) -> tuple[int, Totals]:
    """What the vault holds in the market and altogether, while it is worth something."""
    seen = survey(draft, vault, draft.known(vault), market, time_ms)
    sums = seen.others.plus(position_totals(seen.size, draft.prices(market), terms))
    if sums.health != Health.HEALTHY or sums.equity == 0:
        raise Rejected(
            RejectReason.INSUFFICIENT_MARGIN,
            f"equity above 0 and of at least {sums.initial}",
            sums.equity,
        )
    return seen.size, sums


def remove_quotes(draft: Draft, vault: int, market: int) -> None:
    """Take every order of the vault out of the market's book; its triggers stay."""
    for address in draft.guide.resting(draft, vault):
        if address >> REGION_BITS == BOOK_REGION and market_of(address) == market:
            draft.steps.append(Cancelled(market, remove_resting(draft, address)))


def place_quote(draft: Draft, time_ms: int, vault: int, market: int, quote: Quote) -> None:
    """Place one order under the vault's next nonce, which is used up either way."""
    header = draft.known(vault)
    nonce = header.nonce + 1
    draft.put_account(vault, header.with_nonce(nonce))
    order = NewOrder(
        OrderName(vault, 0, nonce),
        market,
        quote.side,
        TimeInForce.POST_ONLY if quote.is_post_only else TimeInForce.GOOD_TILL_TIME,
        0,
        quote.price,
        terms_of(draft, vault).quote_size,
        later(time_ms, QUOTE_LIFE_MS),
    )
    mark = draft.mark()
    try:
        place_order(draft, time_ms, order)
    except Rejected as rejected:
        draft.rollback(mark)
        draft.steps.append(OperationRefused(quote.place, rejected.reason))
