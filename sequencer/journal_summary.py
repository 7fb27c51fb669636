"""What a journal holds, found by reading all of it and changing nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sequencer.errors import JournalDamaged, SnapshotError
from sequencer.journal_files import JournalFiles
from sequencer.journal_format import FIRST_SEQUENCE, RecordKind, segment_name
from sequencer.journal_reader import JournalReader, segment_names
from sequencer.snapshot import decode_snapshot, snapshot_names


@dataclass(frozen=True, slots=True)
class JournalSummary:
    """Counts and ends of a sound journal. `torn_bytes` follow the last record at `offset`."""

    domain: int
    segment_count: int
    command_count: int
    seal_count: int
    last_sequence: int
    epoch: int
    head: int
    segment: str
    offset: int
    torn_bytes: int
    snapshots: tuple[str, ...]
    snapshot_errors: tuple[SnapshotError, ...]


def summarise(files: JournalFiles) -> JournalSummary:
    """Read every record and every snapshot.

    Raises: JournalDamaged where a byte or a segment is wrong, or there is no record at all.
    """
    reader = JournalReader(files)
    counts = Counter(record.kind for record in reader.read())
    if reader.domain is None:
        missing = segment_name(FIRST_SEQUENCE)
        raise JournalDamaged(missing, 0, "journal", "at least one record", "none")
    sound, errors = [], []
    for name in snapshot_names(files):
        try:
            decode_snapshot(name, files.read(name))
            sound.append(name)
        except SnapshotError as error:
            errors.append(error)
    return JournalSummary(
        domain=reader.domain,
        segment_count=len(segment_names(files)),
        command_count=counts[RecordKind.COMMAND],
        seal_count=counts[RecordKind.SEAL],
        last_sequence=reader.sequence - 1,
        epoch=reader.epoch,
        head=reader.head,
        segment=reader.segment,
        offset=reader.offset,
        torn_bytes=reader.torn_bytes,
        snapshots=tuple(sound),
        snapshot_errors=tuple(errors),
    )
