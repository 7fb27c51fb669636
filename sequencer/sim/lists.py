"""The linked lists of the state, seen alike: orders, triggers, and positions by direction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from circuits.exchange.addresses import book_address, market_of, order_address
from circuits.exchange.draft import TRIGGER_HEADS
from circuits.exchange.gates import UP
from circuits.exchange.leaves import Leaf, MarketBook, Order, Position, Side, Trigger
from circuits.exchange.limits import MARKET_SLOT_BITS
from sequencer.sim.errors import CheckFailed

Entries = Mapping[int, Leaf]
Linked = Order | Trigger | Position
LINKED = (Order, Trigger, Position)

BOOK_HEADS = {Side.BID: "best_bid", Side.ASK: "best_ask"}


def market_at(address: int, leaf: Linked) -> int:
    """The market that a leaf belongs to."""
    return leaf.market if isinstance(leaf, Position) else market_of(address)


def neighbours(address: int, leaf: Linked) -> tuple[int, int]:
    """The addresses before and after it, 0 for none."""
    if isinstance(leaf, Position):
        return leaf.previous, leaf.next
    base = address >> MARKET_SLOT_BITS << MARKET_SLOT_BITS
    return leaf.previous and base + leaf.previous, leaf.next and base + leaf.next


def list_of(address: int, leaf: Linked) -> tuple[int, str]:
    """Which list it stands in: its market, and the field of the book that holds the head."""
    market = market_at(address, leaf)
    if isinstance(leaf, Order):
        return market, BOOK_HEADS[Side(leaf.side)]
    if isinstance(leaf, Trigger):
        return market, TRIGGER_HEADS[leaf.source][leaf.direction]
    return market, "long_head" if leaf.size > 0 else "short_head"


def rank(leaf: Linked) -> int:
    """What never falls from one to the next of a list."""
    if isinstance(leaf, Order):
        return leaf.price if leaf.side == Side.ASK else -leaf.price
    if isinstance(leaf, Trigger):
        return leaf.trigger_price if leaf.direction == UP else -leaf.trigger_price
    return 0


def head_address(entries: Entries, market: int, field: str, base: int) -> int:
    """The address of the head of a list, 0 for an empty one; `base` is that of slot 0."""
    head = cast(int, getattr(entries[book_address(market)], field))
    return head if field in ("long_head", "short_head") else head and base + head


def require_linked(entries: Entries, address: int) -> None:
    """Check one leaf against those beside it; an empty one is as it must be.

    Raises: CheckFailed.
    """
    leaf = entries.get(address)
    if not isinstance(leaf, LINKED):
        return
    market, field = list_of(address, leaf)
    before, after = neighbours(address, leaf)
    place = f"{field} of market {market}: leaf {address:#x}"
    if before == 0:
        base = address >> MARKET_SLOT_BITS << MARKET_SLOT_BITS
        head = head_address(entries, market, field, base)
        require(head == address, f"{place}: head", hex(address), hex(head))
    for other, is_before in ((before, True), (after, False)):
        if other:
            _require_beside(entries, (address, leaf), (other, is_before), place)


def require(holds: bool, place: str, expected: object, got: object) -> None:
    """Raise CheckFailed unless something holds."""
    if not holds:
        raise CheckFailed(place, expected, got)


def _require_beside(
    entries: Entries, here: tuple[int, Linked], there: tuple[int, bool], place: str
) -> None:
    address, leaf = here
    other, is_before = there
    side = "previous" if is_before else "next"
    found = entries.get(other)
    require(type(found) is type(leaf), f"{place}: {side}", type(leaf).__name__, found)
    neighbour = cast(Linked, found)
    require(
        list_of(other, neighbour) == list_of(address, leaf),
        f"{place}: {side}",
        "the same list",
        list_of(other, neighbour),
    )
    back = neighbours(other, neighbour)[1 if is_before else 0]
    require(back == address, f"{place}: link back of {side}", hex(address), hex(back))
    first, second = (neighbour, leaf) if is_before else (leaf, neighbour)
    require(rank(first) <= rank(second), f"{place}: order", "sorted by price", f"{side} out of it")


def require_uncrossed(entries: Entries, market: int) -> None:
    """Check that the best bid is below the best ask. Raises: CheckFailed."""
    book = cast(MarketBook, entries[book_address(market)])
    if book.best_bid and book.best_ask:
        base = order_address(market, 0)
        bid = cast(Order, entries[base + book.best_bid]).price
        ask = cast(Order, entries[base + book.best_ask]).price
        require(bid < ask, f"book of market {market}", f"a best bid below {ask}", bid)
