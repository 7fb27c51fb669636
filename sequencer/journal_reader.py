"""Reads a journal record by record, checks all that a record claims, and repairs nothing."""

from __future__ import annotations

from collections.abc import Iterator

from sequencer.errors import JournalDamaged
from sequencer.hash_chains import EMPTY_CHAIN, extend_journal_bytes
from sequencer.journal_files import JournalFiles
from sequencer.journal_format import (
    FIRST_SEQUENCE,
    MAGIC,
    Record,
    RecordKind,
    decode_segment_start,
    first_sequence_of,
    parse_record,
    segment_name,
)

SHOWN_DIGITS = 16
"""Hexadecimal digits of a chain value in a message; enough to tell two apart."""


class JournalReader:
    """A place in a journal. `read` goes on from it, and may be called again as the journal grows.

    `segment` and `offset` are where the next record is or will be, `sequence` the number it will
    have, `epoch` the writer of the last one. Without a domain the journal's own is taken.
    """

    def __init__(
        self,
        files: JournalFiles,
        domain: int | None = None,
        first_sequence: int = FIRST_SEQUENCE,
    ) -> None:
        self.domain = domain
        self.segment = segment_name(first_sequence)
        self.offset = 0
        self.sequence = first_sequence
        self.epoch = 0
        self.torn_bytes = 0
        self._files = files
        self._head = EMPTY_CHAIN if first_sequence == FIRST_SEQUENCE else None

    @property
    def head(self) -> int:
        """The chain value after the last record."""
        return EMPTY_CHAIN if self._head is None else self._head

    def read(self) -> Iterator[Record]:
        """All whole records from here to the end; `torn_bytes` says what follows the last one.

        Raises: JournalDamaged at the first byte or segment that cannot be a writer's.
        """
        while True:
            # Listed before reading, so a segment in the list means that the one before it is full.
            names = segment_names(self._files)
            is_there = self.segment in names
            if is_there:
                yield from self._read_segment()
            later = [name for name in names if name > self.segment]
            if not later:
                return
            self._enter(later[0], is_there)

    def _enter(self, name: str, is_there: bool) -> None:
        """Go on to the next segment, which must begin where this one ends."""
        wanted = segment_name(self.sequence)
        if is_there and (self.torn_bytes or self.offset == 0):
            got = f"{self.torn_bytes} bytes of one, with {name} after it"
            raise JournalDamaged(self.segment, self.offset, "last record", "a whole record", got)
        if name < wanted:
            place = "segment with records that were read before"
            raise JournalDamaged(name, 0, place, f"{wanted} after {self.segment}", name)
        if name > wanted:
            raise JournalDamaged(wanted, 0, "missing segment", wanted, name)
        self.segment = name
        self.offset = 0

    def _read_segment(self) -> Iterator[Record]:
        data, base = self._files.read(self.segment, self.offset), self.offset
        start = 0
        self.torn_bytes = len(data)
        if self.offset == 0:
            if not self._has_magic(data):
                return
            start = len(MAGIC)
        while start < len(data):
            parsed = parse_record(self.segment, base, data, start)
            if parsed is None:
                return
            record, end = parsed
            self._accept(record, base + start)
            self.offset = base + end
            self.torn_bytes = len(data) - end
            start = end
            yield record

    def _has_magic(self, data: bytes) -> bool:
        """Whether the segment has its first bytes; False where they were not written yet."""
        found = data[: len(MAGIC)]
        if found == MAGIC:
            return True
        if MAGIC.startswith(found) or not any(data):
            return False
        raise JournalDamaged(self.segment, 0, "format and version", MAGIC.hex(), found.hex())

    def _accept(self, record: Record, offset: int) -> None:
        """Check a record against all before it, and make it the last one."""
        number = f"record {record.sequence}"
        if record.sequence != self.sequence:
            raise JournalDamaged(self.segment, offset, "sequence", self.sequence, record.sequence)
        is_first = self.offset == 0
        if is_first != (record.kind is RecordKind.SEGMENT):
            expected = "a segment record first, and nowhere else"
            got = f"a {record.kind.name.lower()} record"
            raise JournalDamaged(self.segment, offset, f"kind of {number}", expected, got)
        if self._head is None:
            self._head = record.head
        head = self._head
        if record.kind is RecordKind.COMMAND:
            head = extend_journal_bytes(head, record.payload)
        if record.head != head:
            place = f"chain at {number}"
            raise JournalDamaged(self.segment, offset, place, shown(head), shown(record.head))
        if is_first:
            self._accept_writer(record, offset)
        self._head = head
        self.sequence += 1

    def _accept_writer(self, record: Record, offset: int) -> None:
        start = decode_segment_start(self.segment, offset, record.payload)
        if self.domain is None:
            self.domain = start.domain
        if start.domain != self.domain:
            raise JournalDamaged(self.segment, offset, "domain", self.domain, start.domain)
        if start.epoch < self.epoch:
            expected = f"at least {self.epoch}"
            raise JournalDamaged(self.segment, offset, "epoch", expected, start.epoch)
        self.epoch = start.epoch


def segment_names(files: JournalFiles) -> list[str]:
    """The segments of a folder in their order.

    Raises: JournalDamaged for a name like a segment's that no writer gives, such as a copy's.
    """
    found = [name for name in files.names() if name.startswith("journal-")]
    for name in found:
        if first_sequence_of(name) is None:
            raise JournalDamaged(name, 0, "file name", segment_name(FIRST_SEQUENCE), name)
    return found


def domain_of(files: JournalFiles) -> int:
    """The exchange that a journal is of.

    Raises: JournalDamaged where there is no first record.
    """
    reader = JournalReader(files)
    next(reader.read(), None)
    if reader.domain is None:
        raise JournalDamaged(reader.segment, 0, "first record", "a segment record", "no record")
    return reader.domain


def segment_with(files: JournalFiles, sequence: int) -> int:
    """The first sequence of the segment that holds a record, by the names alone.

    Raises: JournalDamaged where no segment begins so early.
    """
    names = segment_names(files)
    starts = [first_sequence_of(name) or 0 for name in names]
    earlier = [start for start in starts if start <= sequence]
    if not earlier:
        got = names[0] if names else "no segment"
        missing = segment_name(FIRST_SEQUENCE)
        place = f"segment with record {sequence}"
        raise JournalDamaged(missing, 0, place, f"{missing} or a later one", got)
    return max(earlier)


def shown(head: int) -> str:
    """The first digits of a chain value."""
    return f"{head:064x}"[:SHOWN_DIGITS]
