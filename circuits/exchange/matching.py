"""An order meets the book: fills and drops, one after the other, and what becomes of the rest.

Every step acts on the best order of the other side: it fills, it is dropped for a reason that the
leaves show, or the incoming order stops. So price and time priority need no search.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol, cast

from circuits.exchange.backing import margin_lack
from circuits.exchange.book import crosses, remove, rest, shrink
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.fills import (
    MarketView,
    Party,
    longs_added,
    settle,
    share_fees,
    view_of,
    weigh,
)
from circuits.exchange.leaves import FeeTerms, MarketTerms, Order, Side
from circuits.exchange.limits import MATCH_STEPS_MAX, ORDERS_MAX
from circuits.exchange.order_checks import (
    NewOrder,
    TimeInForce,
    reducible_size,
    require_bounds,
    require_cases,
    require_open,
    require_reducible,
)
from circuits.exchange.risk import PPM_CASH, find_position, require_price
from circuits.exchange.steps import Dropped, Ended, Filled, OrderName, Rested

BID = Side.BID
FILL_OR_KILL, POST_ONLY = TimeInForce.FILL_OR_KILL, TimeInForce.POST_ONLY
RESTING = (TimeInForce.GOOD_TILL_TIME, POST_ONLY)
"""The orders of which what the book does not fill may rest."""


class Taker(Protocol):
    """What differs for a taker that signed no order: why it stops, and what it pays."""

    def stop(self, draft: Draft, time_ms: int, account: int) -> RejectReason | None:
        """Why the taker may not fill any more, whatever its margin; asked before every fill."""

    def fee(self, draft: Draft, price: int, size: int, notional: int) -> int:
        """The taker's fee of a fill, in cash units."""

    def pay(self, draft: Draft, account: int, notional: int, fee: int) -> None:
        """Take that fee from the account and credit whoever gets it."""


class Swept(NamedTuple):
    """What the book left of an order, how often it filled, and what stopped it, if anything."""

    remaining: int
    fill_count: int
    reason: RejectReason | None


class _Trade(NamedTuple):
    """What an order and the best of the other side could trade; `delta` is the taker's."""

    slot: int
    maker: Order
    size: int
    delta: int
    notional: int
    taker_fee: int
    maker_fee: int


def place_order(
    draft: Draft, time_ms: int, order: NewOrder, *, check_triggers: bool = True
) -> None:
    """Match an order whose signer is known, and let the rest of it rest if it may.

    A trigger that fires is not held up by others that are armed: `check_triggers` is False.
    Raises: Rejected with the first rule that fails; the caller undoes what was written.
    """
    header = draft.known(order.name.account)
    market, time_in_force = order.market, order.time_in_force
    terms = require_open(draft, time_ms, header, market, order.reduce_only, check_triggers)
    require_price(draft.prices(market), market, time_ms)
    require_cases(order, POST_ONLY)
    require_bounds(terms, time_ms, order)
    if time_in_force in RESTING and header.orders >= ORDERS_MAX:
        raise Rejected(
            RejectReason.TOO_MANY_ORDERS, f"fewer than {ORDERS_MAX} resting orders", header.orders
        )
    size = order.size
    if order.reduce_only:
        size = min(size, require_reducible(draft, header, order))
    remaining, fill_count, reason = sweep(draft, time_ms, order, size)
    if remaining == 0:
        return
    if time_in_force == FILL_OR_KILL:
        raise Rejected(
            RejectReason.FOK_UNFILLED, f"{size} lots at {order.price} ticks", size - remaining
        )
    if reason is None and time_in_force in RESTING:
        reason = _rest(draft, time_ms, order, terms, remaining)
        if reason is None:
            return
    # Dead orders that used up all steps are gone for good, or they would shield their side.
    if reason is not None and fill_count == 0 and reason is not RejectReason.MATCH_STEPS:
        raise Rejected(
            reason,
            f"an order that may fill or rest in market {market}",
            f"{remaining} lots at {order.price} ticks",
        )
    draft.steps.append(Ended(market, order.name, remaining, reason))


def sweep(
    draft: Draft, time_ms: int, order: NewOrder, remaining: int, taker: Taker | None = None
) -> Swept:
    """Trade up to `remaining` lots against the book, at the order's price or better.

    Whoever signed trades as far as its margin goes, for the taker fee; else `taker` decides.
    Assumes: all that an order must be is checked, and `remaining` is no more than it may reduce.
    Raises: Rejected with POST_ONLY_CROSSES or CASH_OUT_OF_BOUNDS.
    """
    market, side, limit_price = order.market, order.side, order.price
    step_count = fill_count = 0
    while remaining:
        book = draft.book(market)
        slot = book.best_ask if side == BID else book.best_bid
        if not slot:
            break
        maker = draft.order(market, slot)
        if not crosses(side, limit_price, maker.price):
            break
        if step_count == MATCH_STEPS_MAX:
            return Swept(remaining, fill_count, RejectReason.MATCH_STEPS)
        if step_count == 0:
            view, fees = view_of(draft, market), cast(FeeTerms, draft.fee_terms())
        step_count += 1
        size = min(remaining, _available(draft, view, maker))
        drop = _drop_reason(time_ms, order, maker, size)
        if drop is None:
            trade = _trade_of(draft, view, fees, order, slot, maker, size, taker)
            taking = _weigh_taker(draft, time_ms, view, order, trade, taker)
            if isinstance(taking, RejectReason):
                return Swept(remaining, fill_count, taking)
            account, price, fee = maker.account, maker.price, trade.maker_fee
            making = weigh(draft, view, account, -trade.delta, price, fee, time_ms)
            if isinstance(making, Party):
                _fill(draft, view, fees, order, trade, taking, making, taker)
                remaining -= size
                fill_count += 1
                continue
            drop = making
        remove(draft, market, slot)
        draft.steps.append(Dropped(market, _name_of(maker), drop))
    return Swept(remaining, fill_count, None)


def _name_of(order: Order) -> OrderName:
    return OrderName(order.account, order.key_slot, order.nonce)


def _only_reduces(view: MarketView, maker: Order) -> bool:
    """Whether a resting order may only reduce: it says so, or the mark cannot be trusted now."""
    return bool(maker.reduce_only or view.prices.halted)


def _available(draft: Draft, view: MarketView, maker: Order) -> int:
    """How many lots of a resting order may trade; 0 or less for one that could only reduce."""
    if not _only_reduces(view, maker):
        return maker.remaining
    account = maker.account
    reducible = reducible_size(draft, account, draft.known(account), view.market, maker.side)
    return min(maker.remaining, reducible)


def _drop_reason(time_ms: int, order: NewOrder, maker: Order, size: int) -> RejectReason | None:
    """Why the best resting order leaves, whatever anyone's margin.

    Raises: Rejected with POST_ONLY_CROSSES if it does not and the incoming order may only rest.
    """
    if maker.good_until_ms < time_ms:
        return RejectReason.EXPIRED
    if size <= 0:
        return RejectReason.REDUCE_ONLY
    if order.time_in_force == POST_ONLY:
        raise Rejected(
            RejectReason.POST_ONLY_CROSSES,
            f"a price that does not cross {maker.price} ticks",
            order.price,
        )
    if maker.account == order.name.account:
        return RejectReason.SELF_TRADE
    return None


def _trade_of(
    draft: Draft,
    view: MarketView,
    fees: FeeTerms,
    order: NewOrder,
    slot: int,
    maker: Order,
    size: int,
    taker: Taker | None,
) -> _Trade:
    price = maker.price
    notional = size * price * view.terms.quote_per_tick_lot
    if taker is None:
        taker_fee = notional * fees.taker_ppm * PPM_CASH
    else:
        taker_fee = taker.fee(draft, price, size, notional)
    maker_fee = notional * fees.maker_ppm * PPM_CASH
    delta = size if order.side == BID else -size
    return _Trade(slot, maker, size, delta, notional, taker_fee, maker_fee)


def _weigh_taker(
    draft: Draft,
    time_ms: int,
    view: MarketView,
    order: NewOrder,
    trade: _Trade,
    taker: Taker | None,
) -> Party | RejectReason:
    """The incoming order's side of a trade, or why it stops here."""
    account, maker = order.name.account, trade.maker
    if taker is not None:
        reason = taker.stop(draft, time_ms, account)
        if reason is not None:
            return reason
    party = weigh(draft, view, account, trade.delta, maker.price, trade.taker_fee, time_ms)
    if isinstance(party, Party):
        bound = view.terms.open_interest_max
        interest = draft.book(view.market).open_interest
        if interest + trade.size > bound:
            _, size = find_position(draft, maker.account, draft.known(maker.account), view.market)
            added = longs_added(party.old_size, party.new_size)
            added += longs_added(size, size - trade.delta)
            if added > 0 and interest + added > bound:
                return RejectReason.OPEN_INTEREST
    return party


def _fill(
    draft: Draft,
    view: MarketView,
    fees: FeeTerms,
    order: NewOrder,
    trade: _Trade,
    taking: Party,
    making: Party,
    taker: Taker | None,
) -> None:
    """Both sides may: cash and positions, fees, and what is left of the resting order."""
    market = view.market
    slot, maker, size, _, notional, taker_fee, maker_fee = trade
    maker_share = (making.header, fees.maker_ppm)
    if taker is None:
        settle(draft, view, taking, making, maker.price, maker.price)
        share_fees(draft, fees, notional, ((taking.header, fees.taker_ppm), maker_share))
    else:
        unpaid = taking._replace(cash=taking.cash + taker_fee)
        settle(draft, view, unpaid, making, maker.price, maker.price)
        taker.pay(draft, taking.account, notional, taker_fee)
        share_fees(draft, fees, notional, (maker_share,))
    if size == maker.remaining or (making.new_size == 0 and _only_reduces(view, maker)):
        remove(draft, market, slot)
    else:
        shrink(draft, market, slot, size)
    draft.steps.append(
        Filled(
            market,
            order.name,
            _name_of(maker),
            order.side,
            maker.price,
            size,
            taker_fee,
            maker_fee,
        )
    )


def _rest(
    draft: Draft, time_ms: int, order: NewOrder, terms: MarketTerms, remaining: int
) -> RejectReason | None:
    """Let the remaining lots rest, or say why they may not.

    An order rests only if its margin is there too; one that reduces needs none.
    """
    name, market, side, _, reduce_only, price, _, good_until_ms = order
    if not reduce_only:
        lack = margin_lack(draft, time_ms, name.account, terms, remaining * price)
        if lack is not None:
            return lack
    slot = rest(draft, market, name, side, price, remaining, good_until_ms, reduce_only)
    if slot is None:
        return RejectReason.BOOK_FULL
    draft.steps.append(Rested(market, slot, name, side, price, remaining))
    return None
