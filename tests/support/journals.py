"""Journals for tests: commands that cost little to apply, and short ways to write them down."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from circuits.exchange.apply import Command
from circuits.exchange.bodies import Body
from circuits.merkle import SparseTree
from sequencer.durable_engine import DurableEngine
from sequencer.engine import Engine
from sequencer.follower import Follower, WriterSettings
from sequencer.group_commit import GroupLimits
from sequencer.journal_files import JournalFiles
from sequencer.journal_format import Record, RecordKind
from sequencer.journal_reader import JournalReader
from sequencer.replay import verified_before
from tests.support.exchange import (
    DOMAIN,
    OFF_CURVE,
    deposit,
    register,
    transfer,
    withdraw,
)

SEQUENCER_EPOCH = 4
BATCH_COMMANDS = 4
SMALL_SEGMENTS = GroupLimits(record_count_max=3, wait_ms_max=5, segment_bytes_max=600)


def settings(
    epoch: int = 1, limits: GroupLimits = SMALL_SEGMENTS, batch_commands: int = BATCH_COMMANDS
) -> WriterSettings:
    return WriterSettings(epoch, SEQUENCER_EPOCH, batch_commands, limits)


@cache
def command_list(count: int) -> tuple[Command, ...]:
    """Commands that the rules accept all: keys, deposits, transfers and withdrawals in turn."""
    bodies: list[Body] = [register(1), deposit(1, 10_000), register(2), register(3, OFF_CURVE)]
    while len(bodies) < count:
        number = len(bodies)
        bodies += [
            transfer(1, number, 2, 5),
            deposit(2 + number % 3, number),
            withdraw(2, number, 1),
        ]
    return tuple(Command(10 * number, body) for number, body in enumerate(bodies[:count], 1))


def started(files: JournalFiles, **changes: object) -> DurableEngine:
    """A writer at the end of the journal."""
    return Follower(files, DOMAIN).resume(settings(**changes), time_ms=1)


def write(durable: DurableEngine, commands: Iterable[Command]) -> None:
    """Journal commands, committing whenever it is due and at the end."""
    for command in commands:
        durable.handle(command, verified_before)
        if durable.is_commit_due(command.time_ms):
            durable.commit()
    durable.commit()


def uninterrupted(commands: Iterable[Command], batch_commands: int = BATCH_COMMANDS) -> Engine:
    """An engine without a journal that was given the commands, full batches sealed."""
    engine = Engine(DOMAIN, SEQUENCER_EPOCH, batch_commands)
    for command in commands:
        assert engine.handle(command, verified_before).is_accepted
        if engine.is_seal_due:
            engine.seal()
    return engine


def assert_same(engine: Engine, expected: Engine) -> None:
    """Equal in all that a venue goes on from."""
    assert engine.state == expected.state
    assert engine.position == expected.position
    assert (engine.root, engine.open_count) == (expected.root, expected.open_count)
    assert engine.queue_cursor == expected.queue_cursor


def records_of(files: JournalFiles) -> list[Record]:
    return list(JournalReader(files).read())


def journalled_commands(files: JournalFiles) -> int:
    return sum(record.kind is RecordKind.COMMAND for record in records_of(files))


EMPTY_ROOT = SparseTree().root
