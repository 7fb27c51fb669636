"""The same plain facts, read from the leaves of the first implementation's state.

Every list is walked in both directions, every count and bitmap held against the leaves.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from circuits.exchange.leaves import (
    NO_KEY,
    Account,
    AgentKey,
    Controls,
    FeeTerms,
    Leaf,
    MarketBook,
    MarketPrices,
    MarketTerms,
    OracleSigner,
    Order,
    Position,
    Trigger,
    VaultLedger,
    VaultShare,
    VaultTerms,
)
from circuits.exchange.state import State
from tests.naive.views import View

ACCOUNT_SLOTS, MARKET_SLOTS = 64, 2**20
MARKETS, BOOKS, SYSTEM = 1 << 30, 2 << 30, 3 << 30
POSITIONS, AGENTS, SHARES = 1, 17, 25
VAULT_TERMS, VAULT_LEDGER = 41, 42
FIRST_TRIGGER = 2**19 + 1
FIRST_SIGNER = 16
TRIGGER_LISTS = {(0, 0): "mark_up", (0, 1): "mark_down", (1, 0): "last_up", (1, 1): "last_down"}

Leaves = dict[int, Leaf]


def view_of_state(state: State) -> View:
    """All facts of the first implementation; fails where its leaves contradict each other."""
    leaves: Leaves = dict(state.leaves.entries())
    for address, leaf in leaves.items():
        assert type(leaf) in kinds_at(address), (address, leaf)
    by_kind: dict[type, dict[int, Any]] = {}
    for address, leaf in leaves.items():
        by_kind.setdefault(type(leaf), {})[address] = leaf
    controls = leaves.get(SYSTEM + 1, Controls())
    fees = leaves.get(SYSTEM)
    signers = by_kind.get(OracleSigner, {})
    markets = [(address - MARKETS) // MARKET_SLOTS for address in by_kind.get(MarketTerms, {})]
    view: View = {
        "time_ms": state.time_ms,
        "custody": state.custody,
        "controls": tuple(controls),
        "signers": {address - SYSTEM - FIRST_SIGNER: leaf.key for address, leaf in signers.items()},
        "fees": fees,
        "accounts": {
            address // ACCOUNT_SLOTS: account_facts(header)
            for address, header in by_kind.get(Account, {}).items()
        },
        "agents": {
            (address // ACCOUNT_SLOTS, address % ACCOUNT_SLOTS - AGENTS): agent_facts(agent)
            for address, agent in by_kind.get(AgentKey, {}).items()
        },
        "positions": {
            (address // ACCOUNT_SLOTS, each.market): (
                each.size,
                each.entry_quote,
                address % ACCOUNT_SLOTS - POSITIONS,
            )
            for address, each in by_kind.get(Position, {}).items()
        },
        "shares": {
            (address // ACCOUNT_SLOTS, each.vault): (
                each.shares,
                each.pending,
                address % ACCOUNT_SLOTS - SHARES,
            )
            for address, each in by_kind.get(VaultShare, {}).items()
        },
        "vaults": {
            address // ACCOUNT_SLOTS: vault_facts(leaves, address // ACCOUNT_SLOTS)
            for address in by_kind.get(VaultLedger, {})
        },
        "lists": {},
        "books": {},
        "triggers": {},
        "markets": {},
    }
    check_bitmaps(leaves, by_kind)
    counts = check_counts(by_kind)
    for market in markets:
        add_market(view, leaves, market, counts.get(market, (0, 0)))
    return view


def kinds_at(address: int) -> tuple[type, ...]:
    """Which leaves may stand at an address."""
    region, rest = address >> 30, address & (2**30 - 1)
    if region == 0:
        slot = rest % ACCOUNT_SLOTS
        alone = {0: Account, VAULT_TERMS: VaultTerms, VAULT_LEDGER: VaultLedger}
        if slot in alone:
            return (alone[slot],)
        firsts = ((SHARES, VaultShare), (AGENTS, AgentKey), (POSITIONS, Position))
        return () if slot > VAULT_LEDGER else (next(k for first, k in firsts if slot >= first),)
    slot = rest % MARKET_SLOTS
    if region == 1:
        alone_here = {0: MarketTerms, 1: MarketPrices, 2: MarketBook}
        return (alone_here.get(slot, Trigger),) if slot < 3 or slot >= FIRST_TRIGGER else ()
    if region == 2:
        return (Order,) if slot else ()
    return {0: (FeeTerms,), 1: (Controls,)}.get(rest, (OracleSigner,))


def account_facts(header: Account) -> tuple[Any, ...]:
    return (
        header.owner,
        None if header.key == NO_KEY else header.key,
        header.nonce,
        header.cash,
        header.kind,
        header.referrer,
        header.orders,
        header.triggers,
    )


def agent_facts(agent: AgentKey) -> tuple[Any, ...]:
    return ("revoked", agent.nonce) if agent.key == NO_KEY else tuple(agent)


def check_bitmaps(leaves: Leaves, by_kind: dict[type, dict[int, Any]]) -> None:
    """Each bit of a header stands for a leaf, and each such leaf for a bit."""
    for address, header in by_kind.get(Account, {}).items():
        for first, bitmap in ((POSITIONS, header.positions), (SHARES, header.shares)):
            there = sum(1 << bit for bit in range(16) if address + first + bit in leaves)
            assert bitmap == there, (address // ACCOUNT_SLOTS, bitmap, there)
    for kind in (Position, VaultShare, AgentKey, VaultTerms, VaultLedger):
        for address in by_kind.get(kind, {}):
            assert address - address % ACCOUNT_SLOTS in leaves
    held = [(a // ACCOUNT_SLOTS, p.market) for a, p in by_kind.get(Position, {}).items()]
    assert len(held) == len(set(held)), "two positions of one account in a market"
    assert all(each.size for each in by_kind.get(Position, {}).values())
    shares = [(a // ACCOUNT_SLOTS, s.vault) for a, s in by_kind.get(VaultShare, {}).items()]
    assert len(shares) == len(set(shares)), "two share leaves of one account and vault"


def check_counts(by_kind: dict[type, dict[int, Any]]) -> dict[int, tuple[int, int]]:
    """Orders and triggers of each market, once those of each account are what its header says."""
    orders, triggers = by_kind.get(Order, {}), by_kind.get(Trigger, {})
    for address, header in by_kind.get(Account, {}).items():
        account = address // ACCOUNT_SLOTS
        assert header.orders == sum(each.account == account for each in orders.values())
        assert header.triggers == sum(each.account == account for each in triggers.values())
    counts: dict[int, tuple[int, int]] = {}
    for base, kind, place in ((BOOKS, orders, 0), (MARKETS, triggers, 1)):
        for address in kind:
            market = (address - base) // MARKET_SLOTS
            pair = list(counts.get(market, (0, 0)))
            pair[place] += 1
            counts[market] = pair[0], pair[1]
    return counts


def walked(leaves: Leaves, base: int, head: int) -> Iterable[tuple[int, Any]]:
    """The leaves of a list with their slots; each must point back to the one before."""
    before, slot = 0, head
    seen = 0
    while slot:
        leaf: Any = leaves[base + slot]
        assert leaf.previous == before, (base, slot, leaf)
        yield slot, leaf
        before, slot = slot, leaf.next
        seen += 1
        assert seen <= len(leaves), "a list that never ends"


def add_market(view: View, leaves: Leaves, market: int, counts: tuple[int, int]) -> None:
    """All facts of one market."""
    base, books = MARKETS + market * MARKET_SLOTS, BOOKS + market * MARKET_SLOTS
    terms, prices, book = (leaves[base + slot] for slot in range(3))
    assert isinstance(prices, MarketPrices)
    assert isinstance(book, MarketBook)
    resting = 0
    for side, head in ((0, book.best_bid), (1, book.best_ask)):
        orders = list(walked(leaves, books, head))
        assert all(each.side == side for _, each in orders)
        resting += len(orders)
        view["books"][market, side] = [
            (*o[:3], slot, o.price, o.remaining, o.good_until_ms, o.reduce_only)
            for slot, o in orders
        ]
    assert resting == book.order_count == counts[0]
    waiting = 0
    for (source, direction), field in TRIGGER_LISTS.items():
        triggers = list(walked(leaves, base, getattr(book, field)))
        assert all((t.source, t.direction) == (source, direction) for _, t in triggers)
        waiting += len(triggers)
        view["triggers"][market, source, direction] = [
            (*t[:3], s, t.trigger_price, t.side, t.reduce_only, t.time_in_force, *t[9:12])
            for s, t in triggers
        ]
    assert waiting == counts[1]
    sides = (
        ("long", book.long_head, book.long_count, 1),
        ("short", book.short_head, book.short_count, -1),
    )
    for name, head, count, sign in sides:
        held = list(walked(leaves, 0, head))
        assert len(held) == count
        assert all(each.market == market and each.size * sign > 0 for _, each in held)
        view["lists"][market, name] = [address // ACCOUNT_SLOTS for address, _ in held]
    listed = len(view["lists"][market, "long"]) + len(view["lists"][market, "short"])
    assert listed == sum(where == market for _, where in view["positions"])
    view["markets"][market] = (terms, *prices, book.last_trade, book.open_interest)


def vault_facts(leaves: Leaves, vault: int) -> tuple[Any, ...]:
    """Terms, totals and queue of a vault."""
    base = vault * ACCOUNT_SLOTS
    terms, ledger = leaves[base + VAULT_TERMS], leaves[base + VAULT_LEDGER]
    assert isinstance(ledger, VaultLedger)
    queue, address, last = [], ledger.queue_head, 0
    while address:
        share: Any = leaves[address]
        assert share.vault == vault
        assert share.pending > 0
        queue.append(address // ACCOUNT_SLOTS)
        address, last = share.next, address
    assert last == ledger.queue_tail
    shares = [s for s in leaves.values() if isinstance(s, VaultShare) and s.vault == vault]
    assert ledger.total_shares == sum(each.shares for each in shares)
    assert ledger.pending_shares == sum(each.pending for each in shares)
    assert len(queue) == len(set(queue)) == sum(each.pending > 0 for each in shares)
    return terms, ledger.total_shares, ledger.pending_shares, ledger.next_epoch_ms, queue
