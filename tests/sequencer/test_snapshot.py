"""Snapshots: a start from one equals a start from nothing, and a damaged one is passed over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sequencer.errors import JournalDamaged, JournalWriteFailed, SnapshotError
from sequencer.follower import Follower
from sequencer.journal_format import encode_record, segment_name
from sequencer.snapshot import Snapshot, decode_snapshot, save_snapshot, snapshot_names
from tests.support.crashing_disk import CrashingDisk, File
from tests.support.exchange import DOMAIN
from tests.support.journals import (
    assert_same,
    command_list,
    journalled_commands,
    records_of,
    settings,
    started,
    uninterrupted,
    write,
)

COMMANDS = command_list(15)


def followed(disk: CrashingDisk) -> tuple[Follower, int]:
    """A new follower at the end of the journal, and how many records it had to apply."""
    follower = Follower(disk, DOMAIN)
    return follower, follower.poll()


def with_snapshots() -> tuple[CrashingDisk, list[Snapshot]]:
    """All commands journalled, and a snapshot after each of the first three batches."""
    disk = CrashingDisk()
    durable = started(disk)
    taken = []
    for start in range(0, 12, 4):
        write(durable, COMMANDS[start : start + 4])
        assert durable.sealed is not None
        save_snapshot(disk, durable.sealed, disk.names()[-1])
        taken.append(durable.sealed)
    write(durable, COMMANDS[12:])
    durable.journal.close()
    return disk, taken


DISK, TAKEN = with_snapshots()
NAMES = [snapshot.name for snapshot in TAKEN]


def with_file(name: str, content: bytes) -> CrashingDisk:
    return CrashingDisk(DISK.files | {name: File(content, content)})


def damaged(disk: CrashingDisk, *names: str) -> CrashingDisk:
    """The last byte of these files changed."""
    files = dict(disk.files)
    for name in names:
        content = disk.read(name)
        files[name] = File(content[:-1] + bytes([content[-1] ^ 1]))
    return CrashingDisk(files)


def test_a_snapshot_reads_back() -> None:
    assert snapshot_names(DISK) == NAMES[::-1]
    for snapshot in TAKEN:
        assert decode_snapshot(snapshot.name, DISK.read(snapshot.name)) == snapshot
        assert_same(snapshot.engine(4, 4), uninterrupted(COMMANDS[: 4 * TAKEN.index(snapshot) + 4]))


def test_a_start_applies_only_what_came_after_the_newest() -> None:
    follower, count = followed(DISK)
    assert count == len(records_of(DISK)) - TAKEN[-1].sequence
    assert follower.messages == []
    assert_same(follower.engine, uninterrupted(COMMANDS))


def test_segments_before_the_snapshot_are_not_read() -> None:
    kept = segment_name(13)
    files = {name: DISK.files[name] for name in [*NAMES, kept, *DISK.names()] if name >= kept}
    follower, _ = followed(CrashingDisk(files))
    assert_same(follower.engine, uninterrupted(COMMANDS))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_damaged_snapshot_falls_back_to_the_one_before(count: int) -> None:
    disk = damaged(DISK, *NAMES[-count:])
    follower, applied = followed(disk)
    assert [message.split(":")[0] for message in follower.messages] == NAMES[-count:][::-1]
    start = TAKEN[-count - 1].sequence if count < 3 else 0
    assert applied == len(records_of(disk)) - start
    assert_same(follower.engine, uninterrupted(COMMANDS))
    write(follower.resume(settings(), time_ms=1), [])


def test_every_flipped_byte_of_a_snapshot_is_found() -> None:
    name = NAMES[0]
    content = DISK.read(name)
    for position in range(len(content)):
        flipped = bytearray(content)
        flipped[position] ^= 0x10
        with pytest.raises(SnapshotError) as caught:
            decode_snapshot(name, bytes(flipped))
        assert caught.value.place.startswith(name)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected at least 160 bytes, got 0 bytes"),
        (bytes(160), "expected format and version 5050534e41500002, got 0000000000000000"),
    ],
)
def test_other_bytes_in_words(content: bytes, message: str) -> None:
    with pytest.raises(SnapshotError) as caught:
        decode_snapshot(NAMES[0], content)
    assert str(caught.value) == f"{NAMES[0]}: {message}"


def test_a_snapshot_under_another_name() -> None:
    with pytest.raises(SnapshotError) as caught:
        decode_snapshot(NAMES[1], DISK.read(NAMES[0]))
    assert str(caught.value) == f"{NAMES[1]}: file name: expected {NAMES[0]}, got {NAMES[1]}"


def test_a_snapshot_with_another_root_is_passed_over() -> None:
    changed = replace(TAKEN[2], root=5)
    follower, _ = followed(with_file(changed.name, changed.encode()))
    assert follower.messages == [
        f"{changed.name}: root: expected 0x5, got {TAKEN[2].root:#x}; passed over"
    ]
    assert_same(follower.engine, uninterrupted(COMMANDS))


def test_a_snapshot_of_another_exchange_is_passed_over() -> None:
    changed = replace(TAKEN[2], state=replace(TAKEN[2].state, domain=5))
    follower, _ = followed(with_file(changed.name, changed.encode()))
    assert follower.messages == [f"{changed.name}: domain: expected {DOMAIN}, got 5; passed over"]


def test_a_snapshot_of_another_journal_stops_the_start() -> None:
    changed = replace(TAKEN[2], position=replace(TAKEN[2].position, journal_head=5))
    with pytest.raises(JournalDamaged) as caught:
        followed(with_file(changed.name, changed.encode()))
    assert caught.value.place == f"record {changed.sequence}"
    assert str(caught.value.expected) == f"the seal of {changed.name}, chain {0:016x}"
    assert str(caught.value.got).startswith("a seal, chain ")
    moved = replace(TAKEN[2], sequence=TAKEN[2].sequence - 1)
    with pytest.raises(JournalDamaged) as caught:
        followed(
            CrashingDisk(
                {moved.name: File(moved.encode())}
                | {name: file for name, file in DISK.files.items() if name != TAKEN[2].name}
            )
        )
    assert str(caught.value.got).startswith("a command, chain ")


def test_a_journal_that_ends_before_its_snapshot_has_lost_records() -> None:
    last = segment_name(13)
    cut = {name: file for name, file in DISK.files.items() if name < last or name in NAMES}
    with pytest.raises(JournalDamaged) as caught:
        followed(CrashingDisk(cut))
    assert str(caught.value) == (
        f"{segment_name(7)}: byte {len(DISK.read(segment_name(7)))}: "
        f"end of the journal before {NAMES[2]}: expected record 18, got record 12 as the last"
    )
    seal = encode_record(records_of(DISK)[17])
    whole = DISK.read(last)
    disk = with_file(last, whole[: whole.index(seal)])
    del disk.files[segment_name(19)]
    with pytest.raises(JournalDamaged) as caught:
        followed(disk)
    assert str(caught.value.got) == "record 17 as the last"
    only_snapshots = CrashingDisk({name: DISK.files[name] for name in NAMES})
    with pytest.raises(JournalDamaged) as caught:
        Follower(only_snapshots, DOMAIN)
    assert str(caught.value) == (
        f"{segment_name(1)}: byte 0: segment with record 18: "
        f"expected {segment_name(1)} or a later one, got no segment"
    )


def test_the_journal_is_durable_before_its_snapshot() -> None:
    disk = CrashingDisk()
    durable = started(disk)
    write(durable, COMMANDS[:2])
    for command in COMMANDS[2:4]:
        durable.handle(command)
    disk.fail_syncs = True
    with pytest.raises(JournalWriteFailed):
        durable.commit()
    disk.fail_syncs = False
    follower, _ = followed(disk)
    assert follower.sealed is not None
    save_snapshot(disk, follower.sealed, follower.reader.segment)
    after = disk.after_power_cut(lambda _: 0)
    assert journalled_commands(after) == 4
    assert_same(followed(after)[0].engine, uninterrupted(COMMANDS[:4]))
