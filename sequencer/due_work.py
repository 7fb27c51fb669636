"""Which derived commands are due: found from what commands changed, never by a search of the state.

The order is fixed: what holds up other commands of a market (funding, halts, armed triggers,
resumptions), then accounts below maintenance or in debt, then orders that may not stand any more,
vaults' epochs and the liquidity vault's quotes. Whoever asks applies each command before asking
for the next, and may stop at any time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from circuits.exchange.addresses import (
    BOOK_BASE,
    BOOK_SLOT,
    MARKET_BASE,
    PRICES_SLOT,
    SYSTEM_BASE,
    account_of,
    market_of,
    prices_address,
)
from circuits.exchange.apply import Command, Receipt
from circuits.exchange.bodies import Derived
from circuits.exchange.events import Executed
from circuits.exchange.leaves import MarketBook, MarketPrices
from circuits.exchange.limits import (
    ACCOUNT_SLOTS,
    HEADER_SLOT,
    MARKET_SLOT_BITS,
    POSITION_SLOT_FIRST,
    POSITION_SLOTS,
    VAULT_LEDGER_SLOT,
    VAULT_TERMS_SLOT,
)
from circuits.exchange.pubdata import touched_addresses
from circuits.exchange.state import State
from circuits.exchange.transactions.auto_deleverage import AutoDeleverage
from circuits.exchange.transactions.clear_orders import ClearOrders
from circuits.exchange.transactions.cover_deficit import CoverDeficit
from circuits.exchange.transactions.liquidate import Liquidate
from circuits.exchange.transactions.request_liquidation import RequestLiquidation
from circuits.exchange.transactions.take_over import TakeOver
from circuits.exchange.transactions.vault_quote import VaultQuote
from sequencer.liquidations import Liquidations
from sequencer.margin_watch import Entries, MarginWatch
from sequencer.market_watch import MarketWatch

MARKET_SLOTS = 2**MARKET_SLOT_BITS
ABOUT_ACCOUNTS = ClearOrders | Liquidate | TakeOver | AutoDeleverage | CoverDeficit
"""Derived commands that are about one account."""

UNSAFE_AFTER = (Liquidate, TakeOver, AutoDeleverage, RequestLiquidation)
"""Commands after which an account may be below maintenance although no price moved."""

POSITION_SLOT_LAST = POSITION_SLOT_FIRST + POSITION_SLOTS - 1
AT_ONCE = -1
"""A time before all others: something has changed, so ask whatever the time."""


class DueWork:
    """Is told of every command by `record`, and names what is due by `next`.

    Cost: of a command, a look at each leaf that it wrote, and a heap push per order; of a price,
    a health pass for each account whose band it left or that was changed since the last; of a
    question without news, a comparison.
    """

    def __init__(self, state: State) -> None:
        """Look through a whole state, once."""
        self._margins = MarginWatch()
        self._markets = MarketWatch()
        self._liquidations = Liquidations(self._margins)
        self._quiet_until_ms = AT_ONCE
        self._named: Derived | None = None
        entries = state.leaves.entries()
        self._follow(entries, dict.fromkeys(entries))
        self._margins.look_now()

    def record(self, receipt: Receipt) -> None:
        """Follow one command. Assumes: every receipt is given, in order, each right after it."""
        event = receipt.event
        entries: Entries = receipt.state.leaves.entries()
        if event is None:
            self._refused(receipt.command)
        elif isinstance(event, Executed):
            self._follow(entries, event.before)
            body = event.body
            if isinstance(body, UNSAFE_AFTER):
                self._margins.look_now()
                self._quiet_until_ms = AT_ONCE
            elif isinstance(body, VaultQuote):
                self._markets.quoted(body.market, event.time_ms)
        else:
            for address in touched_addresses(event):
                self._touch(account_of(address))
        if self._liquidations.has_debts:
            self._quiet_until_ms = AT_ONCE

    def next(self, state: State, time_ms: int) -> Command | None:
        """The next command that is due at a time, or None.

        Assumes: `state` is the one that the last recorded command led to, and the newest.
        """
        if time_ms < self._quiet_until_ms:
            return None
        entries = state.leaves.entries()
        body = self._markets.needed(entries, time_ms)
        if body is None:
            for account in self._margins.found(entries):
                self._liquidations.add(account)
            body = self._liquidations.next(state, time_ms) or self._markets.wanted(state, time_ms)
            if body is None:
                self._quiet_until_ms = self._markets.next_deadline_ms()
                return None
        self._named = body
        return Command(time_ms, body)

    def _refused(self, command: Command) -> None:
        """Note a refusal of what was named; what others tried too early may be due later."""
        body = self._named
        if body is None or body != command.body:
            return
        self._named = None
        if isinstance(body, ABOUT_ACCOUNTS):
            self._liquidations.refused(body.account, body)
        else:
            self._markets.refused(body, command.time_ms)

    def _touch(self, account: int) -> None:
        if self._margins.touch(account):
            self._quiet_until_ms = AT_ONCE

    def _follow(self, entries: Entries, changes: Mapping[int, Any]) -> None:
        """Follow the writes of a command; `changes` holds each leaf as it was before."""
        unsafe = self._margins.unsafe
        for address, before in changes.items():
            after: Any = entries.get(address)
            if address < MARKET_BASE:
                slot = address % ACCOUNT_SLOTS
                if slot == HEADER_SLOT:
                    if (
                        before is None
                        or after.cash < before.cash
                        or after.positions != before.positions
                        or (unsafe and account_of(address) in unsafe)
                    ):
                        self._touch(account_of(address))
                elif slot <= POSITION_SLOT_LAST:
                    if before is None or after is None or before.size != after.size:
                        self._touch(account_of(address))
                elif slot >= VAULT_TERMS_SLOT:
                    self._follow_vault(account_of(address), slot, after)
            elif address < BOOK_BASE:
                slot = address % MARKET_SLOTS
                if slot == BOOK_SLOT:
                    self._follow_book(entries, address, after)
                elif slot < BOOK_SLOT:
                    self._follow_market(entries, market_of(address), slot, before)
            elif address < SYSTEM_BASE:
                if before is None or after is None or before.good_until_ms != after.good_until_ms:
                    end_ms = self._markets.order_changed(address, after)
                    if end_ms < self._quiet_until_ms:
                        self._quiet_until_ms = end_ms
            else:
                self._markets.rules_changed()
                self._liquidations.add_all()
                self._quiet_until_ms = AT_ONCE

    def _follow_book(self, entries: Entries, address: int, book: MarketBook) -> None:
        if book.mark_up or book.mark_down or book.last_up or book.last_down:
            self._markets.may_be_armed(market_of(address))
            self._quiet_until_ms = AT_ONCE
        if self._liquidations.has_buyers:
            if self._liquidations.book_changed(entries, market_of(address), book):
                self._quiet_until_ms = AT_ONCE

    def _follow_vault(self, vault: int, slot: int, after: Any) -> None:
        self._quiet_until_ms = AT_ONCE
        if slot == VAULT_LEDGER_SLOT:
            self._markets.ledger_changed(vault, after)
        else:
            self._markets.rules_changed()

    def _follow_market(self, entries: Entries, market: int, slot: int, before: Any) -> None:
        self._quiet_until_ms = AT_ONCE
        if slot == PRICES_SLOT:
            after: MarketPrices = entries[prices_address(market)]
            self._markets.prices_changed(entries, market, before)
            self._liquidations.price_changed(market)
            if before is not None and (
                after.mark_price != before.mark_price or after.funding_index != before.funding_index
            ):
                self._margins.move(market)
        elif before is not None:
            self._margins.change_terms(market)
