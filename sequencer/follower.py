"""Follows a journal: an engine in step with its records, from which a writer can start.

A start after a crash and a promotion of a standby are the same thing here: read all there is,
then begin to write behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sequencer.batcher import Batch
from sequencer.durable_engine import DurableEngine
from sequencer.engine import Engine
from sequencer.errors import JournalDamaged, JournalRefused, SnapshotError
from sequencer.group_commit import GroupLimits
from sequencer.journal import open_journal
from sequencer.journal_files import JournalFiles
from sequencer.journal_format import Record, RecordKind, SegmentStart
from sequencer.journal_reader import JournalReader, segment_with, shown
from sequencer.replay import NO_BATCH_BOUND, Replay, verified_before
from sequencer.snapshot import Snapshot, decode_snapshot, snapshot_names

UNKNOWN_EPOCH = 0
"""Stands for the sequencer epoch until a seal or a writer's settings name it."""


@dataclass(frozen=True, slots=True)
class WriterSettings:
    """How a writer goes on. `epoch` fences writers of one journal; `sequencer_epoch` is the
    public word that the settlement contract was deployed with.
    """

    epoch: int
    sequencer_epoch: int
    batch_commands_max: int
    limits: GroupLimits = field(default_factory=GroupLimits)
    batch_age_max_ms: int | None = None


class Follower:
    """An engine that is brought up to date by `poll`; it starts at the newest sound snapshot.

    `messages` tells what was passed over on the way, a line each. It reads whole records only, and
    may be ahead of what the writer has made durable, but never of what a promotion makes so.
    `take_batch` is given every batch that is replayed on the way, for a standby that proves them.
    """

    def __init__(
        self,
        files: JournalFiles,
        domain: int,
        take_batch: Callable[[Batch], None] | None = None,
    ) -> None:
        self.messages: list[str] = []
        self._take_batch = take_batch
        self._files = files
        self._domain = domain
        self._start, engine = self._newest_sound()
        if self._start is None:
            self.reader = JournalReader(files, domain)
        else:
            first = segment_with(files, self._start.sequence)
            self.reader = JournalReader(files, domain, first)
        self._replay = Replay(engine, verified_before, self._start)

    @property
    def engine(self) -> Engine:
        """The exchange after the records read so far."""
        return self._replay.engine

    @property
    def sealed(self) -> Snapshot | None:
        """The exchange after the last seal read so far."""
        return self._replay.sealed

    def poll(self) -> int:
        """Apply the records that were written since the last call; how many.

        Raises: JournalDamaged; ReplayDiffers. The follower is of no more use then.
        """
        count = 0
        for record in self.reader.read():
            if self._start is not None and record.sequence <= self._start.sequence:
                self._pass(record, self._start)
                continue
            batch = self._replay.apply(record)
            if batch is not None and self._take_batch is not None:
                self._take_batch(batch)
            count += 1
        if self._start is not None and self.reader.sequence <= self._start.sequence:
            place = f"end of the journal before {self._start.name}"
            expected = f"record {self._start.sequence}"
            got = f"record {self.reader.sequence - 1} as the last"
            raise JournalDamaged(self.reader.segment, self.reader.offset, place, expected, got)
        return count

    def promote(self, settings: WriterSettings, time_ms: int) -> DurableEngine:
        """Take over from a writer, alive or not; its next commit is refused.

        Raises: JournalRefused for an epoch that is not above the journal's; what `poll` raises;
        JournalWriteFailed; OSError.
        Cost: waits for a commit that is under way.
        """
        self.poll()
        with self._files.guard():
            self.poll()
            if settings.epoch <= self.reader.epoch:
                expected = f"above {self.reader.epoch}, the journal's"
                raise JournalRefused("epoch", expected, settings.epoch)
            return self._start_writer(settings, time_ms)

    def resume(self, settings: WriterSettings, time_ms: int) -> DurableEngine:
        """Go on writing after a stop or a crash, under the journal's epoch or a higher one.

        Raises: JournalRefused for an older epoch or when another writer is alive; as `promote`.
        """
        self.poll()
        with self._files.guard():
            self.poll()
            return self._start_writer(settings, time_ms)

    def _start_writer(self, settings: WriterSettings, time_ms: int) -> DurableEngine:
        start = SegmentStart(self._domain, settings.epoch)
        journal, cut = open_journal(
            self._files, self.reader, start, time_ms=time_ms, limits=settings.limits
        )
        if cut is not None:
            self.messages.append(cut)
        engine = self.engine
        engine.epoch = settings.sequencer_epoch
        engine.batch_commands_max = settings.batch_commands_max
        engine.batch_age_max_ms = settings.batch_age_max_ms
        durable = DurableEngine(engine, journal, self.sealed)
        # The crash may have come between the last command of a batch and its seal.
        durable.seal_if_due(time_ms)
        return durable

    def _newest_sound(self) -> tuple[Snapshot | None, Engine]:
        """The newest snapshot that can be used, and the engine to start with."""
        for name in snapshot_names(self._files):
            try:
                snapshot = decode_snapshot(name, self._files.read(name))
                if snapshot.state.domain != self._domain:
                    raise SnapshotError(f"{name}: domain", self._domain, snapshot.state.domain)
                return snapshot, snapshot.engine(UNKNOWN_EPOCH, NO_BATCH_BOUND)
            except SnapshotError as error:
                self.messages.append(f"{error}; passed over")
        return None, Engine(self._domain, UNKNOWN_EPOCH, NO_BATCH_BOUND)

    def _pass(self, record: Record, start: Snapshot) -> None:
        """Pass over a record that the snapshot holds; its last must be the seal it was taken at."""
        if record.sequence < start.sequence:
            return
        head = start.position.journal_head
        if record.kind is not RecordKind.SEAL or record.head != head:
            expected = f"the seal of {start.name}, chain {shown(head)}"
            got = f"a {record.kind.name.lower()}, chain {shown(record.head)}"
            place = f"record {record.sequence}"
            offset = self.reader.offset
            raise JournalDamaged(self.reader.segment, offset, place, expected, got)
