"""Liquidation: who may be liquidated, at which price, and who takes the position.

The zero price is the one at which an account that loses any part of a position keeps its equity
over requirement; a bankrupt one keeps its equity over requirement too, so the price lies beyond
the mark and whoever takes the position over takes its share of the debt. The book must do better.
"""

from __future__ import annotations

from typing import NamedTuple, cast

from circuits.exchange.book import cancel_resting
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.fills import charge, credit, exchange_lots, refusal
from circuits.exchange.gates import require_current, require_market
from circuits.exchange.leaves import Account, FeeTerms, MarketTerms, Side
from circuits.exchange.limits import PPM, PRICE_MAX
from circuits.exchange.matching import Swept, sweep
from circuits.exchange.order_checks import NewOrder, TimeInForce
from circuits.exchange.risk import PPM_CASH, Totals, position_totals, survey, totals
from circuits.exchange.steps import Ended, OrderName, TakenOver
from circuits.exchange.transactions.cash import require_mode
from circuits.exchange.units import CASH_PER_UNIT


class Victim(NamedTuple):
    """A liquidatable account, seen from one of its positions of `size` signed lots."""

    account: int
    market: int
    size: int
    sums: Totals
    zero_price: int
    terms: MarketTerms

    @property
    def side(self) -> int:
        """The side of an order that reduces the position."""
        return Side.ASK if self.size > 0 else Side.BID


def zero_price(size: int, mark_price: int, quote: int, requirement: int, sums: Totals) -> int:
    """mark - sign(size) * requirement * equity / (|size| * quote * 10^12 * maintenance).

    Rounded up for a long and down for a short, in favour of the account that loses the position,
    then clamped to a price; `requirement` is the position's own part of the maintenance.
    """
    discount = requirement * sums.equity // (abs(size) * quote * CASH_PER_UNIT * sums.maintenance)
    price = mark_price - discount if size > 0 else mark_price + discount
    return min(max(price, 1), PRICE_MAX)


def liquidation_fee(price: int, limit_price: int, size: int, quote: int, fee_ppm: int) -> int:
    """min(size * price * quote * ppm * 10^6, |price - zero price| * size * quote * 10^12).

    Exact, and never more than the book did better, so the account is not worse off for it.
    """
    return min(
        size * price * quote * fee_ppm * PPM_CASH,
        abs(price - limit_price) * size * quote * CASH_PER_UNIT,
    )


def is_below_close_out(sums: Totals, close_out_ppm: int) -> bool:
    """equity * 10^6 < maintenance * ppm: so far gone that the book need not be asked. Exact."""
    return sums.equity * PPM < sums.maintenance * close_out_ppm


def require_account(draft: Draft, account: int) -> Account:
    """The account that a derived command names, in an exchange that is not frozen."""
    require_mode(draft)
    header = draft.account(account)
    if header is None:
        raise Rejected(RejectReason.UNKNOWN_ACCOUNT, "an existing account", account)
    return header


def require_liquidatable(sums: Totals) -> None:
    """Refuse an account that still has its maintenance requirement."""
    if not sums.is_liquidatable:
        raise Rejected(
            RejectReason.NOT_LIQUIDATABLE, f"equity below {sums.maintenance}", sums.equity
        )


def require_open(draft: Draft, time_ms: int, account: int, market: int) -> Account:
    """The header of an account that may be liquidated in a market now, if it is liquidatable."""
    header = require_account(draft, account)
    require_market(draft, market)
    if draft.prices(market).halted:
        raise Rejected(RejectReason.MARKET_STATUS, "a market that is not halted", market)
    require_current(draft, market, time_ms)
    return header


def examine(draft: Draft, time_ms: int, account: int, market: int) -> Victim:
    """The account whose position the command may take, once every common rule holds.

    Raises: Rejected with the first rule that fails.
    """
    header = require_open(draft, time_ms, account, market)
    seen = survey(draft, account, header, market, time_ms)
    if header.orders or header.triggers:
        raise Rejected(
            RejectReason.OPEN_ORDERS,
            "an account without orders and triggers",
            f"{header.orders} orders and {header.triggers} triggers",
        )
    if seen.position is None:
        raise Rejected(
            RejectReason.NO_POSITION, f"a position of account {account}", f"none in {market}"
        )
    terms, prices = cast(MarketTerms, draft.terms(market)), draft.prices(market)
    own = position_totals(seen.size, prices, terms)
    sums = seen.others.plus(own)
    require_liquidatable(sums)
    price = zero_price(
        seen.size, prices.mark_price, terms.quote_per_tick_lot, own.maintenance, sums
    )
    return Victim(account, market, seen.size, sums, price, terms)


def clear(draft: Draft, time_ms: int, account: int, header: Account) -> None:
    """Take all orders and triggers of a liquidatable account out of the books.

    Raises: Rejected with PRICE_STALE, NOT_LIQUIDATABLE or NOTHING_DUE.
    """
    require_liquidatable(totals(draft, account, header, time_ms))
    if not (header.orders or header.triggers):
        raise Rejected(RejectReason.NOTHING_DUE, "orders or triggers to clear", "none")
    cancel_resting(draft, account)


class LiquidatedTaker:
    """Trades only as long as it must, and pays the insurance part of what the book did better."""

    def __init__(self, victim: Victim) -> None:
        self._victim = victim

    def stop(self, draft: Draft, time_ms: int, account: int) -> RejectReason | None:
        """Enough is enough: every fill needs a liquidatable account."""
        if totals(draft, account, draft.known(account), time_ms).is_liquidatable:
            return None
        return RejectReason.NOT_LIQUIDATABLE

    def fee(self, draft: Draft, price: int, size: int, notional: int) -> int:
        """In proportion to the notional, up to the price's improvement."""
        terms = self._victim.terms
        return liquidation_fee(
            price,
            self._victim.zero_price,
            size,
            terms.quote_per_tick_lot,
            terms.liquidation_fee_ppm,
        )

    def pay(self, draft: Draft, account: int, notional: int, fee: int) -> None:
        """All of it to the insurance."""
        charge(draft, account, fee)
        credit(draft, backstops(draft)[0], fee)


def sell_off(draft: Draft, time_ms: int, victim: Victim, size: int) -> Swept:
    """Reduce the position against the book, at the zero price or better.

    Orders that the sweep drops stay dropped even if nothing fills: else an order that nobody can
    fill would shield the account both from the book and from a takeover.
    Raises: Rejected with NO_LIQUIDITY if nothing at all can happen.
    """
    name = OrderName(victim.account, 0, 0)
    order = NewOrder(
        name,
        victim.market,
        victim.side,
        TimeInForce.IMMEDIATE_OR_CANCEL,
        1,
        victim.zero_price,
        size,
        time_ms,
    )
    step_count = len(draft.steps)
    swept = sweep(draft, time_ms, order, size, LiquidatedTaker(victim))
    if len(draft.steps) == step_count:
        raise Rejected(
            RejectReason.NO_LIQUIDITY,
            f"an order that can fill at {victim.zero_price} ticks or better",
            swept.reason or "none",
        )
    if swept.remaining:
        draft.steps.append(Ended(victim.market, name, swept.remaining, swept.reason))
    return swept


def require_size(victim: Victim, size: int) -> None:
    """Refuse a part of the position that is none, or more than all of it."""
    if size > abs(victim.size):
        raise Rejected(RejectReason.SIZE_TOO_LARGE, f"at most {abs(victim.size)} lots", size)
    if size == 0:
        raise Rejected(RejectReason.SIZE_TOO_SMALL, "a size above 0", size)


def hand_over(draft: Draft, victim: Victim, taker: int, size: int) -> None:
    """Move lots of the position to another account at the zero price, without fees.

    Raises: Rejected with CASH_OUT_OF_BOUNDS.
    """
    buyer, seller = (taker, victim.account) if victim.size > 0 else (victim.account, taker)
    exchange_lots(draft, victim.market, buyer, seller, victim.zero_price, size)
    draft.steps.append(TakenOver(victim.market, victim.account, taker, victim.zero_price, size))


def backstop_refusal(
    draft: Draft, time_ms: int, victim: Victim, backstop: int, size: int
) -> RejectReason | None:
    """Why a backstop may not take lots of the position over at the zero price; None if it may."""
    delta = size if victim.size > 0 else -size
    return refusal(draft, victim.market, backstop, delta, victim.zero_price, 0, time_ms)


def backstops(draft: Draft) -> tuple[int, int]:
    """The insurance account, and the liquidity vault or 0.

    Assumes: a market is listed, so the fees are set.
    """
    terms = cast(FeeTerms, draft.fee_terms())
    return terms.insurance_account, terms.vault_account
