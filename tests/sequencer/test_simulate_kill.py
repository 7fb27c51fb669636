"""kill -9 of a simulation that journals, again and again, each life going on where it ended."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from circuits.exchange.codec import encode_command
from sequencer.journal_files import JournalFolder
from sequencer.journal_format import RecordKind
from sequencer.sim.plan import Plan
from sequencer.sim.planner import Planner
from sequencer.sim.simulation import simulate
from tests.conftest import PROFILE, ROOT
from tests.support.journals import records_of

KILLS = 50 if PROFILE == "nightly" else 5
GROUPS_PER_LIFE_MAX = 3
COMMAND_COUNT = max(2_000, 160 * KILLS)
SEED = 7


def child(folder: Path) -> subprocess.Popen[bytes]:
    arguments = [folder, COMMAND_COUNT, SEED]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.simulate_child", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )


def acknowledged_until_killed(folder: Path, groups: int) -> int:
    """Let a child make so many commits, and kill it wherever it is by then."""
    with child(folder) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(groups)]
        process.kill()
        lines += process.stdout.readlines()
    whole = [line for line in lines if line.endswith(b"\n")]
    assert whole, "the child ended before its first commit"
    return int(whole[-1])


def accepted_commands(plan: Plan) -> list[bytes]:
    """The canonical bytes of all that an uninterrupted run journals."""
    planner = Planner(plan, [])
    planned = planner.commands(plan.command_count)
    signed = planner.keyring.sign([each.command for each in planned]).commands
    return [
        encode_command(command)
        for command, each in zip(signed, planned, strict=True)
        if each.is_accepted
    ]


def journalled(folder: Path) -> list[bytes]:
    records = records_of(JournalFolder(folder))
    return [record.payload for record in records if record.kind is RecordKind.COMMAND]


@pytest.mark.slow
def test_a_killed_simulation_goes_on_where_its_journal_ends(
    tmp_path: Path, rng: random.Random
) -> None:
    plan = Plan(COMMAND_COUNT, SEED)
    expected = accepted_commands(plan)
    folder = tmp_path / "journal"
    for _ in range(KILLS):
        acknowledged = acknowledged_until_killed(folder, rng.randint(1, GROUPS_PER_LIFE_MAX))
        found = journalled(folder)
        assert acknowledged <= len(found)
        assert found == expected[: len(found)]
    with child(folder) as process:
        assert process.stdout is not None
        last_line = process.stdout.readlines()[-1]
    assert process.returncode == 0
    assert journalled(folder) == expected
    uninterrupted = simulate(plan)
    assert last_line.decode().strip() == hex(uninterrupted.measured.root)
