"""What the statement chips are filled from: commands in order, touched accounts, tree nodes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from circuits.exchange.events import Deposited, Event, KeyRegistered, Transferred, Withdrawn
from circuits.merkle import TouchedNode
from circuits.statement import Statement

EventType = TypeVar("EventType", Deposited, KeyRegistered, Transferred, Withdrawn)


class Header(NamedTuple):
    """The three words of an account's memory cell."""

    identity: int
    nonce: int
    cash: int


ABSENT = Header(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Step:
    """One applied command with the state that the chains hand to it.

    `gaps` says for each header access of the command how many steps lie between it and the
    access before it; step 0 is the start of the batch.
    """

    event: Event
    time_previous_ms: int
    queue_position: int
    withdrawal_position: int
    withdrawal_total: int
    gaps: tuple[int, ...]

    @property
    def elapsed_ms(self) -> int:
        """Time since the command before."""
        return self.event.time_ms - self.time_previous_ms


@dataclass(frozen=True, slots=True)
class TouchedAccount:
    """One account that the batch touches: its cell and its leaf at the start and at the end."""

    account_id: int
    before: Header
    after: Header
    old_leaf: int
    new_leaf: int
    time_last: int


@dataclass(frozen=True, slots=True)
class Trace:
    """One batch; accounts are in increasing order, nodes as the tree lists them."""

    statement: Statement
    steps: tuple[Step, ...]
    accounts: tuple[TouchedAccount, ...]
    nodes: tuple[TouchedNode, ...]

    def of(self, event_type: type[EventType]) -> Iterator[tuple[Step, EventType]]:
        """The steps of one kind of command, each with its event."""
        for step in self.steps:
            if isinstance(step.event, event_type):
                yield step, step.event

    @property
    def signed(self) -> Iterator[tuple[Step, Transferred | Withdrawn]]:
        """The steps of all signed commands, each with its event."""
        for step in self.steps:
            if isinstance(step.event, Transferred | Withdrawn):
                yield step, step.event

    @property
    def queued(self) -> Iterator[tuple[Step, Deposited | KeyRegistered]]:
        """The steps of all consumed L1 entries, each with its event."""
        for step in self.steps:
            if isinstance(step.event, Deposited | KeyRegistered):
                yield step, step.event
