"""kill -9 of a process that journals, again and again on one journal."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from circuits.exchange.apply import Command
from circuits.exchange.codec import encode_command
from sequencer.engine import Engine
from sequencer.follower import Follower
from sequencer.journal_files import JournalFolder
from sequencer.journal_format import RecordKind
from sequencer.replay import verified_before
from sequencer.snapshot import snapshot_names
from tests.conftest import PROFILE, ROOT
from tests.support.exchange import DOMAIN, deposit
from tests.support.journal_child import handled_count, save_commands
from tests.support.journals import (
    BATCH_COMMANDS,
    SEQUENCER_EPOCH,
    assert_same,
    command_list,
    records_of,
)

KILLS = 50 if PROFILE == "nightly" else 5
GROUPS_PER_LIFE_MAX = 12
COMMAND_COUNT = 40 * KILLS


def commands() -> list[Command]:
    """Some of every kind, then deposits, which need no signing."""
    first = list(command_list(60))
    last_ms = first[-1].time_ms
    more = COMMAND_COUNT - len(first)
    return first + [Command(last_ms + n, deposit(1 + n % 2, n)) for n in range(1, more + 1)]


def child(folder: Path, path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.journal_child", folder, path],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )


def acknowledged_until_killed(folder: Path, path: Path, groups: int) -> int:
    """Let a child make so many commits, and kill it wherever it is by then."""
    with child(folder, path) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(groups)]
        process.kill()
        lines += process.stdout.readlines()
    whole = [line for line in lines if line.endswith(b"\n")]
    assert whole, "the child ended before its first commit"
    return int(whole[-1])


def test_no_acknowledged_command_is_lost_and_none_is_doubled(
    tmp_path: Path, rng: random.Random
) -> None:
    path = tmp_path / "commands"
    files = JournalFolder.make(tmp_path / "journal")
    expected = commands()
    save_commands(path, expected)
    encoded = [encode_command(command) for command in expected]
    uninterrupted = Engine(DOMAIN, SEQUENCER_EPOCH, BATCH_COMMANDS)
    done = 0
    for _ in range(KILLS):
        groups = rng.randint(1, GROUPS_PER_LIFE_MAX)
        acknowledged = acknowledged_until_killed(files.path, path, groups)
        found = [each.payload for each in records_of(files) if each.kind is RecordKind.COMMAND]
        assert acknowledged <= len(found)
        assert found == encoded[: len(found)]
        for command in expected[done : len(found)]:
            uninterrupted.handle(command, verified_before)
            if uninterrupted.is_seal_due:
                uninterrupted.seal()
        done = len(found)
        follower = Follower(files, DOMAIN)
        follower.poll()
        if follower.engine.open_count == BATCH_COMMANDS:
            follower.engine.epoch = SEQUENCER_EPOCH
            follower.engine.seal()
        assert_same(follower.engine, uninterrupted)
    with child(files.path, path) as process:
        assert process.stdout is not None
        last_line = process.stdout.readlines()[-1]
    assert (process.returncode, int(last_line)) == (0, COMMAND_COUNT)
    for command in expected[done:]:
        uninterrupted.handle(command, verified_before)
        if uninterrupted.is_seal_due:
            uninterrupted.seal()
    follower = Follower(files, DOMAIN)
    assert follower.poll() < len(records_of(files))
    assert snapshot_names(files)
    assert follower.messages == []
    assert handled_count(follower.engine) == COMMAND_COUNT
    assert_same(follower.engine, uninterrupted)
