"""What is due in the markets and vaults by time, price or trigger, kept as an index."""

from __future__ import annotations

from circuits.exchange.addresses import (
    CONTROLS_ADDRESS,
    FEE_TERMS_ADDRESS,
    book_address,
    market_of,
    order_address,
    prices_address,
    slot_of,
    terms_address,
    trigger_address,
    vault_ledger_address,
    vault_terms_address,
)
from circuits.exchange.backing import lack_of
from circuits.exchange.bodies import Derived
from circuits.exchange.draft import TRIGGER_HEADS
from circuits.exchange.errors import RejectReason
from circuits.exchange.gates import TRIGGER_LISTS, is_armed
from circuits.exchange.leaves import (
    FeeTerms,
    MarketBook,
    MarketPrices,
    MarketStatus,
    Mode,
    Order,
    VaultLedger,
)
from circuits.exchange.limits import PPM, QUOTE_LIFE_MS, TIME_MAX_MS
from circuits.exchange.state import State
from circuits.exchange.transactions.expire import Expire
from circuits.exchange.transactions.fire_trigger import FireTrigger
from circuits.exchange.transactions.funding_sample import FundingSample
from circuits.exchange.transactions.funding_settle import FundingSettle
from circuits.exchange.transactions.halt import Halt
from circuits.exchange.transactions.resume import Resume
from circuits.exchange.transactions.vault_quote import VaultQuote
from circuits.exchange.transactions.vault_settle_epoch import VaultSettleEpoch
from sequencer.lazy_heap import LazyHeap
from sequencer.looking import looking_at
from sequencer.margin_watch import Entries


class MarketWatch:
    """Is told of leaves that changed; `needed` and `wanted` name the next command that is due.

    A command that was refused is not named again before a leaf that it depends on changes.
    """

    def __init__(self) -> None:
        self._funding = LazyHeap()
        self._prices_end = LazyHeap()
        self._may_be_armed: set[int] = set()
        self._may_resume: set[int] = set()
        self._orders_end = LazyHeap()
        self._epochs = LazyHeap()
        self._refused_epochs: set[int] = set()
        self._markets: set[int] = set()
        self._to_quote: set[int] = set()
        self._quotes_end = LazyHeap()
        self._indexes: dict[int, int] = {}
        self._quoted_indexes: dict[int, int] = {}
        self._heads_to_check: set[int] = set()

    def prices_changed(self, entries: Entries, market: int, before: MarketPrices | None) -> None:
        """Follow a write of a market's prices."""
        prices: MarketPrices = entries[prices_address(market)]
        self._markets.add(market)
        if prices.status == MarketStatus.DELISTED:
            self._funding.drop(market)
        else:
            self._funding.put(market, min(prices.next_sample_ms, prices.next_settlement_ms))
        if prices.halted or prices.index_price == 0 or prices.status == MarketStatus.DELISTED:
            self._prices_end.drop(market)
        else:
            self._prices_end.put(market, prices.valid_until_ms)
        if prices.halted:
            if prices.cooldown_count >= entries[terms_address(market)].cooldown_ticks:
                self._may_resume.add(market)
            else:
                self._may_resume.discard(market)
        self._indexes[market] = prices.index_price
        if before is None or self._has_moved(entries, market):
            self._to_quote.add(market)
        for vault in self._refused_epochs:
            self.ledger_changed(vault, entries[vault_ledger_address(vault)])
        self._refused_epochs.clear()
        self._may_be_armed.add(market)
        self._heads_to_check.add(market)

    def _has_moved(self, entries: Entries, market: int) -> bool:
        """Whether the index is half the vault's spread or more away from where it last quoted."""
        fees: FeeTerms | None = entries.get(FEE_TERMS_ADDRESS)
        if fees is None or fees.vault_account == 0:
            return False
        spread_ppm = entries[vault_terms_address(fees.vault_account)].quote_spread_ppm
        index, quoted = self._indexes[market], self._quoted_indexes.get(market, 0)
        return index != quoted and 2 * PPM * abs(index - quoted) >= spread_ppm * index

    def may_be_armed(self, market: int) -> None:
        """The heads of a market with triggers, or a price that they watch, changed."""
        self._may_be_armed.add(market)

    def order_changed(self, address: int, after: Order | None) -> int:
        """Follow an order that came, or that left; when it is to be taken out at the earliest."""
        if after is None:
            self._orders_end.drop(address)
            return TIME_MAX_MS
        self._orders_end.put(address, after.good_until_ms)
        return after.good_until_ms + 1

    def ledger_changed(self, vault: int, ledger: VaultLedger) -> None:
        """Follow a write of a vault's ledger."""
        if ledger.queue_head:
            self._epochs.put(vault, ledger.next_epoch_ms)
        else:
            self._epochs.drop(vault)

    def rules_changed(self) -> None:
        """Follow a change of who quotes, or of whether anybody may."""
        self._to_quote |= self._markets

    def needed(self, entries: Entries, time_ms: int) -> Derived | None:
        """The next command that must come before others may read its market, or None."""
        market = self._funding.below(time_ms + 1)
        if market is not None:
            prices: MarketPrices = entries[prices_address(market)]
            if prices.next_settlement_ms <= prices.next_sample_ms:
                return FundingSettle(market)
            return FundingSample(market)
        market = self._prices_end.below(time_ms + 1)
        if market is not None:
            return Halt(market)
        while self._may_be_armed:
            market = min(self._may_be_armed)
            for source, direction in TRIGGER_LISTS:
                if is_list_armed(entries, market, source, direction):
                    return FireTrigger(market, source, direction)
            self._may_be_armed.discard(market)
        while self._may_resume:
            market = min(self._may_resume)
            prices = entries[prices_address(market)]
            if prices.halted and time_ms < prices.valid_until_ms:
                return Resume(market)
            self._may_resume.discard(market)
        return None

    def wanted(self, state: State, time_ms: int) -> Derived | None:
        """The next command that is due, but holds up nobody, or None.

        An order that nothing backs any more is taken out once it stands first: there it keeps the
        mark and the funding from the book behind it.
        """
        entries = state.leaves.entries()
        while self._heads_to_check:
            first = min(self._heads_to_check)
            slot = lacking_head(state, first, time_ms)
            if slot:
                return Expire(first, slot)
            self._heads_to_check.discard(first)
        address = self._orders_end.below(time_ms)
        if address is not None:
            return Expire(market_of(address), slot_of(address))
        vault = self._epochs.below(time_ms + 1)
        if vault is not None:
            return VaultSettleEpoch(vault)
        market = self._quotes_end.below(time_ms + 1)
        if market is not None:
            self._quotes_end.drop(market)
            self._to_quote.add(market)
        while self._to_quote:
            market = min(self._to_quote)
            if may_quote(entries, market, time_ms):
                return VaultQuote(market)
            self._to_quote.discard(market)
        return None

    def next_deadline_ms(self) -> int:
        """The first time at which something is due by its time alone.

        Assumes: nothing was due just now.
        """
        deadlines = [
            deadline
            for heap in (self._funding, self._prices_end, self._epochs, self._quotes_end)
            if (deadline := heap.lowest()) is not None
        ]
        order_end = self._orders_end.lowest()
        if order_end is not None:
            deadlines.append(order_end + 1)
        return min(deadlines, default=TIME_MAX_MS)

    def quoted(self, market: int, time_ms: int) -> None:
        """The liquidity vault has quoted, or was refused: until the index moves, or for a while."""
        self._to_quote.discard(market)
        self._quoted_indexes[market] = self._indexes[market]
        self._quotes_end.put(market, time_ms + QUOTE_LIFE_MS)

    def refused(self, body: Derived, time_ms: int) -> None:
        """Do not name a command again before something changes."""
        if isinstance(body, FundingSample | FundingSettle):
            self._funding.drop(body.market)
        elif isinstance(body, Halt):
            self._prices_end.drop(body.market)
        elif isinstance(body, FireTrigger):
            self._may_be_armed.discard(body.market)
        elif isinstance(body, Resume):
            self._may_resume.discard(body.market)
        elif isinstance(body, Expire):
            self._orders_end.drop(order_address(body.market, body.slot))
            self._heads_to_check.discard(body.market)
        elif isinstance(body, VaultSettleEpoch):
            self._epochs.drop(body.vault)
            self._refused_epochs.add(body.vault)
        elif isinstance(body, VaultQuote):
            self.quoted(body.market, time_ms)


def is_list_armed(entries: Entries, market: int, source: int, direction: int) -> bool:
    """Whether the first trigger of a list has to fire."""
    book: MarketBook = entries[book_address(market)]
    slot = getattr(book, TRIGGER_HEADS[source][direction])
    if not slot:
        return False
    price = entries[trigger_address(market, slot)].trigger_price
    return is_armed(entries[prices_address(market)], book, source, direction, price)


def lacking_head(state: State, market: int, time_ms: int) -> int:
    """The slot of a first order of a market that may not stand any more, or 0."""
    with looking_at(state) as draft:
        book = draft.book(market)
        for slot in (book.best_bid, book.best_ask):
            if slot:
                reason = lack_of(draft, market, draft.order(market, slot), time_ms)
                if reason is not None and reason is not RejectReason.PRICE_STALE:
                    return slot
    return 0


def may_quote(entries: Entries, market: int, time_ms: int) -> bool:
    """Whether the liquidity vault has anything to quote in a market now."""
    fees: FeeTerms | None = entries.get(FEE_TERMS_ADDRESS)
    if fees is None or fees.vault_account == 0:
        return False
    controls = entries.get(CONTROLS_ADDRESS)
    if controls is not None and controls.mode != Mode.NORMAL:
        return False
    prices: MarketPrices = entries[prices_address(market)]
    return (
        prices.status == MarketStatus.ACTIVE
        and not prices.halted
        and prices.index_price > 0
        and time_ms < prices.valid_until_ms
        and entries[vault_terms_address(fees.vault_account)].quote_layers > 0
    )
