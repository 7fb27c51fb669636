"""`plasmaperps op simulate`: what it prints, repeats, resumes and refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sequencer.cli import main
from sequencer.sim.errors import CheckFailed
from tests.conftest import ROOT

COMMANDS = 300


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["op", "simulate", *map(str, arguments)])


def figures(*arguments: object) -> dict[str, Any]:
    result = run("--commands", COMMANDS, "--json", *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_json_holds_every_figure() -> None:
    found = figures("--seed", 5, "--check")
    assert (found["commands"], found["seed"]) == (COMMANDS, 5)
    assert found["applied"] + sum(found["rejected"].values()) == COMMANDS
    assert found["conservation_exact"] is True
    assert found["state_root"].startswith("0x")
    assert found.keys() >= {
        "fills",
        "liquidations",
        "takeovers",
        "deleverages",
        "deficits_covered",
        "funding_settlements",
        "vault_mints",
        "vault_redeems",
        "commands_per_second",
        "p99_ms",
        "apply_seconds",
        "journal_seconds",
        "seal_seconds",
        "journal_head",
        "base_time_ms",
    }


def test_the_table_is_for_people(tmp_path: Path) -> None:
    out = tmp_path / "run.jsonl"
    result = run("--commands", COMMANDS, "--out", out)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["figure", "value"]
    base_ms = figures()["base_time_ms"]
    assert lines[-1] == f"replay: plasmaperps op run-file {out} --base-time-ms {base_ms}"
    assert len(out.read_text().splitlines()) == COMMANDS + 1


def test_the_seed_alone_decides_and_no_hash_seed_does() -> None:
    roots = set()
    for hash_seed in ("0", "1"):
        options = ["--commands", str(COMMANDS), "--seed", "9", "--json"]
        finished = subprocess.run(
            [sys.executable, "-m", "sequencer.cli", "op", "simulate", *options],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
        )
        roots.add(json.loads(finished.stdout)["state_root"])
    assert roots == {figures("--seed", 9)["state_root"]}
    assert figures("--seed", 10)["state_root"] not in roots


def test_a_journal_is_gone_on_with_and_never_mixed(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    first = figures("--journal", journal)
    again = figures("--journal", journal)
    assert again["commands_skipped"] == first["applied"]
    assert again["state_root"] == first["state_root"]
    other = run("--commands", COMMANDS, "--seed", 99, "--journal", journal)
    assert other.exit_code == 2
    assert other.stderr == (
        f"Error: {journal}: expected no journal, or one of the same seed and number of commands, "
        "got the journal of another exchange\n"
    )


def test_a_damaged_journal_is_reported_with_its_folder(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    figures("--journal", journal)
    (segment,) = journal.glob("*.segment")
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    result = run("--commands", COMMANDS, "--journal", journal)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {journal}: {segment.name}: byte ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--commands", 0), "0 is not in the range"),
        (("--seed", -1), "-1 is not in the range"),
        (("--commands", "many"), "'many' is not a valid integer"),
    ],
)
def test_bad_options_end_in_one_line(arguments: tuple[object, ...], part: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert part in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_out_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    out = tmp_path / "missing" / "run.jsonl"
    result = run("--commands", 10, "--out", out)
    assert result.exit_code == 2
    assert result.stderr == f"Error: {out}: no such file or directory\n"


def test_a_broken_promise_ends_with_the_code_of_a_failed_verification(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*arguments: object) -> None:
        raise CheckFailed("sum of all cash", 1, 2)

    monkeypatch.setattr("sequencer.sim.checks.require_lists", fail)
    result = run("--commands", 10, "--check")
    assert result.exit_code == 5
    assert result.stderr == "Error: sum of all cash: expected 1, got 2\n"


def test_help_needs_none_of_the_simulator() -> None:
    code = "import sys, sequencer.sim_cli; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
