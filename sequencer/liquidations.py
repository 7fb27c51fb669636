"""Which of the unsafe accounts to act on next, and which to leave until a price moves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from heapq import heappop, heappush

from circuits.exchange.addresses import order_address
from circuits.exchange.bodies import Derived
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected
from circuits.exchange.leaves import Account, MarketBook, Mode
from circuits.exchange.liquidation import Victim, backstops, examine
from circuits.exchange.state import State
from circuits.exchange.transactions.cover_deficit import CoverDeficit
from sequencer.lazy_heap import LazyHeap
from sequencer.liquidation_plan import crossing_price, held_markets, next_action
from sequencer.looking import looking_at
from sequencer.margin_watch import Entries, MarginWatch


class Buyers:
    """The zero prices at which positions in one market wait for an order that is as good."""

    def __init__(self) -> None:
        self._longs, self._shorts = LazyHeap(), LazyHeap()

    def wait(self, victim: Victim) -> None:
        """Wait for a bid at or above the zero price of a long, an ask at or below a short's."""
        if victim.size > 0:
            self._longs.put(victim.account, victim.zero_price)
        else:
            self._shorts.put(victim.account, -victim.zero_price)

    def arrived(self, entries: Entries, market: int, book: MarketBook) -> Iterator[int]:
        """The accounts that the best orders of the book can help; they are forgotten."""
        if book.best_bid and self._longs:
            bid: int = entries[order_address(market, book.best_bid)].price
            while (account := self._longs.below(bid + 1)) is not None:
                self._longs.drop(account)
                yield account
        if book.best_ask and self._shorts:
            ask: int = entries[order_address(market, book.best_ask)].price
            while (account := self._shorts.below(1 - ask)) is not None:
                self._shorts.drop(account)
                yield account


class Liquidations:
    """Unsafe accounts, each either up next, by its number, or waiting.

    One about whom nothing can be done waits for a price of one of its markets, or for an order
    that can take its position; one in debt, for the insurance to have as much cash. What was
    refused is not tried again until then, nor before the account itself changes. A backstop that
    got new margin in between, or a counterparty, is asked with the next price.
    """

    def __init__(self, watch: MarginWatch) -> None:
        self._watch = watch
        self._next: list[int] = []
        self._is_next: set[int] = set()
        self._waiting: defaultdict[int, set[int]] = defaultdict(set)
        self._debts = LazyHeap()
        self._buyers: defaultdict[int, Buyers] = defaultdict(Buyers)
        self._refused: dict[int, set[Derived]] = {}

    def add(self, account: int) -> None:
        """The account is unsafe and was looked at, or something about it changed."""
        self._refused.pop(account, None)
        self._debts.drop(account)
        if account not in self._is_next:
            self._is_next.add(account)
            heappush(self._next, account)

    def add_all(self) -> None:
        """Something changed that may matter to every unsafe account."""
        for account in self._watch.unsafe:
            self.add(account)

    def price_changed(self, market: int) -> None:
        """The prices of a market changed, if only their time."""
        for account in self._waiting.pop(market, ()):
            self.add(account)

    def book_changed(self, entries: Entries, market: int, book: MarketBook) -> bool:
        """The heads of a market's book may have changed; whether an account is up again for it."""
        buyers = self._buyers.get(market)
        if buyers is None:
            return False
        arrived = list(buyers.arrived(entries, market, book))
        for account in arrived:
            self.add(account)
        return bool(arrived)

    @property
    def has_buyers(self) -> bool:
        """Whether any account waits, or waited, for an order that can take its position."""
        return bool(self._buyers)

    @property
    def has_debts(self) -> bool:
        """Whether any account waits for the insurance to have cash."""
        return bool(self._debts)

    def refused(self, account: int, body: Derived) -> None:
        """The command was refused."""
        self._refused.setdefault(account, set()).add(body)

    def next(self, state: State, time_ms: int) -> Derived | None:
        """The next command about an unsafe account, or None while all of them wait."""
        if not self._next and not self._debts:
            return None
        entries = state.leaves.entries()
        with looking_at(state) as draft:
            self._add_payable(draft)
            while self._next:
                account = self._next[0]
                if self._watch.is_unsafe(entries, account):
                    body = self._action(draft, time_ms, account)
                    if body is not None:
                        return body
                else:
                    self._refused.pop(account, None)
                heappop(self._next)
                self._is_next.discard(account)
        return None

    def _add_payable(self, draft: Draft) -> None:
        """Those whose debt the insurance has the cash for are up again."""
        if self._debts:
            bound = draft.known(insurance_of(draft)).cash + 1
            while (account := self._debts.below(bound)) is not None:
                self.add(account)

    def _action(self, draft: Draft, time_ms: int, account: int) -> Derived | None:
        """What to do about an account now; if nothing, it is left to wait."""
        if draft.controls().mode == Mode.FROZEN:
            return None
        header = draft.known(account)
        body = next_action(draft, time_ms, account, self._refused.get(account, ()))
        if body is None:
            self._wait(draft, time_ms, account, header)
        elif isinstance(body, CoverDeficit):
            if account == insurance_of(draft):
                return None
            if header.cash + draft.known(insurance_of(draft)).cash < 0:
                self._debts.put(account, -header.cash)
                return None
        return body

    def _wait(self, draft: Draft, time_ms: int, account: int, header: Account) -> None:
        """Wait for prices: those of the insurance's positions, if the account has none."""
        waits_for = account if header.positions else insurance_of(draft)
        for market in held_markets(draft, waits_for, draft.known(waits_for)):
            self._waiting[market].add(account)
            if header.positions:
                try:
                    victim = examine(draft, time_ms, account, market)
                except Rejected:
                    continue
                if not crossing_price(draft, victim):
                    self._buyers[market].wait(victim)


def insurance_of(draft: Draft) -> int:
    """The insurance account. Assumes: a market is listed, so the fees are set."""
    return backstops(draft)[0]
