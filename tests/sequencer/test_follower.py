"""A standby: in step with a journal that grows, and promoted while the old writer is alive."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sequencer.batcher import Batch
from sequencer.engine import Engine, run_commands
from sequencer.errors import JournalDamaged, JournalRefused, ReplayDiffers
from sequencer.follower import Follower
from sequencer.group_commit import GroupLimits
from sequencer.journal_files import JournalFiles, JournalFolder
from sequencer.journal_format import segment_name
from sequencer.replay import verified_before
from tests.support.crashing_disk import CrashingDisk, File
from tests.support.exchange import DOMAIN
from tests.support.journals import (
    BATCH_COMMANDS,
    SEQUENCER_EPOCH,
    assert_same,
    command_list,
    journalled_commands,
    records_of,
    settings,
    started,
    uninterrupted,
    write,
)

COMMANDS = command_list(13)


@pytest.fixture(params=["folder", "simulated"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> JournalFiles:
    return JournalFolder.make(tmp_path) if request.param == "folder" else CrashingDisk()


def test_a_standby_stays_in_step(files: JournalFiles) -> None:
    standby = Follower(files, DOMAIN)
    assert standby.poll() == 0
    durable = started(files)
    assert standby.poll() == 1
    for number, command in enumerate(COMMANDS, 1):
        write(durable, [command])
        assert standby.poll() >= 1
        assert standby.poll() == 0
        assert_same(standby.engine, uninterrupted(COMMANDS[:number]))


def test_a_record_that_is_half_there_is_waited_for() -> None:
    whole = CrashingDisk()
    write(started(whole, limits=GroupLimits()), COMMANDS[:6])
    content = whole.read(segment_name(1))
    file = File()
    standby = Follower(CrashingDisk({segment_name(1): file}), DOMAIN)
    applied = 0
    for size in range(0, len(content) + 1, 7):
        file.content = content[:size]
        applied += standby.poll()
    file.content = content
    assert applied + standby.poll() == len(records_of(whole))
    assert_same(standby.engine, uninterrupted(COMMANDS[:6]))


def test_a_segment_that_is_made_again_after_a_crash() -> None:
    """A standby may have seen the empty segment of a writer that crashed at its start."""
    disk = CrashingDisk()
    first = started(disk)
    write(first, COMMANDS[:2])
    first.journal.close()
    standby = Follower(disk, DOMAIN)
    disk.files[segment_name(4)] = File(b"PPJ")
    standby.poll()
    second = started(disk)
    write(second, COMMANDS[2:])
    standby.poll()
    assert_same(standby.engine, uninterrupted(COMMANDS))


@pytest.mark.parametrize("committed", range(0, 13, 3))
def test_promotion_while_the_old_writer_lives(files: JournalFiles, committed: int) -> None:
    old = started(files)
    standby = Follower(files, DOMAIN)
    standby.poll()
    write(old, COMMANDS[:committed])
    old.handle(COMMANDS[committed], verified_before)
    promoted = standby.promote(settings(epoch=2), time_ms=500)
    with pytest.raises(JournalRefused):
        old.commit()
    assert journalled_commands(files) == committed
    write(promoted, COMMANDS[committed:])
    assert_same(promoted.engine, uninterrupted(COMMANDS))
    follower = Follower(files, DOMAIN)
    follower.poll()
    assert follower.reader.epoch == 2
    assert_same(follower.engine, uninterrupted(COMMANDS))


@pytest.mark.parametrize("take_over", [Follower.promote, Follower.resume])
def test_a_commit_just_before_the_guard_is_not_missed(take_over: object) -> None:
    disk = CrashingDisk()
    old = started(disk)
    write(old, COMMANDS[:2])
    old.handle(COMMANDS[2], verified_before)
    standby = Follower(disk, DOMAIN)
    poll = standby.poll

    def poll_then_commit() -> int:
        count = poll()
        if not disk.guarded:
            old.commit()
        return count

    standby.poll = poll_then_commit
    promoted = take_over(standby, settings(epoch=2), time_ms=1)
    write(promoted, COMMANDS[3:])
    assert_same(promoted.engine, uninterrupted(COMMANDS))


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_promotion_needs_a_higher_epoch(files: JournalFiles, epoch: int) -> None:
    old = started(files, epoch=2)
    write(old, COMMANDS[:3])
    with pytest.raises(JournalRefused) as caught:
        Follower(files, DOMAIN).promote(settings(epoch=epoch), time_ms=1)
    assert str(caught.value) == f"epoch: expected above 2, the journal's, got {epoch}"
    write(old, COMMANDS[3:])
    assert_same(old.engine, uninterrupted(COMMANDS))


def test_two_standbys_are_promoted_one_after_the_other(files: JournalFiles) -> None:
    write(started(files), COMMANDS[:5])
    standbys = [Follower(files, DOMAIN) for _ in range(2)]
    second = standbys[0].promote(settings(epoch=2), time_ms=1)
    with pytest.raises(JournalRefused):
        standbys[1].promote(settings(epoch=2), time_ms=1)
    write(second, COMMANDS[5:9])
    third = standbys[1].promote(settings(epoch=3), time_ms=1)
    write(third, COMMANDS[9:])
    second.handle(COMMANDS[9], verified_before)
    with pytest.raises(JournalRefused):
        second.commit()
    assert_same(third.engine, uninterrupted(COMMANDS))


def test_a_writer_goes_on_under_its_own_settings() -> None:
    disk = CrashingDisk()
    first = started(disk)
    write(first, COMMANDS[:6])
    first.journal.close()
    second = started(disk, batch_commands=3)
    assert (second.engine.open_count, second.engine.epoch) == (2, SEQUENCER_EPOCH)
    write(second, COMMANDS[6:7])
    assert (second.engine.open_count, second.engine.position.batch_number) == (0, 3)


def test_a_full_batch_without_its_seal_is_sealed_at_the_start() -> None:
    disk = CrashingDisk()
    first = started(disk, batch_commands=9)
    write(first, COMMANDS[:4])
    first.journal.close()
    second = started(disk)
    assert second.engine.open_count == 0
    assert [batch.number for batch in second.commit().batches] == [1]
    write(second, COMMANDS[4:])
    assert_same(second.engine, uninterrupted(COMMANDS))


def test_a_torn_tail_is_cut_and_told() -> None:
    disk = CrashingDisk()
    first = started(disk, limits=GroupLimits())
    write(first, COMMANDS[:3])
    first.journal.close()
    name = segment_name(1)
    size = len(disk.read(name))
    disk.files[name].content = disk.read(name)[:-5]
    follower = Follower(disk, DOMAIN)
    durable = follower.resume(settings(), time_ms=1)
    start = follower.messages[0].split(": ")[1].removeprefix("byte ")
    assert follower.messages == [f"{name}: byte {start}: cut {size - 5 - int(start)} torn bytes"]
    assert len(disk.read(name)) == int(start)
    write(durable, COMMANDS[2:])
    assert_same(durable.engine, uninterrupted(COMMANDS))


def test_damage_stops_a_start_and_repairs_nothing() -> None:
    disk = CrashingDisk()
    write(started(disk, limits=GroupLimits()), COMMANDS[:3])
    content = bytearray(disk.read(segment_name(1)))
    content[-1] ^= 1
    disk.files[segment_name(1)].content = bytes(content)
    with pytest.raises(JournalDamaged):
        Follower(disk, DOMAIN).resume(settings(epoch=2), time_ms=1)
    assert disk.read(segment_name(1)) == bytes(content)
    assert disk.names() == [segment_name(1)]


def test_the_journal_of_another_exchange() -> None:
    disk = CrashingDisk()
    started(disk)
    with pytest.raises(JournalDamaged) as caught:
        Follower(disk, DOMAIN + 1).poll()
    assert str(caught.value) == (
        f"{segment_name(1)}: byte 8: domain: expected {DOMAIN + 1}, got {DOMAIN}"
    )


def test_rules_that_changed_stop_a_start(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = CrashingDisk()
    write(started(disk), COMMANDS[:5])
    monkeypatch.setattr("circuits.exchange.commit.TAG_HEADER", 77)
    with pytest.raises(ReplayDiffers) as caught:
        Follower(disk, DOMAIN).poll()
    assert caught.value.place == "record 6: root"


def test_replayed_batches_are_handed_out(files: JournalFiles) -> None:
    durable = started(files)
    taken: list[Batch] = []
    standby = Follower(files, DOMAIN, taken.append)
    write(durable, COMMANDS[:9])
    standby.poll()
    assert [batch.number for batch in taken] == [1, 2]
    plain = run_commands(Engine(DOMAIN, SEQUENCER_EPOCH, BATCH_COMMANDS), COMMANDS)
    expected = [output for output in plain if isinstance(output, Batch)]
    write(durable, COMMANDS[9:])
    promoted = standby.promote(settings(epoch=2), time_ms=500)
    promoted.seal(500)
    assert [batch.number for batch in taken] == [1, 2, 3]
    for batch, other in zip(taken, expected, strict=False):
        assert (batch.statement, batch.events) == (other.statement, other.events)


def test_the_writer_that_follows_seals_by_age(files: JournalFiles) -> None:
    aged = replace(settings(batch_commands=99), batch_age_max_ms=25)
    durable = Follower(files, DOMAIN).resume(aged, time_ms=1)
    write(durable, COMMANDS[:4])
    assert durable.engine.open_count == 1
    assert durable.engine.position.batch_number == 2
