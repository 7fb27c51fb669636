"""Checked mode finds every kind of damage, and none in a sound exchange."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from circuits.exchange.addresses import account_of, vault_ledger_address
from circuits.exchange.apply import Command, Receipt
from circuits.exchange.events import Executed, Outcome
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
from circuits.exchange.risk import Health
from circuits.exchange.state import State
from circuits.exchange.transactions.clear_orders import ClearOrders
from circuits.exchange.transactions.transfer import Transfer
from circuits.exchange.units import TokenUnits
from sequencer.sim.cast import VAULT_ACCOUNT
from sequencer.sim.checks import AUDITED_EVERY, Checker, audit
from sequencer.sim.desk import unsigned
from sequencer.sim.errors import CheckFailed
from sequencer.sim.plan import Plan
from sequencer.sim.planner import Planner
from sequencer.sim.promises import Before, before, require_kept, worth_of

PLAN = Plan(2_000, 7)
PLANNED = 800

Damage = Callable[[State], tuple[int, Leaf]]


def find(state: State, kind: type, fits: Callable[[Any], Any] = lambda leaf: True) -> Any:
    """The first address and leaf of a kind."""
    for address, leaf in state.leaves.items():
        if type(leaf) is kind and fits(leaf):
            return address, leaf
    raise LookupError(kind.__name__)


def change(kind: type, fits: Callable[[Any], Any] = lambda leaf: True, **changes: Any) -> Damage:
    """A damage: fields of the first leaf that fits are set, or changed by a function."""

    def damage(state: State) -> tuple[int, Leaf]:
        address, leaf = find(state, kind, fits)
        values = {
            name: value(getattr(leaf, name)) if callable(value) else value
            for name, value in changes.items()
        }
        return address, leaf._replace(**values)

    return damage


def more(value: int) -> int:
    return value + 1


def linked_both_ways(leaf: Any) -> bool:
    return bool(leaf.previous and leaf.next)


DAMAGES: dict[str, tuple[Damage, str]] = {
    "cash": (change(Account, cash=more), "sum of all cash"),
    "size": (change(Position, size=more), "sum of sizes"),
    "open interest": (change(MarketBook, open_interest=more), "open_interest"),
    "long count": (change(MarketBook, long_count=more), "long_count"),
    "order count": (change(MarketBook, order_count=more), "order_count"),
    "header orders": (change(Account, orders=more), "orders"),
    "header triggers": (change(Account, triggers=more), "triggers"),
    "position bit": (change(Account, lambda leaf: leaf.positions, positions=0), "positions"),
    "share bit": (change(Account, lambda leaf: leaf.shares, shares=0), "shares"),
    "shares": (change(VaultShare, shares=more), "total and pending shares"),
    "order price": (change(Order, linked_both_ways, price=2**32 - 1), "order"),
    "order link back": (change(Order, linked_both_ways, previous=0), "head"),
    "order link on": (change(Order, linked_both_ways, next=2**20 - 1), "next"),
    "order side": (change(Order, linked_both_ways, side=lambda side: 1 - side), "previous"),
    "position link": (change(Position, linked_both_ways, next=0), "link back of previous"),
    "trigger head": (change(Trigger, lambda leaf: not leaf.previous, previous=2**20 - 1), "prev"),
    "no best bid": (change(MarketBook, lambda leaf: leaf.best_bid, best_bid=0), "head"),
    "wrong long head": (change(MarketBook, long_head=1), "head"),
}


@pytest.fixture(scope="module")
def planned() -> tuple[State, Command]:
    """The exchange in the middle of a run, every command of which was checked, and the last one."""
    planner = Planner(PLAN, [Checker()])
    commands = planner.commands(PLANNED)
    return planner.state, commands[-1].command


def damaged(state: State, damage: Damage) -> tuple[State, int, Leaf | None]:
    """The damaged state; where it is damaged, and what stood there."""
    address, leaf = damage(state)
    earlier = state.leaves.get(address)
    return replace(state, leaves=state.leaves.with_changes({address: leaf})), address, earlier


def executed(command: Command, state: State, old: dict[int, Leaf | None]) -> Receipt:
    """The receipt of a command that wrote these leaves."""
    event = Executed(1, command.time_ms, ClearOrders(1), (), Outcome.APPLIED, old)
    return Receipt(command, state, event, None)


def test_a_sound_exchange_passes(planned: tuple[State, Command]) -> None:
    audit(planned[0])


@pytest.mark.parametrize("name", DAMAGES)
def test_an_audit_finds_it(planned: tuple[State, Command], name: str) -> None:
    damage, message = DAMAGES[name]
    with pytest.raises(CheckFailed, match=message):
        audit(damaged(planned[0], damage)[0])


@pytest.mark.parametrize("name", DAMAGES)
def test_the_look_after_a_command_finds_it(planned: tuple[State, Command], name: str) -> None:
    state, command = planned
    damage, _ = DAMAGES[name]
    checker = Checker()
    checker.after(executed(command, state, dict.fromkeys(state.leaves.entries())))
    broken, address, earlier = damaged(state, damage)
    with pytest.raises(CheckFailed):
        checker.after(executed(command, broken, {address: earlier}))


def test_an_audit_comes_by_itself(
    planned: tuple[State, Command], monkeypatch: pytest.MonkeyPatch
) -> None:
    audited = []
    monkeypatch.setattr("sequencer.sim.checks.audit", audited.append)
    checker, (state, command) = Checker(), planned
    checker.after(executed(command, state, dict.fromkeys(state.leaves.entries())))
    for _ in range(AUDITED_EVERY):
        checker.after(executed(command, state, {}))
    assert audited == [state]


def test_a_cut_off_part_of_a_list_is_found(planned: tuple[State, Command]) -> None:
    """Two leaves that name each other, and that no head leads to."""
    state, _ = planned
    address, order = find(state, Order, linked_both_ways)
    base = address - address % 2**20
    after = base + order.next
    next_order = state.leaves.get(after)
    assert isinstance(next_order, Order)
    changes = {
        address: order._replace(previous=order.next),
        after: next_order._replace(next=address % 2**20),
    }
    with pytest.raises(CheckFailed):
        audit(replace(state, leaves=state.leaves.with_changes(changes)))


def test_nobody_gets_liquidatable_by_an_own_command(planned: tuple[State, Command]) -> None:
    state, command = planned
    address, header = find(state, Account, lambda leaf: leaf.positions and leaf.kind == 0)
    account = account_of(address)
    poor = header._replace(cash=-(10**29))
    broken = replace(state, leaves=state.leaves.with_changes({address: poor}))
    own = Command(command.time_ms, unsigned(Transfer(account, 1, 2, 3, TokenUnits(1))))
    receipt = executed(own, broken, {})
    earlier = before(broken, own)
    assert earlier.health is Health.BANKRUPT
    require_kept(earlier, receipt, [])
    with pytest.raises(CheckFailed, match="health"):
        require_kept(replace(earlier, health=Health.HEALTHY), receipt, [])


def test_a_share_never_loses_worth(planned: tuple[State, Command]) -> None:
    state, command = planned
    ledger = state.leaves.get(vault_ledger_address(VAULT_ACCOUNT))
    assert isinstance(ledger, VaultLedger)
    receipt = executed(command, state, {})
    worth = worth_of(state, VAULT_ACCOUNT, command.time_ms)
    assert worth is not None
    require_kept(Before(None, VAULT_ACCOUNT, worth), receipt, [])
    with pytest.raises(CheckFailed, match="worth of a share"):
        require_kept(Before(None, VAULT_ACCOUNT, (worth[0] + 1, worth[1])), receipt, [])


def test_nobody_pays_who_had_no_part_in_it(planned: tuple[State, Command]) -> None:
    state, command = planned
    address, header = find(
        state, Account, lambda leaf: not leaf.positions and leaf.kind == 0 and leaf.cash
    )
    derived = Command(command.time_ms, ClearOrders(2))
    receipt = executed(derived, state, {})
    poorer = header.with_cash(header.cash - 1)
    nothing = Before(None, 0, None)
    require_kept(nothing, receipt, [(address, poorer, header)])
    with pytest.raises(CheckFailed, match="no loss without a position"):
        require_kept(nothing, receipt, [(address, header, poorer)])
    held = header._replace(positions=1)
    require_kept(nothing, receipt, [(address, held, held.with_cash(0))])
