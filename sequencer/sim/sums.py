"""Sums over the whole state, kept by adding what each command changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import cast

from circuits.exchange.addresses import (
    account_of,
    book_address,
    header_address,
    market_of,
    position_address,
    share_address,
    vault_ledger_address,
)
from circuits.exchange.leaves import (
    Account,
    Leaf,
    MarketBook,
    Order,
    Position,
    Trigger,
    VaultLedger,
    VaultShare,
)
from circuits.exchange.limits import POSITION_SLOTS, SHARE_SLOTS
from circuits.exchange.state import State
from circuits.exchange.units import CASH_PER_UNIT
from sequencer.sim.lists import Entries, market_at, require

Change = tuple[int, Leaf | None, Leaf | None]
"""An address, and its leaf before and after."""


class Sums:
    """Cash of all, lots of each market, what rests, and the shares of each vault."""

    def __init__(self) -> None:
        self.cash = 0
        self.sizes: Counter[int] = Counter()
        self.longs: Counter[int] = Counter()
        self.holders: Counter[tuple[int, bool]] = Counter()
        self.orders: Counter[int] = Counter()
        self.market_orders: Counter[int] = Counter()
        self.triggers: Counter[int] = Counter()
        self.shares: Counter[int] = Counter()
        self.pending: Counter[int] = Counter()

    def add(self, changes: Iterable[Change]) -> None:
        """Take in what a command wrote."""
        for address, before, after in changes:
            for leaf, sign in ((before, -1), (after, 1)):
                if leaf is not None:
                    self._add(address, leaf, sign)

    def is_conserved(self, state: State) -> bool:
        """Whether cash is exactly custody's, and every market's lots sum to zero."""
        return self.cash == state.custody * CASH_PER_UNIT and not any(self.sizes.values())

    def require(self, state: State, changes: Iterable[Change]) -> None:
        """Check that they are what they must be, and what the changed leaves say they are.

        Raises: CheckFailed.
        """
        custody = state.custody * CASH_PER_UNIT
        require(self.cash == custody, "sum of all cash", f"custody, {custody}", self.cash)
        entries = state.leaves.entries()
        markets: set[int] = set()
        accounts: set[int] = set()
        vaults: set[int] = set()
        for address, before, after in changes:
            leaf = before if after is None else after
            if isinstance(leaf, Position | Order):
                markets.add(market_at(address, leaf))
            elif isinstance(leaf, MarketBook):
                markets.add(market_of(address))
            if isinstance(leaf, Account | Position | VaultShare):
                accounts.add(account_of(address))
            if isinstance(leaf, VaultShare):
                vaults.add(leaf.vault)
            elif isinstance(leaf, VaultLedger):
                vaults.add(account_of(address))
        for vault in vaults:
            self._require_shares(entries, vault)
        for market in markets:
            self._require_market(entries, market)
        for account in accounts:
            self._require_header(entries, account)

    def _add(self, address: int, leaf: Leaf, sign: int) -> None:
        if isinstance(leaf, Account):
            self.cash += sign * leaf.cash
        elif isinstance(leaf, Position):
            self.sizes[leaf.market] += sign * leaf.size
            self.longs[leaf.market] += sign * max(0, leaf.size)
            self.holders[leaf.market, leaf.size > 0] += sign
        elif isinstance(leaf, Order):
            self.orders[leaf.account] += sign
            self.market_orders[market_at(address, leaf)] += sign
        elif isinstance(leaf, Trigger):
            self.triggers[leaf.account] += sign
        elif isinstance(leaf, VaultShare):
            self.shares[leaf.vault] += sign * leaf.shares
            self.pending[leaf.vault] += sign * leaf.pending

    def _require_market(self, entries: Entries, market: int) -> None:
        book = cast(MarketBook, entries[book_address(market)])
        place = f"market {market}"
        require(self.sizes[market] == 0, f"{place}: sum of sizes", 0, self.sizes[market])
        for name, found in (
            ("open_interest", self.longs[market]),
            ("long_count", self.holders[market, True]),
            ("short_count", self.holders[market, False]),
            ("order_count", self.market_orders[market]),
        ):
            require(getattr(book, name) == found, f"{place}: {name}", found, getattr(book, name))

    def _require_header(self, entries: Entries, account: int) -> None:
        header = cast(Account, entries[header_address(account)])
        place = f"account {account}"
        require(
            header.orders == self.orders[account], f"{place}: orders", self.orders[account], header
        )
        require(
            header.triggers == self.triggers[account],
            f"{place}: triggers",
            self.triggers[account],
            header,
        )
        for name, bitmap, count, address in (
            ("positions", header.positions, POSITION_SLOTS, position_address(account, 0)),
            ("shares", header.shares, SHARE_SLOTS, share_address(account, 0)),
        ):
            held = sum((address + bit in entries) << bit for bit in range(count))
            require(bitmap == held, f"{place}: {name}", bin(held), bin(bitmap))

    def _require_shares(self, entries: Entries, vault: int) -> None:
        ledger = cast(VaultLedger, entries[vault_ledger_address(vault)])
        found = self.shares[vault], self.pending[vault]
        told = ledger.total_shares, ledger.pending_shares
        require(told == found, f"vault {vault}: total and pending shares", found, told)
