"""Plans a run in a closed loop: every command is made for the exchange as the ones before left it.

Planning applies the rules too, but checks no signature, writes no journal and seals nothing, so
that a chunk of commands can be made, then signed in bulk, and then applied again to be measured.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from time import perf_counter_ns
from typing import NamedTuple, Protocol

from circuits.edwards import Point
from circuits.exchange.apply import Command, Receipt, apply_command
from circuits.exchange.events import Executed
from circuits.exchange.state import State
from circuits.signature import Signature, SignatureReject
from sequencer.book_index import BookIndex
from sequencer.due_work import DueWork
from sequencer.sim.cast import cast_of
from sequencer.sim.desk import Desk
from sequencer.sim.flow import Flow
from sequencer.sim.keys import FORGED, Keyring, Message
from sequencer.sim.markets import PricePath
from sequencer.sim.plan import Plan


class Observer(Protocol):
    """Is shown every command of the plan."""

    def before(self, state: State, command: Command) -> None:
        """Right before it is applied."""

    def after(self, receipt: Receipt) -> None:
        """Right after."""


class Planned(NamedTuple):
    """A command, and whether the rules accept it."""

    command: Command
    is_accepted: bool


class Planner:
    """The commands of a run, in order, with stand-ins for their signatures.

    `due_ns` is how long finding what is due took so far.
    """

    def __init__(self, plan: Plan, observers: Sequence[Observer]) -> None:
        rng = random.Random(plan.seed)
        cast = cast_of(plan)
        self.keyring = Keyring(plan.seed, plan.header.domain, cast.key_names)
        self._plan = plan
        self._observers = tuple(observers)
        self._rng = rng
        self._desk = Desk(plan, rng, PricePath(rng))
        self._flow = Flow(self._desk, cast, self.keyring)
        self._index = BookIndex()
        self._due = DueWork(self._desk.state)
        self._count = 0
        self.due_ns = 0

    @property
    def state(self) -> State:
        """The exchange after the commands that were planned so far."""
        return self._desk.state

    def commands(self, count: int) -> list[Planned]:
        """The next ones, as many as that or as the run has left."""
        planned = []
        for _ in range(min(count, self._plan.command_count - self._count)):
            planned.append(self._next())
        return planned

    def _next(self) -> Planned:
        """What is due comes before whatever anybody wants."""
        desk = self._desk
        command = self._due_command()
        if command is None:
            desk.time_ms += self._rng.randrange(2 * self._plan.pause_ms + 1)
            desk.progress = self._plan.progress(self._count)
            command = self._due_command() or Command(desk.time_ms, self._flow.next_body())
        for observer in self._observers:
            observer.before(desk.state, command)
        receipt = apply_command(
            desk.state, command, verify=planned_verdict, digest=no_digest, guide=self._index
        )
        self._follow(receipt)
        desk.state = receipt.state
        if isinstance(receipt.event, Executed):
            desk.take_note(receipt.event.steps)
        self._count += 1
        for observer in self._observers:
            observer.after(receipt)
        return Planned(command, receipt.is_accepted)

    def _due_command(self) -> Command | None:
        before_ns = perf_counter_ns()
        command = self._due.next(self._desk.state, self._desk.time_ms)
        self.due_ns += perf_counter_ns() - before_ns
        return command

    def _follow(self, receipt: Receipt) -> None:
        before_ns = perf_counter_ns()
        self._due.record(receipt)
        self.due_ns += perf_counter_ns() - before_ns


def planned_verdict(key: Point, digest: int, signature: Signature) -> SignatureReject | None:
    """What will be found once the stand-ins are replaced."""
    return SignatureReject.EQUATION if signature is FORGED else None


def no_digest(message: Message, domain: int) -> int:
    """Stands for a digest: nothing that is signed depends on it before it is signed."""
    return 0
