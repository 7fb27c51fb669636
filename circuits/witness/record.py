"""Collects the events of a batch and gives each command the state that the chains hand to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from circuits.chips.trace import ABSENT, Header, Step, TouchedAccount, Trace
from circuits.errors import ConstraintError, WitnessError
from circuits.exchange.addresses import header_address
from circuits.exchange.events import (
    Deposited,
    Event,
    Executed,
    KeyRegistered,
    MarginEvent,
    Outcome,
    Transferred,
    Withdrawn,
)
from circuits.exchange.fields import kind_of
from circuits.exchange.leaves import Account
from circuits.merkle import ARITY, STATE_LEVELS, TouchedNode
from circuits.poseidon2 import node as node_hash
from circuits.statement import QUEUE_WORDS, Statement

Access = tuple[int, Account | None, Account]
"""An account with its header before and after one command."""


@dataclass(frozen=True, slots=True)
class Unproven:
    """A command that is in a batch and that no chip proves yet."""

    step: int
    expected: str
    got: str


class Recorder:
    """An observer that keeps the events of the open batch, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def record(self, event: Event) -> None:
        """Take one event."""
        self.events.append(event)


def first_unproven(events: Iterable[Event]) -> Unproven | None:
    """The first command that keeps a batch from being proven, or None if the chips prove all."""
    for event in events:
        if isinstance(event, Executed):
            kind = kind_of(event.body).name.lower()
            expected = "a deposit, register_key, transfer or withdraw"
            return Unproven(event.step, expected, f"{kind}, which no chip proves yet")
        for account_id, _, after in accesses(event):
            if not after.is_plain:
                got = f"account {account_id} with more, which no chip proves yet"
                return Unproven(event.step, "accounts with nothing but cash", got)
    return None


def margin_events(batch_number: int, events: Iterable[Event]) -> list[MarginEvent]:
    """The events of a batch that the chips prove.

    Raises: WitnessError naming the first command that they do not prove.
    """
    events = tuple(events)
    unproven = first_unproven(events)
    if unproven is not None:
        raise WitnessError(
            f"batch {batch_number}", f"step {unproven.step}", unproven.expected, unproven.got
        )
    return [event for event in events if not isinstance(event, Executed)]


def accesses(event: MarginEvent) -> tuple[Access, ...]:
    """The headers that a command reads and writes; a refused key touches none."""
    if isinstance(event, Deposited):
        return ((event.account_id, event.before, event.after),)
    if isinstance(event, KeyRegistered):
        if event.outcome is not Outcome.APPLIED or event.after is None:
            return ()
        return ((event.account_id, event.before, event.after),)
    if isinstance(event, Withdrawn):
        return ((event.transaction.account, event.before, event.after),)
    order = event.transaction
    return (
        (order.account, event.sender_before, event.sender_after),
        (order.to, event.recipient_before, event.recipient_after),
    )


def make_trace(
    statement: Statement, events: Sequence[MarginEvent], nodes: Sequence[TouchedNode]
) -> Trace:
    """Everything that the statement chips are filled from.

    Raises: ConstraintError when the nodes do not lead to every touched account.
    """
    steps: list[Step] = []
    last_access: dict[int, int] = {}
    before: dict[int, Account | None] = {}
    after: dict[int, Account] = {}
    position = withdrawn = 0
    withdrawal_position = QUEUE_WORDS * statement.queue_count
    time_ms = statement.time_first_ms
    for event in events:
        gaps = []
        for account_id, old, new in accesses(event):
            gaps.append(event.step - 1 - last_access.get(account_id, 0))
            last_access[account_id] = event.step
            before.setdefault(account_id, old)
            after[account_id] = new
        steps.append(Step(event, time_ms, position, withdrawal_position, withdrawn, tuple(gaps)))
        time_ms = event.time_ms
        if isinstance(event, Withdrawn):
            withdrawal_position += 1
            withdrawn += event.transaction.amount
        elif not isinstance(event, Transferred):
            position += QUEUE_WORDS
    leaves = _leaves(nodes, after)
    accounts = tuple(
        TouchedAccount(
            account_id,
            _header(before[account_id]),
            _header(after[account_id]),
            *leaves[account_id],
            last_access[account_id],
        )
        for account_id in sorted(after)
    )
    return Trace(statement, tuple(steps), accounts, tuple(nodes) or (_root_node(statement),))


def _header(account: Account | None) -> Header:
    return ABSENT if account is None else Header(account.identity, account.nonce, account.cash)


def _leaves(
    nodes: Iterable[TouchedNode], account_ids: Iterable[int]
) -> Mapping[int, tuple[int, int]]:
    """Old and new leaf of each account, read off the lowest inner nodes."""
    lowest = {node.index: node for node in nodes if node.level == 1}
    leaves = {}
    for account_id in account_ids:
        parent, child = divmod(header_address(account_id), ARITY)
        node = lowest.get(parent)
        if node is None:
            raise ConstraintError(
                f"tree node {(1, parent)}", f"a node above account {account_id}", "none"
            )
        leaves[account_id] = (node.old_children[child], node.new_children[child])
    return leaves


def _root_node(statement: Statement) -> TouchedNode:
    """The root of a batch that touches no account, such as one with a refused key alone."""
    regions = (
        statement.root_accounts,
        statement.root_markets,
        statement.root_books,
        statement.root_system,
    )
    root = node_hash(*regions)
    return TouchedNode(STATE_LEVELS, 0, regions, regions, root, root)
