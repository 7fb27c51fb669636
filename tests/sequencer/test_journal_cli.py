"""The commands that look at a journal: what they print, and one line for each thing wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from circuits.exchange.addresses import position_address
from circuits.statement import from_json, to_json
from sequencer.batch_files import BatchFiles
from sequencer.batcher import Batch
from sequencer.engine import Engine, run_commands
from sequencer.journal_cli import COMMANDS
from sequencer.journal_files import JournalFolder
from sequencer.journal_format import segment_name
from sequencer.snapshot import snapshot_names
from sequencer.words_file import BatchWords
from tests.conftest import ROOT
from tests.support.exchange import DOMAIN
from tests.support.journals import (
    SEQUENCER_EPOCH,
    command_list,
    started,
    uninterrupted,
    write,
)
from tests.support.listed import ALICE, MARKET
from tests.support.signed_day import DAY_BATCH, day_commands

op = click.Group("op", {command.name: command for command in COMMANDS})
FIRST, SECOND = segment_name(1), segment_name(7)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(op, [str(each) for each in arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The journal of nine commands: two batches and one command."""
    files = JournalFolder.make(tmp_path / "journal")
    durable = started(files)
    write(durable, command_list(9))
    durable.journal.close()
    return files.path


def flip_last_byte(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def assert_one_line(result: Result, exit_code: int, start: str) -> None:
    assert result.exit_code == exit_code, result.output
    assert result.stderr.startswith(f"Error: {start}")
    assert result.stderr.count("\n") == 1


def test_check(folder: Path) -> None:
    result = run("journal", "check", folder)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "14 records in 3 segments: 9 commands, 2 seals"
    assert lines[1].startswith("epoch 1, journal head 0x")
    assert lines[2:] == ["snapshots: 0"]
    figures = json.loads(run("journal", "check", folder, "--json").stdout)
    assert figures["journal_head"] == lines[1].split()[-1]
    assert (figures["command_count"], figures["torn_bytes"]) == (9, 0)


def test_check_reports_a_torn_tail_and_repairs_nothing(folder: Path) -> None:
    path = folder / segment_name(13)
    whole = path.read_bytes()
    path.write_bytes(whole + b"torn")
    result = run("journal", "check", folder)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[2] == (
        f"torn tail: {path.name}: byte {len(whole)}: 4 bytes of a record; the next start cuts them"
    )
    assert path.read_bytes() == whole + b"torn"


def test_check_names_the_damage(folder: Path) -> None:
    flip_last_byte(folder / FIRST)
    assert_one_line(run("journal", "check", folder), 2, f"{folder}: {FIRST}: byte ")
    (folder / FIRST).unlink()
    missing = f"{folder}: {FIRST}: byte 0: missing segment: expected {FIRST}, got {SECOND}\n"
    assert_one_line(run("journal", "check", folder), 2, missing)


def test_check_of_a_folder_without_a_journal(tmp_path: Path) -> None:
    for command in (("journal", "check"), ("replay",)):
        assert_one_line(run(*command, tmp_path), 2, f"{tmp_path}: {FIRST}: byte 0: journal: ")
    assert_one_line(run("snapshot", tmp_path), 2, f"{tmp_path}: {FIRST}: byte 0: first record: ")


def test_replay(folder: Path) -> None:
    expected = uninterrupted(command_list(9))
    result = run("replay", folder, "--json")
    assert result.exit_code == 0
    figures = json.loads(result.stdout)
    assert figures == {
        "next_batch_number": 3,
        "open_commands": 1,
        "queue_cursor": expected.queue_cursor,
        "accounts": 3,
        "state_root": hex(expected.root),
        "journal_head": json.loads(run("journal", "check", folder, "--json").stdout)[
            "journal_head"
        ],
        "epoch": 1,
    }
    lines = run("replay", folder).stdout.splitlines()
    assert lines[0] == "next batch number: 3"
    assert f"state root: {expected.root:#x}" in lines


def test_replay_of_a_journal_that_the_rules_lead_elsewhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("circuits.exchange.commit.TAG_HEADER", 77)
    assert_one_line(run("replay", folder), 5, f"{folder}: record 6: root: expected 0x")


def test_snapshot(folder: Path) -> None:
    expected = uninterrupted(command_list(8))
    result = run("snapshot", folder)
    (name,) = snapshot_names(JournalFolder(folder))
    assert (result.exit_code, result.stdout) == (
        0,
        f"{folder / name}: batch 2, root {expected.root:#x}\n",
    )
    assert run("journal", "check", folder).stdout.splitlines()[-1] == "snapshots: 1"
    flip_last_byte(folder / name)
    checked = run("journal", "check", folder)
    assert_one_line(checked, 2, f"{folder}: {name}: checksum: expected ")
    again = run("snapshot", folder)
    assert again.exit_code == 0
    assert again.stdout.startswith(f"{name}: checksum: expected ")
    assert again.stdout.splitlines()[0].endswith("; passed over")
    assert run("journal", "check", folder).exit_code == 0


def test_snapshot_before_the_first_seal(tmp_path: Path) -> None:
    write(started(JournalFolder.make(tmp_path)), command_list(3))
    assert_one_line(run("snapshot", tmp_path), 3, f"{tmp_path}: expected a sealed batch, got none")
    assert snapshot_names(JournalFolder(tmp_path)) == []


@pytest.fixture
def statements(tmp_path: Path) -> list[Path]:
    outputs = run_commands(Engine(DOMAIN, SEQUENCER_EPOCH, 4), command_list(9))
    paths = []
    for batch in outputs:
        if isinstance(batch, Batch):
            paths.append(tmp_path / f"{batch.number}.statement")
            paths[-1].write_text(to_json(batch.statement))
    return paths


def test_rebuild(statements: list[Path]) -> None:
    expected = uninterrupted(command_list(9))
    expected.seal()
    result = run("rebuild", *statements)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "account  nonce          cash in 1e-18  other leaves"
    assert lines[-2] == "3 accounts from 3 batches"
    figures = json.loads(run("rebuild", *statements, "--json").stdout)
    assert lines[-1] == f"root of the accounts {figures['root_accounts']}"
    assert figures["state_root"] == hex(expected.root)
    nothing = dict.fromkeys(("positions", "kind", "orders", "triggers", "referrer", "shares"), 0)
    assert figures["accounts"] == {
        str(number): {
            "nonce": account.nonce,
            "cash": str(account.cash),
            "identity": hex(account.identity),
            **nothing,
            "leaves": {},
        }
        for number, account in expected.state.accounts.items()
    }


def test_rebuild_of_an_exchange_that_trades(tmp_path: Path) -> None:
    """Statements of the batches that can be proven, and words of all others."""
    paths = []
    engine = Engine(DOMAIN, SEQUENCER_EPOCH, DAY_BATCH)
    for batch in run_commands(engine, day_commands()):
        if isinstance(batch, Batch):
            files = BatchFiles(tmp_path, batch.number)
            if batch.statement is None:
                files.save_words(BatchWords.of_batch(batch))
            else:
                files.save_statement(batch.statement)
            paths.append(files.words if batch.statement is None else files.statement)
    assert {path.suffix for path in paths} == {".words", ".statement"}
    figures = json.loads(run("rebuild", *paths, "--json").stdout)
    assert figures["state_root"] == hex(engine.root)
    alice = engine.state.accounts.get(ALICE)
    position = engine.state.leaves.get(position_address(ALICE, 0))
    found = figures["accounts"][str(ALICE)]
    assert (found["cash"], found["positions"]) == (str(alice.cash), 1)
    assert found["leaves"]["1"] == {
        "kind": "Position",
        "market": str(MARKET),
        "size": str(position.size),
        "entry_quote": str(position.entry_quote),
        "previous": str(position.previous),
        "next": str(position.next),
    }
    rows = [line.split() for line in run("rebuild", *paths).stdout.splitlines()]
    assert ["3", "6", f"{alice.cash:,}", str(len(found["leaves"]))] in rows


def test_rebuild_of_words_that_do_not_add_up(statements: list[Path]) -> None:
    assert_one_line(
        run("rebuild", *statements[1:]), 2, f"{statements[1]}: batch number: expected 1, got 2"
    )
    changed = replace(from_json(statements[1].read_text()), root_accounts=5)
    statements[1].write_text(to_json(changed))
    assert_one_line(
        run("rebuild", *statements), 5, f"{statements[1]}: root of the accounts: expected 0x5, got"
    )
    statements[1].write_text("{}")
    assert_one_line(run("rebuild", *statements), 2, f"{statements[1]}: format: expected")


def test_every_command_explains_itself() -> None:
    for path in (["journal"], ["journal", "check"], ["replay"], ["snapshot"], ["rebuild"]):
        result = run(*path, "--help")
        assert result.exit_code == 0
        assert "Example" in result.stdout
    assert run("replay").exit_code == run("rebuild").exit_code == 2


def test_nothing_heavy_is_imported_for_help() -> None:
    listing = (
        "import sys, sequencer.journal_cli; "
        "print([m for m in ('numpy', 'eth_hash', 'circuits.merkle') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", listing], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert found.stdout == "[]\n"
