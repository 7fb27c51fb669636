"""Collects records into groups that reach the disk in one write; free of I/O and of clocks."""

from __future__ import annotations

from dataclasses import dataclass

from sequencer.journal_format import MAGIC, RecordKind, SegmentStart, frame_record


@dataclass(frozen=True, slots=True)
class GroupLimits:
    """When a group is due, and when a segment is full; a group may pass the last bound once."""

    record_count_max: int = 100
    wait_ms_max: int = 5
    segment_bytes_max: int = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Group:
    """Whole records for one write; `starts_segment` tells that they open a segment of their own."""

    first_sequence: int
    last_sequence: int
    content: bytes
    starts_segment: bool


class GroupCommit:
    """Gives records their sequence and frames them. `head` is the chain value after the last one.

    It begins with a segment record, because every writer starts a segment of its own.
    """

    def __init__(
        self, start: SegmentStart, sequence: int, head: int, time_ms: int, limits: GroupLimits
    ) -> None:
        self.head = head
        self.sequence = sequence
        self.limits = limits
        self._start = start
        self._frames: list[bytes] = []
        self._since_ms = time_ms
        self._segment_bytes = 0
        self._starts_segment = False
        self._begin_segment(time_ms)

    @property
    def pending_count(self) -> int:
        """How many records wait for the write."""
        return len(self._frames)

    def add(self, kind: RecordKind, time_ms: int, payload: bytes, head: int) -> int:
        """Frame one record; its sequence. A full segment gives way to a new one between groups.

        `head` is the chain value after the record: whoever accepts a command has hashed it.
        Raises: JournalError for a payload that is too long; nothing is added then.
        """
        if not self._frames:
            self._since_ms = time_ms
            if self._segment_bytes >= self.limits.segment_bytes_max:
                self._begin_segment(time_ms)
        return self._frame(kind, time_ms, payload, head)

    def is_due(self, now_ms: int) -> bool:
        """Whether the group is large or old enough.

        Assumes: `now_ms` is of the clock that the times of the records are of.
        """
        if not self._frames:
            return False
        waited_ms = now_ms - self._since_ms
        is_full = len(self._frames) >= self.limits.record_count_max
        return is_full or waited_ms >= self.limits.wait_ms_max

    def take(self) -> Group | None:
        """The group to write, or None when nothing waits; the next record begins another."""
        if not self._frames:
            return None
        content = b"".join(self._frames)
        if self._starts_segment:
            content = MAGIC + content
            self._segment_bytes = 0
        group = Group(
            first_sequence=self.sequence - len(self._frames),
            last_sequence=self.sequence - 1,
            content=content,
            starts_segment=self._starts_segment,
        )
        self._segment_bytes += len(content)
        self._starts_segment = False
        self._frames = []
        return group

    def _begin_segment(self, time_ms: int) -> None:
        self._starts_segment = True
        self._frame(RecordKind.SEGMENT, time_ms, self._start.encode(), self.head)

    def _frame(self, kind: RecordKind, time_ms: int, payload: bytes, head: int) -> int:
        sequence = self.sequence
        self._frames.append(frame_record(kind, time_ms, sequence, head, payload))
        self.head = head
        self.sequence += 1
        return sequence
