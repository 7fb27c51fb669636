"""The measured run: commands that are planned and signed go through a venue with its journal.

Nothing of the generator is in the measurement. What is in it: the rules and the matching, the
canonical bytes, the hash chain, and groups of records that are durable before the next begins.
Seals are timed apart: hashing the tree is work that a venue gives to another process.
"""

from __future__ import annotations

import gc
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter_ns

from circuits.exchange.apply import Command
from circuits.exchange.state import State
from sequencer.errors import BatchError
from sequencer.follower import Follower, WriterSettings
from sequencer.group_commit import GroupLimits
from sequencer.journal_files import JournalFolder
from sequencer.journal_format import RecordKind
from sequencer.journal_reader import JournalReader
from sequencer.replay import NO_BATCH_BOUND
from sequencer.sim.keys import SignedChunk

BATCH_COMMANDS = 1_000
"""Accepted commands in a batch."""

GROUP_RECORDS = 100
"""Records in a commit. A group is never due by its age: the clock of a simulation says nothing
about how long somebody has waited for an answer.
"""

JOURNAL_EPOCH = SEQUENCER_EPOCH = 1
NS = 10**9


class MeasuredRun:
    """A venue that goes on where its journal ends.

    `durable_count` is how many accepted commands it holds that are on the disk. `acknowledged` is
    told this number after every commit, and not before. `busy_ns` is all of the loop but seals.
    """

    def __init__(
        self, folder: Path, domain: int, time_ms: int, acknowledged: Callable[[int], None]
    ) -> None:
        files = JournalFolder.make(folder)
        self.durable_count = _journalled(files, domain)
        limits = GroupLimits(record_count_max=GROUP_RECORDS)
        settings = WriterSettings(JOURNAL_EPOCH, SEQUENCER_EPOCH, NO_BATCH_BOUND, limits=limits)
        self._durable = Follower(files, domain).resume(settings, time_ms)
        self._acknowledged = acknowledged
        self._time_ms = time_ms
        self.handled_count = 0
        self.applied_count = 0
        self.handle_ns = array("q")
        self.commit_ns = 0
        self.seal_ns = 0
        self.busy_ns = 0
        if self._durable.engine.open_count >= BATCH_COMMANDS:
            # The last life ended between the command that filled a batch and its seal.
            self._seal(time_ms)

    @property
    def state(self) -> State:
        """The exchange after the commands that were handled so far."""
        return self._durable.engine.state

    @property
    def root(self) -> int:
        """The root after the last seal."""
        return self._durable.engine.root

    @property
    def journal_head(self) -> int:
        """The chain value after the last accepted command."""
        return self._durable.engine.journal_head

    def apply(self, chunk: SignedChunk, commands: Sequence[Command]) -> None:
        """Handle commands of a chunk, in groups that are durable before the next one begins."""
        durable = self._durable
        engine, journal, timings = durable.engine, durable.journal, self.handle_ns
        verify, digest = chunk.verify, chunk.digest
        # Nothing here makes cycles, so reference counts free all garbage; a collection would only
        # walk millions of live leaves and would show as a pause of its own.
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            seals_ns = self.seal_ns
            started_ns = perf_counter_ns()
            for command in commands:
                before_ns = perf_counter_ns()
                durable.handle(command, verify, digest)
                timings.append(perf_counter_ns() - before_ns)
                if engine.open_count >= BATCH_COMMANDS:
                    self._seal(command.time_ms)
                if journal.pending_count >= GROUP_RECORDS:
                    self._commit()
            self._commit()
            self.busy_ns += perf_counter_ns() - started_ns - (self.seal_ns - seals_ns)
        finally:
            gc.enable()
            gc.unfreeze()
        self.handled_count += len(commands)
        if commands:
            self._time_ms = commands[-1].time_ms

    def finish(self) -> None:
        """Seal what is open."""
        if self._durable.engine.open_count:
            self._seal(self._time_ms)
        self._commit()

    def close(self) -> None:
        """Let go of the journal."""
        self._durable.journal.close()

    def _seal(self, time_ms: int) -> None:
        before_ns = perf_counter_ns()
        self._durable.seal(time_ms)
        self.seal_ns += perf_counter_ns() - before_ns

    def _commit(self) -> None:
        before_ns = perf_counter_ns()
        found = self._durable.commit()
        self.commit_ns += perf_counter_ns() - before_ns
        accepted = sum(receipt.rejected is None for receipt in found.receipts)
        self.applied_count += accepted
        self.durable_count += accepted
        self._acknowledged(self.durable_count)


def _journalled(files: JournalFolder, domain: int) -> int:
    """How many commands a folder's journal holds; none where there is no journal yet.

    Raises: BatchError for the journal of another exchange; JournalDamaged.
    """
    reader = JournalReader(files)
    count = sum(record.kind is RecordKind.COMMAND for record in reader.read())
    if reader.domain not in (None, domain):
        expected = "no journal, or one of the same seed and number of commands"
        raise BatchError(f"{files.path}", expected, "the journal of another exchange")
    return count
