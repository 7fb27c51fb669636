"""The venue's core, free of I/O: it owns the state, applies commands and seals batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from circuits.air.shape import Shape
from circuits.chips.system import fits
from circuits.exchange.apply import Command, Receipt, apply_command
from circuits.exchange.events import Event
from circuits.exchange.state import State
from circuits.exchange.transactions.authority import (
    DigestFunction,
    SignatureVerifier,
    digest_of,
)
from circuits.merkle import SparseTree
from circuits.signature import verify as verify_signature
from circuits.witness.demand import RowDemand
from circuits.witness.record import first_unproven
from sequencer.batcher import Batch, Batcher, Position
from sequencer.book_index import BookIndex
from sequencer.errors import BatchError


class Engine:
    """One exchange from its first command on.

    `batch_commands_max` is how many accepted commands fill a batch, `batch_age_max_ms` how long its
    first command may wait for the seal. With a `shape` a batch is also full when its rows leave no
    room for whatever comes next, unless it holds a command that no chip proves yet, so that no
    shape has to hold it. A replay, which seals where the journal says, has only the first bound.
    """

    def __init__(
        self, domain: int, epoch: int, batch_commands_max: int, shape: Shape | None = None
    ) -> None:
        if batch_commands_max < 1:
            raise BatchError("commands per batch", "at least 1", batch_commands_max)
        self.state = State(domain)
        self.batch_commands_max = batch_commands_max
        self.batch_age_max_ms: int | None = None
        self.shape = shape
        self._index = BookIndex()
        self._demand: RowDemand | None = RowDemand()
        self._batcher = Batcher(epoch, self.state, SparseTree())

    @classmethod
    def resume(
        cls, state: State, tree: SparseTree, position: Position, epoch: int, batch_commands_max: int
    ) -> Engine:
        """The engine as it was right after the seal that led to `position`.

        Assumes: `tree` is the tree of `state`.
        """
        engine = cls(state.domain, epoch, batch_commands_max)
        engine.state = state.at_batch_start()
        engine._index = BookIndex.of(state)
        engine._batcher = Batcher(epoch, engine.state, tree, position)
        return engine

    @property
    def epoch(self) -> int:
        """The sequencer epoch that the next statement will carry."""
        return self._batcher.epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self._batcher.epoch = epoch

    @property
    def position(self) -> Position:
        """Where the open batch starts."""
        return self._batcher.position

    @property
    def queue_cursor(self) -> int:
        """How many L1 requests are consumed, those of the open batch included."""
        return self._batcher.queue_cursor

    @property
    def journal_head(self) -> int:
        """The journal's chain value after the last accepted command."""
        return self._batcher.journal_head

    @property
    def root(self) -> int:
        """The state root after the last sealed batch."""
        return self._batcher.root

    @property
    def open_count(self) -> int:
        """How many accepted commands wait for the seal."""
        return self._batcher.open_count

    @property
    def is_seal_due(self) -> bool:
        """Whether the open batch is full, by commands or by rows."""
        if self.open_count >= self.batch_commands_max:
            return True
        if self.shape is None or self._demand is None or not self.open_count:
            return False
        return not fits(self._demand.rows_with_any(), self.shape)

    def is_seal_overdue(self, time_ms: int) -> bool:
        """Whether the open batch has waited as long as it may."""
        if self.batch_age_max_ms is None:
            return False
        since_ms = self._batcher.open_since_ms
        if since_ms is None:
            return False
        return time_ms - since_ms >= self.batch_age_max_ms

    def handle(
        self,
        command: Command,
        verify: SignatureVerifier = verify_signature,
        digest: DigestFunction = digest_of,
        encoded: bytes | None = None,
    ) -> Receipt:
        """Apply one command; a refused one changes nothing and joins no batch.

        `verify` may be replaced where the signature is known to hold, as in a replay, and both
        where the answers are known already. `encoded` is the command's canonical bytes, for a
        caller that has them.
        Raises: BatchError when the open batch is full; QueueGuaranteeBroken.
        """
        if self.is_seal_due:
            raise BatchError("open batch", "a seal before the next command", "a full batch")
        receipt = apply_command(
            self.state, command, verify=verify, digest=digest, guide=self._index
        )
        if receipt.event is not None:
            self._batcher.add(receipt, encoded)
            self.state = receipt.state
            if self.shape is not None:
                self._count_rows(receipt.event)
        return receipt

    def seal(self) -> Batch:
        """Close the open batch.

        Raises: BatchError when no command is open.
        """
        batch = self._batcher.seal()
        self._demand = RowDemand()
        self.state = self.state.at_batch_start()
        return batch

    def seal_if_due(self, time_ms: int) -> Batch | None:
        """Close the open batch if it is full or has waited as long as it may."""
        if self.is_seal_due or self.is_seal_overdue(time_ms):
            return self.seal()
        return None

    def _count_rows(self, event: Event) -> None:
        if self._demand is not None:
            if first_unproven([event]) is None:
                self._demand.add(event)
            else:
                self._demand = None


def run_commands(
    engine: Engine,
    commands: Iterable[Command],
    verify: SignatureVerifier = verify_signature,
    digest: DigestFunction = digest_of,
) -> Iterator[Receipt | Batch]:
    """Handle all commands in order; each batch comes out behind its receipts, the last at the end.

    Raises: QueueGuaranteeBroken.
    """
    for command in commands:
        batch = engine.seal_if_due(command.time_ms)
        if batch is not None:
            yield batch
        yield engine.handle(command, verify, digest)
    if engine.open_count:
        yield engine.seal()
