"""Runs an exchange: what is due comes before what somebody sends, and time never goes back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from circuits.exchange.apply import Command, Receipt
from circuits.exchange.bodies import Body
from circuits.exchange.state import State
from circuits.exchange.transactions.authority import (
    DigestFunction,
    SignatureVerifier,
    digest_of,
)
from circuits.signature import verify as verify_signature
from sequencer.batcher import Batch
from sequencer.clock import Clock
from sequencer.due_work import DueWork


class Runner(Protocol):
    """An engine, or a durable engine around it, which keeps its batches until they are durable."""

    @property
    def state(self) -> State:
        """The exchange after the last command."""

    def handle(
        self, command: Command, verify: SignatureVerifier, digest: DigestFunction
    ) -> Receipt:
        """Apply one command."""

    def seal_if_due(self, time_ms: int) -> Batch | None:
        """Close the open batch if it is full or has waited as long as it may."""


class Conductor:
    """Gives an engine every command. The caller reads the wall clock.

    Assumes: nobody else gives the engine commands.
    Cost: a look through the whole state at the start.
    """

    def __init__(self, runner: Runner) -> None:
        self.clock = Clock(runner.state.time_ms)
        self._runner = runner
        self._work = DueWork(runner.state)

    def run_due(self, wall_ms: int) -> Iterator[Receipt | Batch]:
        """Apply all that is due at a wall clock reading, one command each time it is asked.

        Raises: what the engine raises for a derived command.
        """
        time_ms = self.clock.at(wall_ms)
        while (command := self._work.next(self._runner.state, time_ms)) is not None:
            yield from self._apply(command, verify_signature, digest_of)
        yield from self._sealed(time_ms)

    def submit(
        self,
        wall_ms: int,
        body: Body,
        verify: SignatureVerifier = verify_signature,
        digest: DigestFunction = digest_of,
    ) -> Iterator[Receipt | Batch]:
        """Apply what is due, then a command that came in at a wall clock reading.

        Raises: QueueGuaranteeBroken and whatever else the engine raises.
        """
        yield from self.run_due(wall_ms)
        yield from self._apply(Command(self.clock.time_ms, body), verify, digest)

    def _apply(
        self, command: Command, verify: SignatureVerifier, digest: DigestFunction
    ) -> Iterator[Receipt | Batch]:
        yield from self._sealed(command.time_ms)
        receipt = self._runner.handle(command, verify, digest)
        self._work.record(receipt)
        yield receipt

    def _sealed(self, time_ms: int) -> Iterator[Batch]:
        batch = self._runner.seal_if_due(time_ms)
        if batch is not None:
            yield batch
