"""The writer: durable before it says so, alone, and at its end after a failure."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import pytest

from sequencer.durable_engine import DurableEngine
from sequencer.errors import JournalError, JournalRefused, JournalWriteFailed
from sequencer.follower import Follower
from sequencer.group_commit import GroupCommit, GroupLimits
from sequencer.journal import Journal
from sequencer.journal_files import JournalFiles, JournalFolder
from sequencer.journal_format import (
    PAYLOAD_BYTES_MAX,
    RecordKind,
    SegmentStart,
    segment_name,
)
from tests.support.crashing_disk import CrashingDisk
from tests.support.exchange import DOMAIN
from tests.support.journals import (
    EMPTY_ROOT,
    assert_same,
    command_list,
    journalled_commands,
    records_of,
    settings,
    started,
    uninterrupted,
    write,
)

COMMANDS = command_list(10)
LARGE = GroupLimits(record_count_max=100, wait_ms_max=5, segment_bytes_max=2**20)


@pytest.fixture(params=["folder", "simulated"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> JournalFiles:
    """The tests of this page hold for the disk and for what stands for it elsewhere."""
    if request.param == "folder":
        return JournalFolder.make(tmp_path / "venue" / "journal")
    return CrashingDisk()


def handle(durable: DurableEngine, count: int) -> None:
    done = durable.engine.state.step + 4 * (durable.engine.position.batch_number - 1)
    for command in COMMANDS[done : done + count]:
        durable.handle(command)


def test_nothing_is_written_before_the_commit(files: JournalFiles) -> None:
    durable = started(files, limits=LARGE)
    handle(durable, 6)
    assert len(records_of(files)) == 1
    assert (durable.journal.pending_count, durable.journal.durable_sequence) == (7, 1)
    answers = durable.commit()
    assert [receipt.command for receipt in answers.receipts] == list(COMMANDS[:6])
    assert [batch.number for batch in answers.batches] == [1]
    assert durable.journal.durable_sequence == len(records_of(files)) == 8
    assert durable.journal.head == records_of(files)[-1].head


def test_a_commit_of_nothing_writes_nothing(files: JournalFiles) -> None:
    durable = started(files)
    assert durable.journal.commit() == 1
    assert durable.commit().receipts == ()
    assert len(records_of(files)) == 1


def test_each_writer_starts_a_segment(files: JournalFiles) -> None:
    for end in (3, 6, 10):
        durable = started(files, limits=LARGE)
        write(durable, COMMANDS[journalled_commands(files) : end])
        durable.journal.close()
    names = [name for name in files.names() if name.startswith("journal-")]
    assert names == [segment_name(number) for number in (1, 5, 10)]
    assert_same(durable.engine, uninterrupted(COMMANDS))


def test_a_writer_lets_go_of_a_full_segment(files: JournalFiles) -> None:
    write(started(files), COMMANDS)
    names = [name for name in files.names() if name.startswith("journal-")]
    assert [files.is_held(name) for name in names] == [False] * (len(names) - 1) + [True]


def test_two_writers_of_one_epoch(files: JournalFiles) -> None:
    first = started(files)
    write(first, COMMANDS[:7])
    last = [name for name in files.names() if name.startswith("journal-")][-1]
    with pytest.raises(JournalRefused) as caught:
        started(files)
    assert str(caught.value) == (
        f"{last}: expected no living writer of epoch 1, got one that holds the segment"
    )
    write(first, COMMANDS[7:])
    first.journal.close()
    assert_same(started(files).engine, uninterrupted(COMMANDS))


def test_an_older_epoch_is_refused(files: JournalFiles) -> None:
    started(files, epoch=3).journal.close()
    with pytest.raises(JournalRefused) as caught:
        started(files, epoch=2)
    assert str(caught.value) == "epoch: expected at least 3, the journal's, got 2"


@pytest.mark.parametrize("committed", [0, 2, 5])
def test_a_newer_epoch_fences_the_old_writer(files: JournalFiles, committed: int) -> None:
    old = started(files)
    write(old, COMMANDS[:committed])
    handle(old, 1)
    new = started(files, epoch=2)
    segment = [name for name in files.names() if name.startswith("journal-")][-1]
    with pytest.raises(JournalRefused) as caught:
        old.commit()
    last = records_of(files)[-1].sequence
    assert str(caught.value) == (
        f"journal: expected no segment after record {last - 1}, "
        f"got {segment} of a writer that took over"
    )
    write(new, COMMANDS[committed:])
    assert_same(new.engine, uninterrupted(COMMANDS))
    with pytest.raises(JournalWriteFailed) as stopped:
        old.handle(COMMANDS[-1])
    assert str(stopped.value) == f"journal: expected one that takes records, got {caught.value}"


def test_a_fenced_writer_cannot_begin_a_segment(files: JournalFiles) -> None:
    full = GroupLimits(record_count_max=9, wait_ms_max=9, segment_bytes_max=1)
    old = started(files, limits=full)
    started(files, epoch=2)
    handle(old, 1)
    with pytest.raises(JournalRefused):
        old.commit()
    assert [record.kind for record in records_of(files)] == [RecordKind.SEGMENT] * 2


def test_a_closed_journal_takes_nothing(files: JournalFiles) -> None:
    durable = started(files)
    handle(durable, 1)
    durable.journal.close()
    durable.journal.close()
    for use in (durable.commit, lambda: durable.handle(COMMANDS[1]), lambda: durable.seal(1)):
        with pytest.raises(JournalWriteFailed) as caught:
            use()
        assert str(caught.value) == (
            "journal: expected one that takes records, got the journal was closed"
        )
    assert journalled_commands(files) == 0
    assert (durable.engine.open_count, durable.engine.root) == (1, EMPTY_ROOT)


def test_a_payload_that_is_too_long_is_refused_before_anything_changes() -> None:
    disk = CrashingDisk()
    journal = started(disk).journal
    for refuse in (journal.require_ready, lambda data: journal.append(RecordKind.SEAL, 1, data, 0)):
        with pytest.raises(JournalError) as caught:
            refuse(bytes(PAYLOAD_BYTES_MAX + 1))
        assert str(caught.value) == "payload: expected at most 1048576 bytes, got 1048577"
    assert journal.pending_count == 0


@pytest.mark.parametrize("space", [0, 1, 100, 240, 10_000])
def test_a_full_disk_acknowledges_nothing(space: int) -> None:
    disk = CrashingDisk()
    durable = started(disk, limits=LARGE)
    write(durable, COMMANDS[:3])
    handle(durable, 3)
    disk.space_left = space
    if space == 10_000:
        assert len(durable.commit().receipts) == 3
        return
    with pytest.raises(JournalWriteFailed) as caught:
        durable.commit()
    assert str(caught.value) == (
        "records 5 to 8: expected a durable write, got no space left on device"
    )
    with pytest.raises(JournalWriteFailed):
        durable.commit()
    assert journalled_commands(disk) - 3 == space // 160
    disk.space_left = None
    again = started(disk)
    write(again, COMMANDS[journalled_commands(disk) :])
    assert_same(again.engine, uninterrupted(COMMANDS))


def test_a_disk_too_full_to_start_leaves_a_folder_to_start_from() -> None:
    disk = CrashingDisk()
    write(started(disk), COMMANDS[:3])
    again = disk.after_kill()
    again.space_left = 20
    follower = Follower(again, DOMAIN)
    with pytest.raises(JournalWriteFailed) as caught:
        follower.resume(settings(), time_ms=1)
    assert str(caught.value) == (
        "records 5 to 5: expected a durable write, got no space left on device"
    )
    again.space_left = None
    follower = Follower(again, DOMAIN)
    write(follower.resume(settings(), time_ms=1), COMMANDS[3:])
    assert follower.messages == [f"{segment_name(5)}: byte 0: removed, for it had no whole record"]
    assert_same(follower.engine, uninterrupted(COMMANDS))


def test_a_failed_sync_ends_the_writer() -> None:
    disk = CrashingDisk()
    durable = started(disk)
    handle(durable, 2)
    disk.fail_syncs = True
    with pytest.raises(JournalWriteFailed) as caught:
        durable.commit()
    assert str(caught.value) == "records 2 to 3: expected a durable write, got input/output error"
    disk.fail_syncs = False
    with pytest.raises(JournalWriteFailed):
        durable.commit()


def test_an_interrupt_within_a_commit_ends_the_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = CrashingDisk()
    durable = started(disk)
    handle(durable, 1)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(disk, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        durable.commit()
    with pytest.raises(JournalWriteFailed) as caught:
        durable.commit()
    assert str(caught.value) == "journal: expected one that takes records, got KeyboardInterrupt"


def test_a_group_is_synced_once() -> None:
    for size, syncs in ((1, 6), (3, 2), (100, 1)):
        disk = CrashingDisk()
        limits = GroupLimits(record_count_max=size, wait_ms_max=1000, segment_bytes_max=2**20)
        durable = started(disk, limits=limits, batch_commands=100)
        before = disk.sync_count
        write(durable, COMMANDS[:6])
        assert disk.sync_count - before == syncs


def test_groups_are_faster_than_single_commits(tmp_path: Path) -> None:
    """A hundred records in one write against a hundred writes, on the disk of this machine."""
    files = JournalFolder.make(tmp_path)
    records = GroupCommit(SegmentStart(DOMAIN, 1), 1, 0, 1, LARGE)
    opening = records.take()
    assert opening is not None
    journal = Journal(files, records, files.create(segment_name(1), opening.content))
    times_s: dict[int, list[float]] = {1: [], 100: []}
    for _ in range(5):
        for size, measured in times_s.items():
            start_s = time.perf_counter()
            for number in range(100):
                journal.append(RecordKind.COMMAND, number, bytes(170), number)
                if (number + 1) % size == 0:
                    journal.commit()
            measured.append(time.perf_counter() - start_s)
    assert journal.commit() == 1001
    assert median(times_s[1]) > median(times_s[100])
