"""Answers to the questions that a row-local rule may not search for; every answer is checked.

A chip is given these answers as part of its witness. A venue keeps an index; `SCAN` looks through
the leaves, which is slow and obviously right. Both must give the same answers, because the slot
that an order gets is part of the state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from circuits.exchange.addresses import market_of, order_address, slot_of, trigger_address
from circuits.exchange.leaves import Order, Side, Trigger
from circuits.exchange.limits import ORDER_SLOT_MAX, TRIGGER_SLOT_FIRST, TRIGGER_SLOT_MAX

if TYPE_CHECKING:
    from circuits.exchange.draft import Draft
    from circuits.exchange.leaves import Leaf
    from circuits.exchange.steps import OrderName

Place = tuple[int, int]
"""A market and a slot of it."""


class Guide(Protocol):
    """Where things are. The draft tells it of every order and trigger that comes or goes."""

    def changed(self, address: int, before: Leaf | None, after: Leaf | None) -> None:
        """An order or trigger came or went; one that is relinked or shrinks does neither."""

    def undone(self, address: int, before: Leaf | None, after: Leaf | None) -> None:
        """The write of `after` over `before` was taken back; writes are undone last first."""

    def free_order_slot(self, draft: Draft, market: int) -> int | None:
        """The lowest slot of the market's book without an order, or None."""

    def free_trigger_slot(self, draft: Draft, market: int) -> int | None:
        """The lowest slot of the market's upper half without a trigger, or None."""

    def find(self, draft: Draft, name: OrderName) -> int | None:
        """The address of the order or trigger of this name, or None."""

    def resting(self, draft: Draft, account: int) -> list[int]:
        """The addresses of all orders and triggers of an account, increasing."""

    def order_before(self, draft: Draft, market: int, side: int, price: int) -> int:
        """The last order of the side with a price as good or better; 0 if there is none."""

    def trigger_before(
        self, draft: Draft, market: int, source: int, direction: int, trigger_price: int
    ) -> int:
        """The last trigger of the list that fires as early or earlier; 0 if there is none."""


class ScanGuide:
    """Looks through all leaves each time."""

    def changed(self, address: int, before: Leaf | None, after: Leaf | None) -> None:
        """Nothing to remember."""

    def undone(self, address: int, before: Leaf | None, after: Leaf | None) -> None:
        """Nothing to remember."""

    def free_order_slot(self, draft: Draft, market: int) -> int | None:
        """The lowest free one."""
        for slot in range(1, ORDER_SLOT_MAX + 1):
            if draft.get(order_address(market, slot)) is None:
                return slot
        return None

    def free_trigger_slot(self, draft: Draft, market: int) -> int | None:
        """The lowest free one."""
        for slot in range(TRIGGER_SLOT_FIRST, TRIGGER_SLOT_MAX + 1):
            if draft.get(trigger_address(market, slot)) is None:
                return slot
        return None

    def find(self, draft: Draft, name: OrderName) -> int | None:
        """The first that matches; a name is never used twice."""
        for address, leaf in draft.items():
            if isinstance(leaf, Order | Trigger) and leaf[:3] == name:
                return address
        return None

    def resting(self, draft: Draft, account: int) -> list[int]:
        """All of the account's."""
        return sorted(
            address
            for address, leaf in draft.items()
            if isinstance(leaf, Order | Trigger) and leaf.account == account
        )

    def order_before(self, draft: Draft, market: int, side: int, price: int) -> int:
        """The end of the walk down the list."""
        book = draft.book(market)
        found, slot = 0, book.best_bid if side == Side.BID else book.best_ask
        while slot:
            order = draft.order(market, slot)
            if order.price < price if side == Side.BID else order.price > price:
                break
            found, slot = slot, order.next
        return found

    def trigger_before(
        self, draft: Draft, market: int, source: int, direction: int, trigger_price: int
    ) -> int:
        """The end of the walk down the list."""
        found, slot = 0, draft.trigger_head(market, source, direction)
        while slot:
            trigger = draft.trigger(market, slot)
            if direction == 0 and trigger.trigger_price > trigger_price:
                break
            if direction == 1 and trigger.trigger_price < trigger_price:
                break
            found, slot = slot, trigger.next
        return found


SCAN: Guide = ScanGuide()


def place_of(address: int) -> Place:
    """Market and slot of an order or trigger."""
    return market_of(address), slot_of(address)
