"""Crashes at every step, tears at every byte: what was acknowledged stays, nothing is doubled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from circuits.exchange.apply import Command
from circuits.exchange.codec import encode_command
from sequencer.engine import Engine
from sequencer.errors import JournalRefused, JournalWriteFailed
from sequencer.follower import Follower
from sequencer.group_commit import GroupLimits
from sequencer.hash_chains import extend_journal_bytes
from sequencer.journal import Journal, open_journal
from sequencer.journal_format import RecordKind, SegmentStart
from sequencer.journal_reader import JournalReader
from sequencer.snapshot import save_snapshot
from tests.support.crashing_disk import Crash, CrashingDisk
from tests.support.exchange import DOMAIN, deposit
from tests.support.journals import SEQUENCER_EPOCH, assert_same, records_of, settings

PAYLOADS = [bytes([number]) * (10 + 9 * number) for number in range(1, 9)]
LIMITS = GroupLimits(record_count_max=3, wait_ms_max=5, segment_bytes_max=400)


def payloads_on(disk: CrashingDisk) -> list[bytes]:
    records = records_of(disk)
    return [record.payload for record in records if record.kind is RecordKind.COMMAND]


def opened(disk: CrashingDisk) -> Journal:
    reader = JournalReader(disk, DOMAIN)
    list(reader.read())
    with disk.guard():
        start = SegmentStart(DOMAIN, 1)
        return open_journal(disk, reader, start, time_ms=1, limits=LIMITS)[0]


def journal_all(disk: CrashingDisk, acknowledged: list[bytes]) -> None:
    """Go on to journal all payloads, in groups of three; `acknowledged` grows by each commit."""
    journal = opened(disk)
    rest = PAYLOADS[len(payloads_on(disk)) :]
    for start in range(0, len(rest), 3):
        group = rest[start : start + 3]
        for payload in group:
            head = extend_journal_bytes(journal.head, payload)
            journal.append(RecordKind.COMMAND, 1, payload, head)
        journal.commit()
        acknowledged += group


def steps_of_a_whole_run() -> int:
    disk = CrashingDisk()
    journal_all(disk, [])
    return disk.steps


STEPS = steps_of_a_whole_run()


def crashed_at(step: int, disk: CrashingDisk) -> list[bytes]:
    """Journal until the disk's step with this number; what was acknowledged."""
    disk.steps, disk.crash_at = 0, step
    acknowledged: list[bytes] = []
    with pytest.raises(Crash):
        journal_all(disk, acknowledged)
    return acknowledged


def survivors(disk: CrashingDisk) -> Iterator[CrashingDisk]:
    """Every disk that the next start may find."""
    yield disk.after_kill()
    sizes = [len(file.content) - len(file.durable) for file in disk.files.values()]
    unsynced = max(sizes, default=0)
    for kept in range(unsynced + 1):
        yield power_cut(disk, kept, zeros=0, keep_names=True)
    for zeros in (0, 1, 20, unsynced):
        for kept in (0, unsynced // 2, unsynced):
            for keep_names in (False, True):
                yield power_cut(disk, kept, zeros, keep_names)


def power_cut(disk: CrashingDisk, kept: int, zeros: int, keep_names: bool) -> CrashingDisk:
    return disk.after_power_cut(lambda count: min(kept, count), keep_names=keep_names, zeros=zeros)


@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_a_crash_at_every_step_torn_at_every_byte(step: int) -> None:
    disk = CrashingDisk()
    acknowledged = crashed_at(step, disk)
    found = set()
    for after in survivors(disk):
        kept = payloads_on(after)
        assert PAYLOADS[: len(kept)] == kept
        assert len(kept) >= len(acknowledged)
        found.add(len(kept))
        journal_all(after, [])
        assert payloads_on(after) == PAYLOADS
        assert payloads_on(after.after_power_cut(lambda _: 0)) == PAYLOADS
    assert max(found) - len(acknowledged) <= 3


@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_a_second_crash_while_recovering(step: int) -> None:
    disk = CrashingDisk()
    acknowledged = crashed_at(step, disk)
    for torn in (disk.after_kill(), disk.after_power_cut(lambda count: count // 2)):
        for second in range(1, 8):
            again = torn.after_kill()
            more = list(acknowledged)
            again.crash_at = second
            with suppress(Crash):
                journal_all(again, more)
            for after in (again.after_kill(), again.after_power_cut(lambda _: 0)):
                kept = payloads_on(after)
                assert PAYLOADS[: len(kept)] == kept
                assert len(kept) >= len(acknowledged)
                journal_all(after, [])
                assert payloads_on(after) == PAYLOADS


class Venue(RuleBasedStateMachine):
    """A venue that is stopped, killed, cut off and taken over at any time.

    `done` holds all that was journalled, in order: commands, and None for a seal.
    """

    @initialize()
    def begin(self) -> None:
        self.disk = CrashingDisk()
        self.done: list[Command | None] = []
        self.acknowledged = 0
        self.epoch = 1
        self.count = 0
        self.durable = Follower(self.disk, DOMAIN).resume(self.writer(), time_ms=1)

    def writer(self) -> object:
        return settings(self.epoch, batch_commands=3)

    @rule(account=st.integers(1, 3), amount=st.integers(1, 50))
    def handle(self, account: int, amount: int) -> None:
        self.count += 1
        command = Command(self.count, deposit(account, amount))
        self.durable.handle(command)
        self.done.append(command)
        if self.durable.engine.open_count == 0:
            self.done.append(None)

    @precondition(lambda self: self.durable.engine.open_count)
    @rule()
    def seal(self) -> None:
        self.durable.seal(self.count)
        self.done.append(None)

    @rule()
    def commit(self) -> None:
        self.durable.commit()
        self.acknowledged = len(self.done)

    @rule()
    def save(self) -> None:
        if self.durable.sealed is not None:
            last = [name for name in self.disk.names() if name.startswith("journal-")][-1]
            save_snapshot(self.disk, self.durable.sealed, last)

    @rule(share=st.floats(0, 1), zeros=st.sampled_from([0, 7, 1000]), keep_names=st.booleans())
    def cut_power(self, share: float, zeros: int, keep_names: bool) -> None:
        self.restart(
            self.disk.after_power_cut(
                lambda count: int(share * count), keep_names=keep_names, zeros=zeros
            )
        )

    @rule()
    def kill(self) -> None:
        self.restart(self.disk.after_kill())

    @rule(steps=st.integers(1, 6), share=st.floats(0, 1), is_kill=st.booleans())
    def crash_within_a_commit(self, steps: int, share: float, is_kill: bool) -> None:
        self.disk.crash_at = self.disk.steps + steps
        try:
            self.commit()
        except Crash:
            if is_kill:
                self.kill()
            else:
                self.cut_power(share, 0, False)
        else:
            self.disk.crash_at = None

    @rule(space=st.integers(0, 900))
    def fill_the_disk(self, space: int) -> None:
        self.disk.space_left = space
        try:
            self.commit()
        except JournalWriteFailed:
            self.disk.space_left = None
            self.kill()
        self.disk.space_left = None

    @rule()
    def promote_a_standby(self) -> None:
        standby = Follower(self.disk, DOMAIN)
        standby.poll()
        self.epoch += 1
        promoted = standby.promote(self.writer(), time_ms=self.count)
        has_pending = self.durable.journal.pending_count > 0
        if has_pending:
            with pytest.raises(JournalRefused):
                self.durable.commit()
        self.durable = promoted
        self.adopt()

    def restart(self, disk: CrashingDisk) -> None:
        self.disk = disk
        follower = Follower(disk, DOMAIN)
        self.durable = follower.resume(self.writer(), time_ms=self.count)
        assert (
            follower.messages == []
            or "torn" in follower.messages[0]
            or ("removed" in follower.messages[0])
        )
        self.adopt()

    def adopt(self) -> None:
        """Take the journal's word for what was done; hold it against all that was promised."""
        found: list[bytes | None] = [
            record.payload if record.kind is RecordKind.COMMAND else None
            for record in records_of(self.disk)
            if record.kind is not RecordKind.SEGMENT
        ]
        done = [None if each is None else encode_command(each) for each in self.done]
        assert found == done[: len(found)]
        assert len(found) >= self.acknowledged
        self.done = self.done[: len(found)]
        # A full batch whose seal was lost is sealed at once.
        if self.durable.journal.pending_count:
            self.done.append(None)
        self.acknowledged = len(found)
        expected = Engine(DOMAIN, SEQUENCER_EPOCH, 2**32)
        for each in self.done:
            if each is None:
                expected.seal()
            else:
                expected.handle(each)
        assert_same(self.durable.engine, expected)
        assert self.durable.engine.queue_cursor == sum(each is not None for each in self.done)


TestVenue = Venue.TestCase
TestVenue.settings = hypothesis_settings(stateful_step_count=30)
