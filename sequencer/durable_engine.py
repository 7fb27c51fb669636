"""An engine whose answers wait for the disk: nothing leaves it before its record is durable."""

from __future__ import annotations

from dataclasses import dataclass

from circuits.exchange.apply import Command, Receipt
from circuits.exchange.codec import encode_command
from circuits.exchange.state import State
from circuits.exchange.transactions.authority import (
    DigestFunction,
    SignatureVerifier,
    digest_of,
)
from circuits.signature import verify as verify_signature
from sequencer.batcher import Batch
from sequencer.engine import Engine
from sequencer.journal import Journal
from sequencer.journal_format import RecordKind
from sequencer.replay import seal_of
from sequencer.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Durable:
    """What may be told to the world after a commit, in the order of the commands."""

    receipts: tuple[Receipt, ...]
    batches: tuple[Batch, ...]


class DurableEngine:
    """An engine with its journal. The caller brings the clock and decides when to commit.

    Refusals wait as well: what a command was refused for may be a command that is not durable yet.
    `sealed` is the exchange after the last seal that is durable, if there was one.
    """

    def __init__(self, engine: Engine, journal: Journal, sealed: Snapshot | None) -> None:
        assert journal.head == engine.journal_head, "the journal takes the engine's chain values"
        self.engine = engine
        self.journal = journal
        self.sealed = sealed
        self._sealed_next = sealed
        self._receipts: list[Receipt] = []
        self._batches: list[Batch] = []

    @property
    def state(self) -> State:
        """The exchange as it will be once all is durable."""
        return self.engine.state

    def handle(
        self,
        command: Command,
        verify: SignatureVerifier = verify_signature,
        digest: DigestFunction = digest_of,
    ) -> Receipt:
        """Apply one command, journal it if it is accepted, and seal the batch that it fills.

        A batch that has waited long enough is sealed before. What this returns is for whoever
        plans the next command; the world is told by `commit`.
        Raises: QueueGuaranteeBroken; JournalError; JournalWriteFailed after a failed commit.
        Nothing is changed then.
        """
        engine = self.engine
        payload = encode_command(command)
        self.journal.require_ready(payload)
        if engine.is_seal_overdue(command.time_ms):
            self.seal(command.time_ms)
        receipt = engine.handle(command, verify, digest, payload)
        if receipt.rejected is None:
            head = engine.journal_head
            self.journal.append(RecordKind.COMMAND, command.time_ms, payload, head)
        self._receipts.append(receipt)
        if engine.is_seal_due:
            self.seal(command.time_ms)
        return receipt

    def seal_if_due(self, time_ms: int) -> None:
        """Seal the open batch if it is full, or has waited long enough."""
        if self.engine.is_seal_due or self.engine.is_seal_overdue(time_ms):
            self.seal(time_ms)

    def seal(self, time_ms: int) -> None:
        """Seal the open batch, which need not be full.

        Raises: BatchError when no command is open; JournalWriteFailed.
        """
        self.journal.require_ready(b"")
        batch = self.engine.seal()
        seal, head = seal_of(batch).encode(), self.engine.journal_head
        sequence = self.journal.append(RecordKind.SEAL, time_ms, seal, head)
        self._sealed_next = Snapshot.of(self.engine, sequence)
        self._batches.append(batch)

    def is_commit_due(self, now_ms: int) -> bool:
        """Whether `commit` should be called; refusals alone need no write and wait for nothing."""
        if self._receipts and not self.journal.pending_count:
            return True
        return self.journal.is_commit_due(now_ms)

    def commit(self) -> Durable:
        """Make all records durable; the answers that may be given from now on.

        Raises: JournalRefused when a newer epoch took over; JournalWriteFailed. Nothing may be
        answered then, and this engine is at its end: start again from the journal.
        """
        self.journal.commit()
        durable = Durable(tuple(self._receipts), tuple(self._batches))
        self.sealed = self._sealed_next
        self._receipts, self._batches = [], []
        return durable
