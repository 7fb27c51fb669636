"""Checked mode: all that must hold after every command, looked at where the command wrote.

What a command did not write and what does not stand beside it is as it was, so looking there is
enough. `audit` looks at everything, now and then and at the end.
"""

from __future__ import annotations

from typing import cast

from circuits.exchange.addresses import (
    book_address,
    header_address,
    market_of,
    order_address,
    trigger_address,
)
from circuits.exchange.apply import Command, Receipt
from circuits.exchange.events import Deposited, Event, Executed, KeyRegistered, Transferred
from circuits.exchange.leaves import MarketBook
from circuits.exchange.state import State
from sequencer.sim.lists import (
    LINKED,
    Entries,
    Linked,
    market_at,
    neighbours,
    require,
    require_linked,
    require_uncrossed,
)
from sequencer.sim.promises import Before, before, require_kept
from sequencer.sim.sums import Change, Sums

ORDER_HEADS = ("best_bid", "best_ask")
TRIGGER_HEAD_NAMES = ("mark_up", "mark_down", "last_up", "last_down")
POSITION_HEADS = ("long_head", "short_head")
"""The fields of a market's book that lead to lists: slots, slots, and addresses."""

AUDITED_EVERY = 1_000
"""Commands between two looks at everything."""


class Checker:
    """Is shown every command of a run, right before and right after it."""

    def __init__(self) -> None:
        self._sums = Sums()
        self._before: Before | None = None
        self._count = 0

    def before(self, state: State, command: Command) -> None:
        """Look at what the command may not make worse."""
        self._before = before(state, command)

    def after(self, receipt: Receipt) -> None:
        """Look at what it did.

        Raises: CheckFailed naming the first thing that does not hold.
        """
        self._count += 1
        if receipt.event is None:
            return
        entries = receipt.state.leaves.entries()
        changes = changes_of(receipt.event, entries)
        self._sums.add(changes)
        self._sums.require(receipt.state, changes)
        require_lists(entries, changes)
        if self._before is not None:
            require_kept(self._before, receipt, changes)
        if self._count % AUDITED_EVERY == 0:
            audit(receipt.state)


def changes_of(event: Event, entries: Entries) -> list[Change]:
    """Every leaf that a command wrote, before and after."""
    if isinstance(event, Executed):
        return [(address, old, entries.get(address)) for address, old in event.before.items()]
    if isinstance(event, Transferred):
        transfer = event.transaction
        return [
            (header_address(transfer.account), event.sender_before, event.sender_after),
            (header_address(transfer.to), event.recipient_before, event.recipient_after),
        ]
    if isinstance(event, Deposited | KeyRegistered):
        return [(header_address(event.account_id), event.before, event.after)]
    return [(header_address(event.transaction.account), event.before, event.after)]


def require_lists(entries: Entries, changes: list[Change]) -> None:
    """Check every changed leaf of a list, and all that stood or stand beside one.

    Raises: CheckFailed.
    """
    touched: set[int] = set()
    markets: set[int] = set()
    for address, *leaves in changes:
        for leaf in leaves:
            if isinstance(leaf, LINKED):
                touched.update((address, *neighbours(address, leaf)))
                markets.add(market_at(address, leaf))
            elif isinstance(leaf, MarketBook):
                markets.add(market_of(address))
                touched.update(heads(market_of(address), leaf).values())
    for address in sorted(touched - {0}):
        require_linked(entries, address)
    for market in sorted(markets):
        require_heads(entries, market)
        require_uncrossed(entries, market)


def require_heads(entries: Entries, market: int) -> None:
    """Check that every head of a market leads to a leaf that nothing stands before.

    Raises: CheckFailed.
    """
    book = cast(MarketBook, entries[book_address(market)])
    for field, address in heads(market, book).items():
        leaf = entries.get(address)
        is_first = isinstance(leaf, LINKED) and leaf.previous == 0
        require(is_first, f"{field} of market {market}", "a first leaf", leaf)


def heads(market: int, book: MarketBook) -> dict[str, int]:
    """The addresses that the heads of a market name, by field; empty lists are left out."""
    bases = dict.fromkeys(ORDER_HEADS, order_address(market, 0))
    bases |= dict.fromkeys(TRIGGER_HEAD_NAMES, trigger_address(market, 0))
    bases |= dict.fromkeys(POSITION_HEADS, 0)
    return {name: base + getattr(book, name) for name, base in bases.items() if getattr(book, name)}


def audit(state: State) -> None:
    """Look at all of a state: every sum from nothing, and every list from its head to its end.

    Raises: CheckFailed.
    """
    entries = state.leaves.entries()
    sums = Sums()
    changes: list[Change] = [(address, None, leaf) for address, leaf in entries.items()]
    sums.add(changes)
    sums.require(state, changes)
    require_lists(entries, changes)
    reached: set[int] = set()
    for address, leaf in entries.items():
        if isinstance(leaf, MarketBook):
            for head in heads(market_of(address), leaf).values():
                reached |= walked(entries, head)
    linked = {address for address, leaf in entries.items() if isinstance(leaf, LINKED)}
    require(reached == linked, "lists", f"{len(linked)} leaves that heads lead to", len(reached))


def walked(entries: Entries, head: int) -> set[int]:
    """Every address of a list. Assumes: links lead back, so that no list is a circle."""
    found: set[int] = set()
    while head:
        found.add(head)
        head = neighbours(head, cast(Linked, entries[head]))[1]
    return found
