"""The book of a market: two doubly linked lists of resting orders, best price first, then arrival.

A link is the slot of an order's leaf in the same market. The guide says which slot is free and
after which order a new one belongs; both are checked here against the leaves.
"""

from __future__ import annotations

from circuits.exchange.addresses import (
    book_address,
    header_address,
    market_of,
    order_address,
    slot_of,
)
from circuits.exchange.draft import Draft
from circuits.exchange.errors import ExchangeError, Rejected, RejectReason
from circuits.exchange.leaves import Account, MarketBook, Order, Side
from circuits.exchange.limits import BOOK_REGION, ORDER_SLOT_MAX, REGION_BITS
from circuits.exchange.steps import Cancelled, OrderName
from circuits.exchange.triggers import remove_trigger


def best(draft: Draft, market: int, side: int) -> int:
    """The slot of the first order of a side, or 0."""
    book = draft.book(market)
    return book.best_bid if side == Side.BID else book.best_ask


def crosses(side: int, limit_price: int, resting_price: int) -> bool:
    """Whether a taker of a side would trade with an order that rests on the other."""
    if side == Side.BID:
        return limit_price >= resting_price
    return limit_price <= resting_price


def rest(
    draft: Draft,
    market: int,
    name: OrderName,
    side: int,
    price: int,
    size: int,
    good_until_ms: int,
    reduce_only: int,
) -> int | None:
    """Put an order behind all of its side that are as good or better; its slot, None if full."""
    slot = draft.guide.free_order_slot(draft, market)
    book = draft.book(market)
    if slot is None:
        if book.order_count < ORDER_SLOT_MAX:
            raise ExchangeError(f"orders of market {market}", ORDER_SLOT_MAX, book.order_count)
        return None
    address = order_address(market, slot)
    if draft.get(address) is not None:
        raise ExchangeError(f"order slot {slot} of market {market}", "an empty one", "an order")
    previous = draft.guide.order_before(draft, market, side, price)
    after = _successor(draft, book, (market, side, price), previous)
    account, key_slot, nonce = name
    draft.put_resting(
        address,
        Order(
            account, key_slot, nonce, side, price, size, good_until_ms, reduce_only, previous, after
        ),
    )
    if after:
        _set_previous(draft, market, after, slot)
    if previous:
        _set_next(draft, market, previous, slot)
        _put_book(draft, market, book, book.best_bid, book.best_ask, 1)
    elif side == Side.BID:
        _put_book(draft, market, book, slot, book.best_ask, 1)
    else:
        _put_book(draft, market, book, book.best_bid, slot, 1)
    _count(draft, account, 1)
    return slot


def remove(draft: Draft, market: int, slot: int) -> Order:
    """Take an order out of its list and its leaf away; the order as it was."""
    address = order_address(market, slot)
    order: Order = draft.get(address)
    before, after = order.previous, order.next
    book = draft.book(market)
    if before:
        _set_next(draft, market, before, after)
        _put_book(draft, market, book, book.best_bid, book.best_ask, -1)
    elif order.side == Side.BID:
        _put_book(draft, market, book, after, book.best_ask, -1)
    else:
        _put_book(draft, market, book, book.best_bid, after, -1)
    if after:
        _set_previous(draft, market, after, before)
    draft.put_resting(address, None)
    _count(draft, order.account, -1)
    return order


def shrink(draft: Draft, market: int, slot: int, size: int) -> None:
    """Take filled lots off an order, which keeps its place."""
    address = order_address(market, slot)
    order: Order = draft.get(address)
    draft.put(address, Order._make((*order[:5], order.remaining - size, *order[6:])))


def remove_resting(draft: Draft, address: int) -> OrderName:
    """Take an order or a trigger away; its name."""
    market, slot = market_of(address), slot_of(address)
    leaf = (
        remove(draft, market, slot)
        if address >> REGION_BITS == BOOK_REGION
        else remove_trigger(draft, market, slot)
    )
    return OrderName(*leaf[:3])


def cancel_named(draft: Draft, name: OrderName) -> None:
    """Take the order or trigger of a name away.

    Raises: Rejected with UNKNOWN_ORDER.
    """
    address = draft.guide.find(draft, name)
    if address is None:
        raise _unknown(name)
    _cancel(draft, address, name)


def cancel_order(draft: Draft, name: OrderName) -> None:
    """Take the resting order of a name away; a trigger is not one.

    Raises: Rejected with UNKNOWN_ORDER.
    """
    address = draft.guide.find(draft, name)
    if address is None or address >> REGION_BITS != BOOK_REGION:
        raise _unknown(name)
    _cancel(draft, address, name)


def _unknown(name: OrderName) -> Rejected:
    return Rejected(
        RejectReason.UNKNOWN_ORDER,
        f"an order or trigger of account {name.account}",
        f"key slot {name.key_slot}, nonce {name.nonce}",
    )


def _cancel(draft: Draft, address: int, name: OrderName) -> None:
    removed = remove_resting(draft, address)
    if removed != name:
        raise ExchangeError("address of an order", name, removed)
    draft.steps.append(Cancelled(market_of(address), name))


def cancel_resting(draft: Draft, account: int) -> int:
    """Take all orders and triggers of an account away, by increasing address; how many."""
    addresses = draft.guide.resting(draft, account)
    header = draft.known(account)
    if len(addresses) != header.orders + header.triggers:
        raise ExchangeError(
            f"orders and triggers of account {account}",
            header.orders + header.triggers,
            len(addresses),
        )
    for address in addresses:
        name = remove_resting(draft, address)
        if name.account != account:
            raise ExchangeError(f"what rests of account {account}", account, name)
        draft.steps.append(Cancelled(market_of(address), name))
    return len(addresses)


def _successor(draft: Draft, book: MarketBook, place: tuple[int, int, int], previous: int) -> int:
    """The order that a new one is put before, once it stands between the right neighbours."""
    market, side, price = place
    after = book.best_bid if side == Side.BID else book.best_ask
    if previous:
        order = draft.order(market, previous)
        if order.side != side or not is_as_good(side, order.price, price):
            raise ExchangeError(
                f"order before {price} ticks in market {market}", "one as good", order.price
            )
        after = order.next
    if after and is_as_good(side, draft.order(market, after).price, price):
        raise ExchangeError(
            f"order behind {price} ticks in market {market}", "a worse one", f"slot {after}"
        )
    return after


def is_as_good(side: int, resting_price: int, price: int) -> bool:
    """Whether a resting price has priority over a new one of the same side."""
    return resting_price >= price if side == Side.BID else resting_price <= price


def _set_previous(draft: Draft, market: int, slot: int, previous: int) -> None:
    address = order_address(market, slot)
    order: Order = draft.get(address)
    draft.put(address, Order._make((*order[:8], previous, order.next)))


def _set_next(draft: Draft, market: int, slot: int, following: int) -> None:
    address = order_address(market, slot)
    order: Order = draft.get(address)
    draft.put(address, Order._make((*order[:9], following)))


def _put_book(
    draft: Draft, market: int, book: MarketBook, best_bid: int, best_ask: int, change: int
) -> None:
    """Set the heads of both sides and keep the count of the market's orders."""
    count = book.order_count + change
    changed = MarketBook._make((best_bid, best_ask, *book[2:8], count, *book[9:]))
    draft.put(book_address(market), changed)


def _count(draft: Draft, account: int, change: int) -> None:
    """Keep the header's count of resting orders."""
    address = header_address(account)
    header: Account = draft.get(address)
    draft.put(address, Account._make((*header[:6], header.orders + change, *header[7:])))
