"""The venue's core, free of I/O: it owns the state, applies commands and seals batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from circuits.air.shape import Shape
from circuits.chips.system import fits
from circuits.exchange.apply import Command, Receipt, apply_command
from circuits.exchange.state import State
from circuits.exchange.transactions.authority import (
    DigestFunction,
    SignatureVerifier,
    digest_of,
)
from circuits.merkle import SparseTree
from circuits.signature import verify as verify_signature
from circuits.witness.demand import RowDemand
from sequencer.batcher import Batch, Batcher, Position
from sequencer.errors import BatchError


class Engine:
    """One exchange from its first command on.

    `batch_commands_max` is how many accepted commands fill a batch. With a `shape` a batch is also
    full when its rows leave no room for whatever comes next; a replay, which seals where the
    journal says, has none.
    """

    def __init__(
        self, domain: int, epoch: int, batch_commands_max: int, shape: Shape | None = None
    ) -> None:
        if batch_commands_max < 1:
            raise BatchError("commands per batch", "at least 1", batch_commands_max)
        self.state = State(domain)
        self.batch_commands_max = batch_commands_max
        self.shape = shape
        self._demand = RowDemand()
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
        if self.shape is None or not self.open_count:
            return False
        return not fits(self._demand.rows_with_any(), self.shape)

    def handle(
        self,
        command: Command,
        verify: SignatureVerifier = verify_signature,
        digest: DigestFunction = digest_of,
    ) -> Receipt:
        """Apply one command; a refused one changes nothing and joins no batch.

        `verify` may be replaced where the signature is known to hold, as in a replay, and both
        where the answers are known already.
        Raises: BatchError when the open batch is full; QueueGuaranteeBroken.
        """
        if self.is_seal_due:
            raise BatchError("open batch", "a seal before the next command", "a full batch")
        receipt = apply_command(self.state, command, verify=verify, digest=digest)
        if receipt.is_accepted:
            self.state = receipt.state
            self._batcher.add(receipt)
            if self.shape is not None and receipt.event is not None:
                self._demand.add(receipt.event)
        return receipt

    def seal(self) -> Batch:
        """Close the open batch.

        Raises: BatchError when no command is open.
        """
        batch = self._batcher.seal()
        self._demand = RowDemand()
        self.state = self.state.at_batch_start()
        return batch


def run_commands(
    engine: Engine,
    commands: Iterable[Command],
    verify: SignatureVerifier = verify_signature,
    digest: DigestFunction = digest_of,
) -> Iterator[Receipt | Batch]:
    """Handle all commands in order; each full batch, and the rest at the end, follows its receipts.

    Raises: QueueGuaranteeBroken.
    """
    for command in commands:
        yield engine.handle(command, verify, digest)
        if engine.is_seal_due:
            yield engine.seal()
    if engine.open_count:
        yield engine.seal()
