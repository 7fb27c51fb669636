"""The writer of a journal: records become durable in groups, and one writer at a time adds them.

Who may write is settled by the segments themselves. Every writer starts a segment of its own and
holds a lock on the segment it appends to, so a second writer of the same epoch sees that the first
one lives. A writer of a higher epoch may take over all the same: its segment begins where the old
writer's next group would, and that is what the old writer finds before it writes again. Each
commit and each takeover runs under the guard, so nothing comes between the look and the write.
"""

from __future__ import annotations

from sequencer.errors import JournalRefused, JournalWriteFailed
from sequencer.group_commit import Group, GroupCommit, GroupLimits
from sequencer.journal_files import JournalFiles, OpenSegment
from sequencer.journal_format import RecordKind, SegmentStart, require_payload, segment_name
from sequencer.journal_reader import JournalReader, segment_names


class Journal:
    """An open journal. After a failed commit it takes nothing more: what of the group reached the
    disk is known only to the next reader.

    `durable_sequence` is the last record that survives a power cut.
    """

    def __init__(self, files: JournalFiles, records: GroupCommit, segment: OpenSegment) -> None:
        self.durable_sequence = records.sequence - 1
        self._files = files
        self._records = records
        self._segment = segment
        self._stopped_by = ""

    @property
    def head(self) -> int:
        """The chain value after the last record, durable or not."""
        return self._records.head

    @property
    def pending_count(self) -> int:
        """How many records wait for the commit."""
        return self._records.pending_count

    def is_commit_due(self, now_ms: int) -> bool:
        """Whether the group is large or old enough; `now_ms` is of the records' clock."""
        return self._records.is_due(now_ms)

    def require_ready(self, payload: bytes) -> None:
        """Check that `append` will take a payload, before anything is changed for it.

        Raises: JournalError for one that is too long; JournalWriteFailed.
        """
        self._working_segment()
        require_payload(payload)

    def append(self, kind: RecordKind, time_ms: int, payload: bytes, head: int) -> int:
        """Add a record to the open group; its sequence. It is not durable before the commit.

        `head` is the chain value after the record, which a reader will check.
        Raises: JournalError for a payload that is too long; JournalWriteFailed.
        """
        self._working_segment()
        return self._records.add(kind, time_ms, payload, head)

    def commit(self) -> int:
        """Make the open group durable; the last durable sequence.

        Raises: JournalRefused when a newer epoch has taken over; JournalWriteFailed.
        """
        segment = self._working_segment()
        group = self._records.take()
        if group is None:
            return self.durable_sequence
        try:
            with self._files.guard():
                self._segment = _write(self._files, group, segment)
        except BaseException as error:  # an interrupt, too, may leave half a group behind
            self._stopped_by = str(error) or type(error).__name__
            segment.close()
            raise
        if self._segment is not segment:
            segment.close()
        self.durable_sequence = group.last_sequence
        return self.durable_sequence

    def close(self) -> None:
        """Let go of the journal; records that wait for a commit are dropped."""
        if not self._stopped_by:
            self._stopped_by = "the journal was closed"
            self._segment.close()

    def _working_segment(self) -> OpenSegment:
        if self._stopped_by:
            raise JournalWriteFailed("journal", "one that takes records", self._stopped_by)
        return self._segment


def open_journal(
    files: JournalFiles,
    reader: JournalReader,
    start: SegmentStart,
    *,
    time_ms: int,
    limits: GroupLimits,
) -> tuple[Journal, str | None]:
    """Begin to write where `reader` stopped; the journal, and what was cut off its end if anything.

    Assumes: the guard is held, and `reader` has read all records since, of the same domain.
    Raises: JournalRefused for an older epoch, or the epoch of a writer that is alive;
    JournalWriteFailed; OSError.
    """
    if start.epoch < reader.epoch:
        raise JournalRefused("epoch", f"at least {reader.epoch}, the journal's", start.epoch)
    names = segment_names(files)
    if names and start.epoch == reader.epoch and files.is_held(names[-1]):
        expected = f"no living writer of epoch {start.epoch}"
        raise JournalRefused(names[-1], expected, "one that holds the segment")
    records = GroupCommit(start, reader.sequence, reader.head, time_ms, limits)
    opening = records.take()
    assert opening is not None, "a writer begins with a segment record"
    cut = _repair(files, reader)
    return Journal(files, records, _write(files, opening, None)), cut


def _repair(files: JournalFiles, reader: JournalReader) -> str | None:
    """Cut a torn tail, and make durable all that was read; what was cut, in one line."""
    if reader.segment not in segment_names(files):
        return None
    if reader.offset == 0:
        files.remove(reader.segment)
        return f"{reader.segment}: byte 0: removed, for it had no whole record"
    if reader.torn_bytes:
        files.truncate(reader.segment, reader.offset)
        return f"{reader.segment}: byte {reader.offset}: cut {reader.torn_bytes} torn bytes"
    # A writer may have ended between its write and the sync: what follows must not outlive this.
    files.sync(reader.segment)
    return None


def _write(files: JournalFiles, group: Group, segment: OpenSegment | None) -> OpenSegment:
    """Write a group to the writer's segment or a new one; the segment to go on with.

    Assumes: the guard is held.
    """
    name = segment_name(group.first_sequence)
    if files.exists(name):
        expected = f"no segment after record {group.first_sequence - 1}"
        raise JournalRefused("journal", expected, f"{name} of a writer that took over")
    try:
        if segment is None or group.starts_segment:
            return files.create(name, group.content)
        segment.append(group.content)
    except OSError as error:
        place = f"records {group.first_sequence} to {group.last_sequence}"
        reason = (error.strerror or type(error).__name__).lower()
        raise JournalWriteFailed(place, "a durable write", reason) from error
    return segment
