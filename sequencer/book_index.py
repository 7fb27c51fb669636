"""The guide of a running venue: where orders and triggers rest, found without a search.

The state's own links hold the order of arrival within a price. What an insertion needs besides is
the last order of each price, so this index keeps just that, and reads the links of a leaf when it
comes or goes to keep it right. So it need not hear of orders that are linked elsewhere or shrink.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, cast

from circuits.exchange.addresses import market_of, order_address, trigger_address
from circuits.exchange.leaves import MarketBook, Order, Trigger
from circuits.exchange.limits import (
    BOOK_REGION,
    MARKET_BITS,
    MARKET_REGION,
    MARKET_SLOT_BITS,
    ORDER_SLOT_MAX,
    TRIGGER_SLOT_FIRST,
    TRIGGER_SLOT_MAX,
)
from sequencer.sorted_prices import SortedPrices

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circuits.exchange.draft import Draft
    from circuits.exchange.leaves import Leaf
    from circuits.exchange.state import State
    from circuits.exchange.steps import OrderName

ORDER_SLOT_FIRST = 1
"""Slot 0 stands for no order."""

SLOT_MASK = 2**MARKET_SLOT_BITS - 1
BOOKS = BOOK_REGION << MARKET_BITS
TRIGGERS = MARKET_REGION << MARKET_BITS


class PriceList:
    """One list of a market: its prices, and the slot that stands last at each."""

    __slots__ = ("_falls", "_prices", "_tails")

    def __init__(self, falls: bool) -> None:
        self._falls = falls
        self._prices = SortedPrices()
        self._tails: dict[int, int] = {}

    def before(self, price: int) -> int:
        """The slot behind which an order of this price goes; 0 for the front."""
        last = self._tails.get(price)
        if last is not None:
            return last
        nearest = self._prices.at_least(price) if self._falls else self._prices.at_most(price)
        return 0 if nearest is None else self._tails[nearest]

    def insert(self, slot: int, price: int, is_followed: bool) -> None:
        """Take in a slot; it stands last at its price unless one of the same price follows."""
        if price not in self._tails:
            self._prices.add(price)
            self._tails[price] = slot
        elif not is_followed:
            self._tails[price] = slot

    def remove(self, slot: int, price: int, follows: int) -> None:
        """Take out a slot; `follows` is the one of the same price before it, or 0."""
        if self._tails[price] != slot:
            return
        if follows:
            self._tails[price] = follows
        else:
            del self._tails[price]
            self._prices.remove(price)


class Shelf:
    """The slots of one market for orders, or for triggers: which are free, and their lists.

    Every slot from `_fresh` on is free; of those below, `_freed` holds the free ones, and some
    that were taken again since.
    """

    __slots__ = ("_freed", "_fresh", "_known", "_last", "_prices", "lists")

    def __init__(self, first: int, last: int, falling: tuple[bool, ...]) -> None:
        self.lists = tuple(PriceList(falls) for falls in falling)
        self._prices: dict[int, int] = {}
        self._fresh = first
        self._last = last
        self._freed: list[int] = []
        self._known: set[int] = set()

    def insert(self, slot: int, leaf: Order | Trigger) -> None:
        """An order or trigger came, or came back."""
        if isinstance(leaf, Order):
            number, price = leaf.side, leaf.price
        else:
            number, price = 2 * leaf.source + leaf.direction, leaf.trigger_price
        prices = self._prices
        self.lists[number].insert(slot, price, prices.get(leaf.next) == price)
        prices[slot] = price
        if slot >= self._fresh:
            for passed in range(self._fresh, slot):
                self._free(passed)
            self._fresh = slot + 1

    def remove(self, slot: int, leaf: Order | Trigger) -> None:
        """An order or trigger left, or never came."""
        number = leaf.side if isinstance(leaf, Order) else 2 * leaf.source + leaf.direction
        prices = self._prices
        price = prices.pop(slot)
        follows = leaf.previous if prices.get(leaf.previous) == price else 0
        self.lists[number].remove(slot, price, follows)
        self._free(slot)

    def lowest_free(self) -> int | None:
        """The lowest free slot, or None."""
        freed, taken = self._freed, self._prices
        while freed:
            if freed[0] not in taken:
                return freed[0]
            self._known.discard(heappop(freed))
        return self._fresh if self._fresh <= self._last else None

    def _free(self, slot: int) -> None:
        if slot not in self._known:
            self._known.add(slot)
            heappush(self._freed, slot)


class BookIndex:
    """Answers as `circuits.exchange.guide.SCAN` does.

    Assumes: a leaf is written with its links, and an order leaves with the links it has then, as
    `circuits.exchange.book` and `triggers` do it.
    Cost: constant but for the binary search of a price and the heap of free slots.
    """

    def __init__(self) -> None:
        self._shelves: dict[int, Shelf] = {}
        self._places: dict[tuple[int, int, int], int] = {}
        self._by_account: dict[int, set[int]] = {}

    @classmethod
    def of(cls, state: State) -> BookIndex:
        """The index of a whole state. Cost: a walk along every list."""
        index = cls()
        entries = state.leaves.entries()
        for address, leaf in entries.items():
            if type(leaf) is not MarketBook:
                continue
            market = market_of(address)
            for head in (leaf.best_bid, leaf.best_ask):
                index._walk(entries, order_address(market, 0), head)
            for head in (leaf.mark_up, leaf.mark_down, leaf.last_up, leaf.last_down):
                index._walk(entries, trigger_address(market, 0), head)
        return index

    def changed(self, address: int, before: Leaf | None, after: Leaf | None) -> None:
        """Follow an order or trigger that came or went."""
        if before is not None:
            self._remove(address, cast(Order | Trigger, before))
        if after is not None:
            self._insert(address, cast(Order | Trigger, after))

    def undone(self, address: int, before: Leaf | None, after: Leaf | None) -> None:
        """Follow a write backwards: the links of the leaf say where it stood."""
        self.changed(address, after, before)

    def free_order_slot(self, draft: Draft, market: int) -> int | None:
        """The lowest free one."""
        return self._shelf(BOOKS + market).lowest_free()

    def free_trigger_slot(self, draft: Draft, market: int) -> int | None:
        """The lowest free one."""
        return self._shelf(TRIGGERS + market).lowest_free()

    def find(self, draft: Draft, name: OrderName) -> int | None:
        """By the name."""
        return self._places.get(name)

    def resting(self, draft: Draft, account: int) -> list[int]:
        """By the account."""
        return sorted(self._by_account.get(account, ()))

    def order_before(self, draft: Draft, market: int, side: int, price: int) -> int:
        """The last of its price, or of the nearest better one."""
        return self._shelf(BOOKS + market).lists[side].before(price)

    def trigger_before(
        self, draft: Draft, market: int, source: int, direction: int, trigger_price: int
    ) -> int:
        """The last of its price, or of the nearest that is reached earlier."""
        return self._shelf(TRIGGERS + market).lists[2 * source + direction].before(trigger_price)

    def _shelf(self, number: int) -> Shelf:
        shelf = self._shelves.get(number)
        if shelf is None:
            if number >= BOOKS:
                shelf = Shelf(ORDER_SLOT_FIRST, ORDER_SLOT_MAX, (True, False))
            else:
                shelf = Shelf(TRIGGER_SLOT_FIRST, TRIGGER_SLOT_MAX, (False, True, False, True))
            self._shelves[number] = shelf
        return shelf

    def _insert(self, address: int, leaf: Order | Trigger) -> None:
        self._places[leaf[:3]] = address
        resting = self._by_account.get(leaf.account)
        if resting is None:
            self._by_account[leaf.account] = {address}
        else:
            resting.add(address)
        self._shelf(address >> MARKET_SLOT_BITS).insert(address & SLOT_MASK, leaf)

    def _remove(self, address: int, leaf: Order | Trigger) -> None:
        del self._places[leaf[:3]]
        resting = self._by_account[leaf.account]
        resting.remove(address)
        if not resting:
            del self._by_account[leaf.account]
        self._shelves[address >> MARKET_SLOT_BITS].remove(address & SLOT_MASK, leaf)

    def _walk(self, entries: Mapping[int, Leaf], base: int, head: int) -> None:
        """Take in a list from its head."""
        slot = head
        while slot:
            leaf = cast(Order | Trigger, entries[base + slot])
            self._insert(base + slot, leaf)
            slot = leaf.next
