"""What an order or a trigger must be before it meets the book."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.gates import require_funding, require_market, require_no_trigger
from circuits.exchange.leaves import Account, AccountKind, MarketStatus, MarketTerms, Mode, Side
from circuits.exchange.risk import find_position
from circuits.exchange.steps import OrderName

NOT_TRADERS = (AccountKind.INSURANCE, AccountKind.FEE)


class TimeInForce(IntEnum):
    """How long an order may stand: until its own expiry, or only as long as it takes to fill."""

    GOOD_TILL_TIME = 0
    IMMEDIATE_OR_CANCEL = 1
    FILL_OR_KILL = 2
    POST_ONLY = 3


class NewOrder(NamedTuple):
    """An order that comes in; `name.account` trades."""

    name: OrderName
    market: int
    side: int
    time_in_force: int
    reduce_only: int
    price: int
    size: int
    good_until_ms: int


def require_open(
    draft: Draft, time_ms: int, header: Account, market: int, reduce_only: int, check_triggers: bool
) -> MarketTerms:
    """The terms of a market in which the account may place an order or trigger now.

    Raises: Rejected with MODE_FORBIDS, ACCOUNT_KIND, UNKNOWN_MARKET, MARKET_STATUS, FUNDING_DUE or
    TRIGGER_DUE.
    """
    mode = draft.controls().mode
    if mode and (mode == Mode.FROZEN or not reduce_only):
        raise Rejected(
            RejectReason.MODE_FORBIDS, "a mode that allows this order", Mode(mode).name.lower()
        )
    require_trader(header)
    terms = require_market(draft, market)
    prices = draft.prices(market)
    if prices.status or prices.halted:
        if prices.status == MarketStatus.DELISTED or not reduce_only:
            raise Rejected(
                RejectReason.MARKET_STATUS,
                f"a market {market} that takes this order",
                "halted" if prices.halted else MarketStatus(prices.status).name.lower(),
            )
    require_funding(prices, market, time_ms)
    if check_triggers:
        require_no_trigger(draft, market, prices, draft.book(market))
    return terms


def require_trader(header: Account) -> None:
    """Refuse the accounts that never place an order."""
    if header.kind in NOT_TRADERS:
        kind = AccountKind(header.kind).name.lower()
        raise Rejected(RejectReason.ACCOUNT_KIND, "an account that trades", f"the {kind} account")


def require_cases(order: NewOrder, time_in_force_max: int) -> None:
    """Refuse an order or trigger with a field that names none of its cases."""
    require_enum("side", order.side, Side.ASK)
    require_enum("time_in_force", order.time_in_force, time_in_force_max)
    require_enum("reduce_only", order.reduce_only, 1)


def require_enum(name: str, value: int, largest: int) -> None:
    """Refuse a field that names none of its cases."""
    if value > largest:
        raise Rejected(RejectReason.BAD_ENUM, f"{name} in 0..{largest}", value)


def require_positive_price(price: int) -> None:
    """Refuse a price of zero."""
    if price == 0:
        raise Rejected(RejectReason.PRICE_ZERO, "a price above 0", price)


def require_bounds(terms: MarketTerms, time_ms: int, order: NewOrder) -> None:
    """Refuse an order or trigger that the market's terms or the clock do not allow.

    Raises: Rejected with PRICE_ZERO, SIZE_TOO_SMALL, SIZE_TOO_LARGE or ORDER_EXPIRED.
    """
    require_positive_price(order.price)
    if order.size < terms.size_min:
        raise Rejected(RejectReason.SIZE_TOO_SMALL, f"at least {terms.size_min} lots", order.size)
    if order.size > terms.open_interest_max:
        raise Rejected(
            RejectReason.SIZE_TOO_LARGE, f"at most {terms.open_interest_max} lots", order.size
        )
    if order.good_until_ms < time_ms:
        raise Rejected(
            RejectReason.ORDER_EXPIRED,
            f"an order good until {time_ms} ms at least",
            f"one until {order.good_until_ms} ms",
        )


def reducible_size(draft: Draft, account: int, header: Account, market: int, side: int) -> int:
    """How many lots an order of a side could reduce; 0 or less for none."""
    _, size = find_position(draft, account, header, market)
    return -size if side == Side.BID else size


def require_reducible(draft: Draft, header: Account, order: NewOrder) -> int:
    """How many lots an order that may only reduce can reduce."""
    size = reducible_size(draft, order.name.account, header, order.market, order.side)
    if size <= 0:
        way = "short" if order.side == Side.BID else "long"
        raise Rejected(
            RejectReason.REDUCE_ONLY, f"a {way} position in market {order.market}", "none"
        )
    return size
