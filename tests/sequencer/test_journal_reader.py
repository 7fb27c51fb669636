"""Reading a journal: every flipped byte, missing, doubled and foreign segment is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sequencer.errors import JournalDamaged
from sequencer.hash_chains import EMPTY_CHAIN, extend_journal
from sequencer.journal_format import (
    MAGIC,
    Record,
    RecordKind,
    SegmentStart,
    encode_record,
    parse_record,
    segment_name,
)
from sequencer.journal_reader import JournalReader, domain_of, segment_names, shown
from tests.support.crashing_disk import CrashingDisk, File
from tests.support.exchange import DOMAIN
from tests.support.journals import command_list, records_of, started, write

COMMANDS = command_list(11)
FIRST, SECOND, THIRD = (segment_name(number) for number in (1, 7, 13))
"""Sequences 1 to 6, 7 to 12 and 13 on: a segment record, then commands and seals."""


def written() -> CrashingDisk:
    disk = CrashingDisk()
    durable = started(disk)
    write(durable, COMMANDS)
    durable.journal.close()
    return disk


DISK = written()


def with_content(name: str, content: bytes) -> CrashingDisk:
    """The journal with one file changed or added."""
    return CrashingDisk(DISK.files | {name: File(content, content)})


def without(*names: str) -> CrashingDisk:
    return CrashingDisk({name: file for name, file in DISK.files.items() if name not in names})


def bounds(name: str) -> list[tuple[int, int]]:
    """Where the records of a segment begin and end."""
    content = DISK.read(name)
    found, start = [], len(MAGIC)
    while start < len(content):
        parsed = parse_record(name, 0, content, start)
        assert parsed is not None
        found.append((start, parsed[1]))
        start = parsed[1]
    return found


def reframed(name: str, number: int, **changes: object) -> bytes:
    """A segment with one record changed, its checks made right again."""
    content = DISK.read(name)
    start, end = bounds(name)[number]
    parsed = parse_record(name, 0, content, start)
    assert parsed is not None
    return content[:start] + encode_record(replace(parsed[0], **changes)) + content[end:]


def damage_of(disk: CrashingDisk) -> JournalDamaged:
    with pytest.raises(JournalDamaged) as caught:
        records_of(disk)
    return caught.value


def test_records_are_the_commands_in_segments() -> None:
    assert segment_names(DISK) == [FIRST, SECOND, THIRD]
    records = records_of(DISK)
    assert [record.sequence for record in records] == list(range(1, len(records) + 1))
    kinds = "".join(record.kind.name[1] for record in records)
    assert kinds == "EOOOOEEOOOOEEOOO"  # sEgment, cOmmand, sEal
    head = EMPTY_CHAIN
    for command in COMMANDS:
        head = extend_journal(head, command)
    assert records[-1].head == head
    assert domain_of(DISK) == DOMAIN


def test_a_reader_goes_on_where_it_stopped() -> None:
    disk = CrashingDisk()
    reader = JournalReader(disk, DOMAIN)
    assert list(reader.read()) == []
    durable = started(disk)
    seen: list[Record] = []
    for command in COMMANDS:
        write(durable, [command])
        seen += reader.read()
    assert seen == records_of(disk)
    assert (reader.sequence, reader.head) == (seen[-1].sequence + 1, durable.journal.head)


@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
@pytest.mark.parametrize("name", [FIRST, SECOND, THIRD])
def test_every_flipped_byte_is_found_where_it_is(name: str, mask: int) -> None:
    content = DISK.read(name)
    starts = dict.fromkeys(range(len(MAGIC)), 0)
    starts |= {at: start for start, end in bounds(name) for at in range(start, end)}
    for position in range(len(content)):
        flipped = bytearray(content)
        flipped[position] ^= mask
        error = damage_of(with_content(name, bytes(flipped)))
        assert (error.segment, error.offset) == (name, starts[position]), position


def test_a_torn_tail_is_no_damage_and_is_measured() -> None:
    content = DISK.read(THIRD)
    for size in range(len(content)):
        disk = with_content(THIRD, content[:size])
        reader = JournalReader(disk)
        count = len(list(reader.read()))
        ends = [0, *(end for _, end in bounds(THIRD) if end <= size)]
        assert count == 12 + len(ends) - 1
        assert (reader.segment, reader.offset) == (THIRD, ends[-1])
        assert reader.torn_bytes == size - ends[-1]


@pytest.mark.parametrize("cut", [1, 80, 900])
def test_a_torn_segment_with_another_after_it_is_damage(cut: int) -> None:
    content = DISK.read(SECOND)[:-cut] if cut < 900 else b""
    reader = JournalReader(CrashingDisk({FIRST: DISK.files[FIRST], SECOND: File(content)}))
    list(reader.read())
    error = damage_of(with_content(SECOND, content))
    assert str(error) == (
        f"{SECOND}: byte {reader.offset}: last record: expected a whole record, "
        f"got {reader.torn_bytes} bytes of one, with {THIRD} after it"
    )


@pytest.mark.parametrize(
    ("missing", "after"), [((FIRST,), SECOND), ((SECOND,), THIRD), ((FIRST, SECOND), THIRD)]
)
def test_a_missing_segment(missing: tuple[str, ...], after: str) -> None:
    assert str(damage_of(without(*missing))) == (
        f"{missing[0]}: byte 0: missing segment: expected {missing[0]}, got {after}"
    )


def test_a_segment_twice() -> None:
    name = segment_name(9)
    assert str(damage_of(with_content(name, DISK.read(FIRST)))) == (
        f"{name}: byte 0: segment with records that were read before: "
        f"expected {THIRD} after {SECOND}, got {name}"
    )
    copy = f"{FIRST}.copy"
    assert str(damage_of(with_content(copy, DISK.read(FIRST)))) == (
        f"{copy}: byte 0: file name: expected {FIRST}, got {copy}"
    )


def test_a_segment_under_the_name_of_another() -> None:
    assert str(damage_of(with_content(SECOND, DISK.read(FIRST)))) == (
        f"{SECOND}: byte 8: sequence: expected 7, got 1"
    )


def test_a_gap_and_a_record_twice() -> None:
    content = DISK.read(SECOND)
    start, end = bounds(SECOND)[3]
    assert str(damage_of(with_content(SECOND, content[:start] + content[end:]))) == (
        f"{SECOND}: byte {start}: sequence: expected 10, got 11"
    )
    assert str(damage_of(with_content(SECOND, content[:end] + content[start:]))) == (
        f"{SECOND}: byte {end}: sequence: expected 11, got 10"
    )


def test_a_command_changed_together_with_its_checks() -> None:
    records = records_of(DISK)
    payload = records[8].payload
    start, _ = bounds(SECOND)[2]
    error = damage_of(with_content(SECOND, reframed(SECOND, 2, payload=payload + b"!")))
    assert str(error).startswith(f"{SECOND}: byte {start}: chain at record 9: expected ")
    assert str(error).endswith(f", got {shown(records[8].head)}")


def test_kinds_have_their_places() -> None:
    start, _ = bounds(SECOND)[2]
    error = damage_of(with_content(SECOND, reframed(SECOND, 2, kind=RecordKind.SEGMENT)))
    assert str(error) == (
        f"{SECOND}: byte {start}: kind of record 9: "
        "expected a segment record first, and nowhere else, got a segment record"
    )
    error = damage_of(with_content(SECOND, reframed(SECOND, 0, kind=RecordKind.SEAL)))
    assert str(error) == (
        f"{SECOND}: byte 8: kind of record 7: "
        "expected a segment record first, and nowhere else, got a seal record"
    )


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (SegmentStart(DOMAIN, 0), "epoch: expected at least 1, got 0"),
        (SegmentStart(5, 1), f"domain: expected {DOMAIN}, got 5"),
    ],
)
def test_a_segment_of_an_older_writer_or_another_exchange(
    start: SegmentStart, message: str
) -> None:
    disk = with_content(SECOND, reframed(SECOND, 0, payload=start.encode()))
    assert str(damage_of(disk)) == f"{SECOND}: byte 8: {message}"


def test_a_file_of_another_format() -> None:
    content = b"PPJRNL\x00\x02" + DISK.read(FIRST)[8:]
    assert str(damage_of(with_content(FIRST, content))) == (
        f"{FIRST}: byte 0: format and version: expected 50504a524e4c0001, got 50504a524e4c0002"
    )


def test_a_folder_without_a_journal() -> None:
    with pytest.raises(JournalDamaged) as caught:
        domain_of(CrashingDisk())
    assert str(caught.value) == (
        f"{FIRST}: byte 0: first record: expected a segment record, got no record"
    )
