"""Answers wait for the disk, and only accepted commands are journalled."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from circuits.exchange.apply import Command
from circuits.exchange.codec import encode_command
from circuits.exchange.errors import QueueGuaranteeBroken, RejectReason
from circuits.exchange.transactions.deposit import Deposit
from sequencer.batcher import Batch
from sequencer.engine import Engine, run_commands
from sequencer.errors import BatchError
from sequencer.group_commit import GroupLimits
from sequencer.journal_format import RecordKind, decode_seal
from tests.support.crashing_disk import CrashingDisk
from tests.support.exchange import DOMAIN, deposit, register, transfer, withdraw
from tests.support.journals import (
    SEQUENCER_EPOCH,
    assert_same,
    command_list,
    journalled_commands,
    records_of,
    started,
    uninterrupted,
    write,
)

REFUSED = Command(25, withdraw(1, 1, 500))
COMMANDS = [
    Command(10, register(1)),
    Command(20, deposit(1, 50)),
    REFUSED,
    Command(30, register(2)),
    Command(40, transfer(1, 1, 2, 10)),
    Command(50, deposit(2, 1)),
]


def test_refusals_wait_but_are_not_journalled() -> None:
    disk = CrashingDisk()
    durable = started(disk)
    for command in COMMANDS:
        durable.handle(command)
    assert journalled_commands(disk) == 0
    answers = durable.commit()
    assert [receipt.command for receipt in answers.receipts] == COMMANDS
    reasons = [each.rejected.reason for each in answers.receipts if each.rejected is not None]
    assert reasons == [RejectReason.INSUFFICIENT_MARGIN]
    assert journalled_commands(disk) == len(COMMANDS) - 1
    assert_same(durable.engine, uninterrupted([each for each in COMMANDS if each != REFUSED]))


def test_a_command_is_hashed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[bytes] = []

    def counting(preimage: bytes) -> Any:
        hashed.append(preimage)
        return sha256(preimage)

    durable = started(CrashingDisk(), batch_commands=5)
    monkeypatch.setattr("sequencer.hash_chains.sha256", counting)
    for command in COMMANDS:
        durable.handle(command)
    (batch,) = durable.commit().batches
    assert [preimage[32:] for preimage in hashed] == [*map(encode_command, batch.commands)]


def test_when_a_commit_is_due() -> None:
    limits = GroupLimits(record_count_max=3, wait_ms_max=8, segment_bytes_max=10**6)
    durable = started(CrashingDisk(), limits=limits)
    assert not durable.is_commit_due(10**9)
    durable.handle(COMMANDS[0])
    assert [durable.is_commit_due(now_ms) for now_ms in (10, 17, 18)] == [False, False, True]
    durable.handle(COMMANDS[1])
    assert not durable.is_commit_due(17)
    durable.handle(COMMANDS[3])
    assert durable.is_commit_due(17)
    durable.commit()
    assert not durable.is_commit_due(10**9)


def test_a_refusal_alone_need_not_wait() -> None:
    durable = started(CrashingDisk())
    durable.handle(REFUSED)
    assert durable.is_commit_due(0)
    steps = durable.journal.durable_sequence
    assert [each.rejected.reason for each in durable.commit().receipts] == [
        RejectReason.UNKNOWN_ACCOUNT
    ]
    assert durable.journal.durable_sequence == steps


def test_seals_are_journalled_and_equal_those_without_a_journal() -> None:
    disk = CrashingDisk()
    durable = started(disk)
    batches: list[Batch] = []
    for command in command_list(9):
        durable.handle(command)
        batches += durable.commit().batches
    durable.seal(time_ms=999)
    batches += durable.commit().batches
    plain = run_commands(Engine(DOMAIN, SEQUENCER_EPOCH, 4), command_list(9))
    expected = [output.statement for output in plain if isinstance(output, Batch)]
    assert [batch.statement for batch in batches] == expected
    seals = [record for record in records_of(disk) if record.kind is RecordKind.SEAL]
    assert [decode_seal(record).batch_number for record in seals] == [1, 2, 3]
    assert [decode_seal(record).new_root for record in seals] == [
        each.new_root for each in expected
    ]
    assert [record.time_ms for record in seals] == [40, 80, 999]
    assert [record.head >> 8 for record in seals] == [each.journal_head for each in expected]
    with pytest.raises(BatchError):
        durable.seal(time_ms=999)


def test_the_sealed_point_waits_for_the_disk_as_well() -> None:
    durable = started(CrashingDisk())
    for command in command_list(4):
        durable.handle(command)
    assert durable.sealed is None
    durable.commit()
    assert durable.sealed is not None
    assert durable.sealed.root == durable.engine.root
    assert durable.sealed.sequence == durable.journal.durable_sequence


def test_a_broken_queue_leaves_the_journal_as_it_was() -> None:
    disk = CrashingDisk()
    durable = started(disk)
    write(durable, COMMANDS[:2])
    with pytest.raises(QueueGuaranteeBroken):
        durable.handle(Command(30, Deposit(1, 5, 5)))
    assert durable.commit().receipts == ()
    assert journalled_commands(disk) == 2
    write(durable, COMMANDS[3:])
    assert journalled_commands(disk) == 5


def test_an_old_batch_is_sealed_by_the_next_command_or_by_the_clock() -> None:
    disk = CrashingDisk()
    durable = started(disk, batch_commands=99)
    durable.engine.batch_age_max_ms = 25
    receipts = [durable.handle(command) for command in command_list(5)]
    assert all(receipt.is_accepted for receipt in receipts)
    assert durable.state == receipts[-1].state
    durable.seal_if_due(64)
    found = durable.commit()
    assert [len(batch.commands) for batch in found.batches] == [3]
    assert found.receipts == tuple(receipts)
    durable.seal_if_due(65)
    assert [len(batch.commands) for batch in durable.commit().batches] == [2]
    seals = [record for record in records_of(disk) if record.kind is RecordKind.SEAL]
    assert [record.time_ms for record in seals] == [40, 65]
