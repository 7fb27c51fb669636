"""Groups of records: when they are due, and where segments begin."""

from __future__ import annotations

import pytest

from sequencer.errors import JournalError
from sequencer.group_commit import Group, GroupCommit, GroupLimits
from sequencer.journal_format import (
    MAGIC,
    PAYLOAD_BYTES_MAX,
    Record,
    RecordKind,
    SegmentStart,
    encode_record,
)

START = SegmentStart(domain=5, epoch=2)
LIMITS = GroupLimits(record_count_max=3, wait_ms_max=10, segment_bytes_max=250)


def begun() -> tuple[GroupCommit, Group]:
    records = GroupCommit(START, 40, 7, time_ms=100, limits=LIMITS)
    opening = records.take()
    assert opening is not None
    return records, opening


def test_a_writer_begins_with_its_segment_record() -> None:
    _, opening = begun()
    record = Record(RecordKind.SEGMENT, 100, 40, 7, START.encode())
    assert opening == Group(40, 40, MAGIC + encode_record(record), True)


def test_a_group_is_its_records_one_after_the_other() -> None:
    records, _ = begun()
    assert records.add(RecordKind.COMMAND, 101, b"a", 8) == 41
    assert records.add(RecordKind.SEAL, 102, b"b", 8) == 42
    assert records.pending_count == 2
    expected = [
        Record(RecordKind.COMMAND, 101, 41, 8, b"a"),
        Record(RecordKind.SEAL, 102, 42, 8, b"b"),
    ]
    assert records.take() == Group(41, 42, b"".join(map(encode_record, expected)), False)
    assert (records.head, records.pending_count, records.take()) == (8, 0, None)


def test_due_by_count_or_by_age() -> None:
    records, _ = begun()
    assert not records.is_due(10**6)
    records.add(RecordKind.COMMAND, 200, b"a", 8)
    records.add(RecordKind.COMMAND, 208, b"b", 8)
    assert [records.is_due(now_ms) for now_ms in (208, 209, 210)] == [False, False, True]
    records.add(RecordKind.COMMAND, 208, b"c", 8)
    assert records.is_due(208)
    records.take()
    records.add(RecordKind.COMMAND, 208, b"d", 8)
    assert not records.is_due(217)


def test_a_full_segment_gives_way_before_the_next_group() -> None:
    records, _ = begun()
    records.add(RecordKind.COMMAND, 1, bytes(60), 8)
    records.add(RecordKind.COMMAND, 1, b"a", 8)
    first = records.take()
    assert first is not None
    assert (first.first_sequence, first.starts_segment) == (41, False)
    assert records.add(RecordKind.COMMAND, 2, b"b", 9) == 44
    second = records.take()
    assert second is not None
    assert (second.first_sequence, second.last_sequence) == (43, 44)
    assert second.starts_segment
    expected = [
        Record(RecordKind.SEGMENT, 2, 43, 8, START.encode()),
        Record(RecordKind.COMMAND, 2, 44, 9, b"b"),
    ]
    assert second.content == MAGIC + b"".join(map(encode_record, expected))
    records.add(RecordKind.COMMAND, 2, b"c", 8)
    third = records.take()
    assert third is not None
    assert not third.starts_segment


def test_a_payload_that_is_too_long_leaves_no_trace() -> None:
    records, _ = begun()
    with pytest.raises(JournalError):
        records.add(RecordKind.COMMAND, 1, bytes(PAYLOAD_BYTES_MAX + 1), 8)
    assert (records.sequence, records.head, records.pending_count) == (41, 7, 0)
