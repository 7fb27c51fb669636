"""`plasmaperps op run-file`: what it writes, prints and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from circuits.chips.system import margin_system
from circuits.exchange.json_form import KIND_NAMES, TimedBody, encode_line
from circuits.statement import from_json
from circuits.witness.file import Witness
from prover.node.store import JobStore
from sequencer.cli import main
from sequencer.command_file import Header
from tests.support.exchange import deposit, register, transfer, withdraw
from tests.support.listed import START
from tests.support.signed_day import DAY_BATCH, day_commands

HEADER = Header(31337, 0x5E771E)
BODIES = [
    register(1),
    deposit(1, 50),
    register(2),
    transfer(1, 1, 2, 60),
    transfer(1, 2, 2, 10),
    withdraw(2, 1, 4),
]
LINES = [HEADER.encode(), *(encode_line(TimedBody(10, body)) for body in BODIES)]


def written(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(line + "\n" for line in lines))
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["op", "run-file", *map(str, arguments)])


@pytest.fixture
def day(tmp_path: Path) -> Path:
    return written(tmp_path / "day.jsonl", LINES)


def test_a_day_becomes_batches_and_refusals(day: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(day, "--out", out, "--batch-commands", 3, "--base-time-ms", 1000)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == (
        f"{day}:5: transfer refused: insufficient_margin: expected equity of at least 0 "
        "afterwards, got -10000000000000"
    )
    assert lines[1] == "6 commands: 5 accepted, 1 refused"
    assert lines[2].split("  ")[0] == "batch"
    cells = [line.split() for line in lines[3:5]]
    assert [row[:5] for row in cells] == [
        ["batch-0001", "3", "3", "0", "S"],
        ["batch-0002", "2", "0", "1", "S"],
    ]
    assert lines[5:] == [f"2 batches written to {out}"]
    assert sorted(path.name for path in out.iterdir()) == [
        "batch-0001.statement",
        "batch-0001.witness",
        "batch-0002.statement",
        "batch-0002.witness",
    ]
    for stem in ("batch-0001", "batch-0002"):
        witness = Witness.load(out / f"{stem}.witness", margin_system())
        assert from_json((out / f"{stem}.statement").read_text()) == witness.statement
    assert witness.statement.domain == HEADER.domain
    assert (witness.statement.time_first_ms, witness.statement.time_last_ms) == (1050, 1060)


def test_batches_are_queued_once_in_a_job_store(day: Path, tmp_path: Path) -> None:
    folder = tmp_path / "jobs"
    arguments = (day, "--batch-commands", 3, "--jobs", folder)
    missing = run(*arguments, "--out", tmp_path / "none")
    assert (missing.exit_code, missing.stdout) == (2, "")
    assert missing.stderr.startswith(f"Error: {folder}: jobs.sqlite: expected a job store ")
    store = JobStore.create(folder)
    for name in ("first", "again"):
        result = run(*arguments, "--out", tmp_path / name, "--base-time-ms", 1000)
        assert (result.exit_code, result.stderr) == (0, "")
        queued = f"queued in {folder}, as far as they have a witness"
        assert result.stdout.splitlines()[-1] == queued
        assert [(job.batch_number, job.domain) for job in store.jobs()] == [
            (1, HEADER.domain),
            (2, HEADER.domain),
        ]
    for job in store.jobs():
        written = (tmp_path / "first" / f"batch-000{job.batch_number}.witness").read_bytes()
        assert store.checked_witness(job).read_bytes() == written
    other = run(*arguments, "--out", tmp_path / "other", "--base-time-ms", 2000)
    assert other.exit_code == 3
    assert other.stderr.startswith("Error: batch 1 (job 1): expected witness ")


def test_batches_that_no_chip_proves_yet_get_their_words(tmp_path: Path) -> None:
    bodies = [command.body for command in day_commands()]
    lines = [HEADER.encode(), *(encode_line(TimedBody(1, body)) for body in bodies)]
    file, out = written(tmp_path / "day.jsonl", lines), tmp_path / "out"
    result = run(*(file, "--out", out, "--batch-commands", DAY_BATCH, "--base-time-ms", START - 1))
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.stdout.splitlines()[2:-1]]
    assert rows[0][:5] == ["batch-0001", "4", "4", "0", "S"]
    assert rows[7] == ["batch-0008", "4", "1", "1", "none", "yet", "none"]
    suffixes = [path.suffix for path in sorted(out.iterdir())]
    assert suffixes == [
        *[".statement", ".witness"] * 2,
        *[".words"] * 7,
        *[".statement", ".witness"],
    ]
    words = [path for path in out.iterdir() if path.suffix != ".witness"]
    rebuilt = CliRunner().invoke(main, ["op", "rebuild", "--json", *map(str, words)])
    assert json.loads(rebuilt.stdout)["batches"] == 10


def test_equal_runs_write_equal_bytes(day: Path, tmp_path: Path) -> None:
    contents = []
    for name in ("first", "second"):
        assert run(day, "--out", tmp_path / name, "--base-time-ms", 7).exit_code == 0
        contents.append(sorted(path.read_bytes() for path in (tmp_path / name).iterdir()))
    assert contents[0] == contents[1]


def test_strict_ends_with_the_refusal_code_and_writes_nothing(day: Path, tmp_path: Path) -> None:
    result = run(day, "--out", tmp_path / "out", "--strict")
    assert result.exit_code == 3
    assert result.stderr == f"Error: {day}: expected every command accepted, got 1 refused\n"
    assert list(tmp_path.iterdir()) == [day]


BAD_LINES = {
    "not JSON": (4, "{", "column 2: expected a JSON object, got "),
    "unknown command": (
        4,
        '{"kind":"order","after_ms":0}',
        f"field 'kind': expected one of {', '.join(KIND_NAMES)}, got \"order\"",
    ),
    "another version": (
        1,
        HEADER.encode().replace('"version":1', '"version":2'),
        "field 'version': expected 1, got 2",
    ),
}


@pytest.mark.parametrize("fault", BAD_LINES)
def test_bad_input_is_one_line_and_leaves_no_file(fault: str, tmp_path: Path) -> None:
    number, line, message = BAD_LINES[fault]
    path = written(tmp_path / "day.jsonl", [*LINES[: number - 1], line, *LINES[number:]])
    result = run(path, "--out", tmp_path / "out")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: {path}:{number}: {message}")
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_file(tmp_path: Path) -> None:
    result = run(tmp_path / "absent.jsonl", "--out", tmp_path / "out")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"Error: {tmp_path / 'absent.jsonl'}: no such file or directory\n"
    assert list(tmp_path.iterdir()) == []


def test_a_request_that_the_queue_cannot_hold(tmp_path: Path) -> None:
    stranger = register(2)
    foreign = type(stranger)(1, stranger.owner, stranger.key_x, stranger.key_y)
    path = written(tmp_path / "day.jsonl", [*LINES, encode_line(TimedBody(0, foreign))])
    result = run(path, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {path}:{len(LINES) + 1}: ")
    assert list(tmp_path.iterdir()) == [path]


def test_batches_are_never_overwritten(day: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(day, "--out", out, "--base-time-ms", 5).exit_code == 0
    before = {path: path.read_bytes() for path in out.iterdir()}
    result = run(day, "--out", out, "--base-time-ms", 6)
    assert result.exit_code == 2
    assert result.stderr == (
        f"Error: {out}: expected a folder without batches, got batch-0001.statement\n"
    )
    assert {path: path.read_bytes() for path in out.iterdir()} == before


def test_a_file_of_refused_commands_has_no_batch(tmp_path: Path) -> None:
    lines = [HEADER.encode(), encode_line(TimedBody(0, transfer(1, 1, 2, 5)))]
    path = written(tmp_path / "day.jsonl", lines)
    result = run(path, "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1:] == [
        "1 commands: 0 accepted, 1 refused",
        "no batch, so nothing was written",
    ]
    assert list(tmp_path.iterdir()) == [path]
