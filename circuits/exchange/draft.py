"""What one command has written so far to the state that it started from; it can be taken back.

Rules read and write a draft. When the command is refused the draft is thrown away; when one
operation of it is refused, what that operation wrote is undone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from circuits.exchange.addresses import (
    CONTROLS_ADDRESS,
    FEE_TERMS_ADDRESS,
    book_address,
    header_address,
    order_address,
    prices_address,
    terms_address,
    trigger_address,
)
from circuits.exchange.leaves import (
    Account,
    Controls,
    FeeTerms,
    MarketBook,
    MarketPrices,
    MarketTerms,
    Order,
    Trigger,
)
from circuits.exchange.limits import ACCOUNT_FIRST, ACCOUNT_MAX, MARKET_MAX
from circuits.exchange.state import State
from circuits.exchange.units import TokenUnits

if TYPE_CHECKING:
    from circuits.exchange.guide import Guide
    from circuits.exchange.leaf_map import LeafMap
    from circuits.exchange.leaves import Leaf
    from circuits.exchange.steps import Step

TRIGGER_HEADS = (("mark_up", "mark_down"), ("last_up", "last_down"))
"""The field of a market's book that holds the head of each trigger list, by source, direction."""

DEFAULT_CONTROLS = Controls()


class Mark(NamedTuple):
    """A place in a draft to go back to."""

    write_count: int
    step_count: int
    custody: TokenUnits


class Draft:
    """Leaves of a state, and what a command changes of them; the state itself stays what it was.

    `get` is the leaf at an address, or None for an empty one; the caller knows which kind stands
    where.
    """

    __slots__ = (
        "_before",
        "_entries",
        "_leaves",
        "_log",
        "_older",
        "custody",
        "domain",
        "get",
        "guide",
        "steps",
    )

    def __init__(self, state: State, guide: Guide) -> None:
        self.domain = state.domain
        self.custody = state.custody
        self.steps: list[Step] = []
        self.guide = guide
        self._older = state.leaves
        self._leaves, self._before = state.leaves.open()
        self._entries = self._leaves.entries()
        self.get: Callable[[int], Any] = self._entries.get
        self._log: list[tuple[int, Leaf | None, bool, bool]] = []

    def put(self, address: int, leaf: Leaf | None) -> None:
        """Set or empty any leaf; an order or trigger only to link it elsewhere or to shrink it."""
        entries = self._entries
        old = entries.get(address)
        is_first = address not in self._before
        if is_first:
            self._before[address] = old
        self._log.append((address, old, is_first, False))
        if leaf is None:
            entries.pop(address, None)
        else:
            entries[address] = leaf

    def put_resting(self, address: int, leaf: Order | Trigger | None) -> None:
        """Set or empty an order or a trigger that comes or goes, and tell the guide."""
        self.put(address, leaf)
        _, old, is_first, _ = self._log[-1]
        self._log[-1] = (address, old, is_first, True)
        self.guide.changed(address, old, leaf)

    def mark(self) -> Mark:
        """The present, to go back to."""
        return Mark(len(self._log), len(self.steps), self.custody)

    def rollback(self, mark: Mark) -> None:
        """Take back everything since the mark."""
        log, entries = self._log, self._entries
        while len(log) > mark.write_count:
            address, old, is_first, is_told = log.pop()
            if is_first:
                del self._before[address]
            if is_told:
                self.guide.undone(address, old, entries.get(address))
            if old is None:
                entries.pop(address, None)
            else:
                entries[address] = old
        del self.steps[mark.step_count :]
        self.custody = mark.custody

    def discard(self) -> None:
        """Take back everything: the command is refused, and the draft is of no more use."""
        self.rollback(Mark(0, 0, self.custody))
        self._older.reopen()

    def commit(self) -> tuple[LeafMap, dict[int, Leaf | None]]:
        """The next version of the leaves, and every leaf that was written, as it was.

        The draft is of no more use then.
        """
        return self._leaves, self._before

    def items(self) -> Iterator[tuple[int, Leaf]]:
        """All leaves, in no particular order. Cost: the whole state; for tests and scans."""
        return iter(list(self._entries.items()))

    def account(self, account: int) -> Account | None:
        """The header of an account, or None; any integer may be asked for."""
        if not ACCOUNT_FIRST <= account <= ACCOUNT_MAX:
            return None
        leaf: Account | None = self.get(header_address(account))
        return leaf

    def known(self, account: int) -> Account:
        """The header of an account that exists."""
        leaf: Account = self.get(header_address(account))
        return leaf

    def put_account(self, account: int, header: Account) -> None:
        """Set a header."""
        self.put(header_address(account), header)

    def terms(self, market: int) -> MarketTerms | None:
        """What governance fixed for a market; None if it is not listed, for any integer."""
        if not 0 <= market <= MARKET_MAX:
            return None
        leaf: MarketTerms | None = self.get(terms_address(market))
        return leaf

    def prices(self, market: int) -> MarketPrices:
        """The live prices of a listed market."""
        leaf: MarketPrices = self.get(prices_address(market))
        return leaf

    def book(self, market: int) -> MarketBook:
        """The list heads of a listed market."""
        leaf: MarketBook = self.get(book_address(market))
        return leaf

    def order(self, market: int, slot: int) -> Order:
        """The order in a slot that a link leads to."""
        leaf: Order = self.get(order_address(market, slot))
        return leaf

    def trigger(self, market: int, slot: int) -> Trigger:
        """The trigger in a slot that a link leads to."""
        leaf: Trigger = self.get(trigger_address(market, slot))
        return leaf

    def trigger_head(self, market: int, source: int, direction: int) -> int:
        """The slot of the trigger of a list that fires first, or 0."""
        head: int = getattr(self.book(market), TRIGGER_HEADS[source][direction])
        return head

    def fee_terms(self) -> FeeTerms | None:
        """The fees, once governance has set them; a listed market implies it has."""
        leaf: FeeTerms | None = self.get(FEE_TERMS_ADDRESS)
        return leaf

    def controls(self) -> Controls:
        """The switches of the whole exchange."""
        leaf: Controls | None = self.get(CONTROLS_ADDRESS)
        return leaf or DEFAULT_CONTROLS
