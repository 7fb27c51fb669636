"""`plasmaperps demo`: the whole day once, and what it says about files it cannot use."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from circuits.chips.system import margin_system
from circuits.exchange.json_form import TimedBody, encode_line
from circuits.statement import from_json
from circuits.text_table import tokens
from circuits.witness.file import Witness
from sequencer import demo_run
from sequencer.cli import main
from sequencer.command_file import Header, load_command_file
from sequencer.demo import example_file
from sequencer.demo_run import CustodyRecord
from sequencer.errors import CommandFileError
from sequencer.l1 import devkeys
from sequencer.l1.contracts import CustodyState
from sequencer.proving import packaged_key
from tests.support.exchange import register
from verifier.verify import verify

PROOF_BYTES_MAX = 20_000
FORGERIES = ["flipped_proof_byte", "changed_published_word", "replayed_batch", "other_chain_id"]
ERRORS = {
    "flipped_proof_byte": ["SumcheckMismatch"],
    "changed_published_word": ["SumcheckMismatch"],
    "replayed_batch": ["WrongBatchNumber"],
    "other_chain_id": ["WrongDomain", "SumcheckMismatch"],
}
BATCH_KEYS = {
    "commands", "cells", "prove_seconds", "proof_bytes", "gas", "verification_gas", "rows",
    "witness_seconds", "stage_seconds", "verify_seconds",
}  # fmt: skip
STAGES = ["load", "commit", "helpers", "sumcheck", "reduction", "opening"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["demo", *map(str, arguments)])


@pytest.mark.slow
def test_the_whole_day(tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("--json", "--out", out)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    printed, _, last = result.stdout.rstrip("\n").rpartition("\n")
    outcome = json.loads(last)
    assert set(outcome) == {
        "batches", "accepted", "refused", "errors", "claimed", "custody_matches", "peak_memory_mib",
    }  # fmt: skip
    assert (outcome["accepted"], outcome["custody_matches"]) == (True, True)
    assert outcome["refused"] == FORGERIES
    assert outcome["errors"] == ERRORS
    assert outcome["claimed"] > 0
    assert f"{tokens(outcome['claimed'])} after" in printed
    assert 0 < outcome["peak_memory_mib"] < 3 * 1024
    first, second = outcome["batches"]
    assert first["commands"] == 300
    assert first["commands"] + second["commands"] > 350
    key = packaged_key("S")
    for number, batch in enumerate((first, second), 1):
        assert set(batch) == BATCH_KEYS
        assert list(batch["stage_seconds"]) == STAGES
        assert batch["proof_bytes"] <= PROOF_BYTES_MAX
        assert 0 < batch["verification_gas"] < batch["gas"]
        assert batch["cells"] > batch["rows"]["range16"] == 1 << 16
        assert f"batch {number}: {batch['commands']} commands" in printed
        check_files(out, number, key)


def check_files(folder: Path, number: int, key: object) -> None:
    """The kept files of a batch belong together."""
    stem = f"batch-{number:04d}"
    statement = from_json((folder / f"{stem}.statement").read_text())
    assert Witness.load(folder / f"{stem}.witness", margin_system()).statement == statement
    proof = (folder / f"{stem}.proof").read_bytes()
    verify(key, statement.words(), statement.pubdata, proof)  # type: ignore[arg-type]


def test_the_example_is_found_and_signed_for_the_demo() -> None:
    assert len(load_command_file(example_file()).lines) >= 360


def test_a_file_for_another_venue_is_refused(tmp_path: Path) -> None:
    example = load_command_file(example_file())
    header = replace(example.header, settlement=example.header.settlement + 1)
    path = tmp_path / "day.jsonl"
    lines = [header.encode(), *(encode_line(timed) for timed in example.lines[:2])]
    path.write_text("".join(line + "\n" for line in lines))
    result = run(path)
    assert (result.exit_code, result.stdout) == (2, "")
    expected, got = f"{example.header.settlement:#042x}", f"{header.settlement:#042x}"
    assert result.stderr == (
        f"Error: {path}:1: chain_id and settlement: expected 31337 and {expected}, "
        f"got 31337 and {got}\n"
    )


def test_owners_without_development_keys_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    line = encode_line(TimedBody(0, register(1)))
    path.write_text(Header(31337, 1).encode() + "\n" + line + "\n")
    result = run(path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: owner of account 1: expected 0x")


def test_a_missing_file(tmp_path: Path) -> None:
    result = run(tmp_path / "absent.jsonl")
    assert result.exit_code == 2
    assert result.stderr == f"Error: {tmp_path / 'absent.jsonl'}: no such file or directory\n"


@pytest.mark.parametrize(
    ("changes", "settled", "cash", "matches"),
    [
        ({}, 60, 60, True),
        ({"token_balance": 79}, 60, 60, False),
        ({"credited": 50}, 60, 60, False),
        ({}, 60, 61, False),
        ({}, 61, 61, False),
    ],
)
def test_custody_matches_exactly(
    changes: dict[str, int], settled: int, cash: int, matches: bool
) -> None:
    state = CustodyState(deposited=100, credited=40, claimed=20, custody_total=80, token_balance=80)
    assert CustodyRecord(replace(state, **changes), settled, cash).matches is matches


def test_a_chain_that_is_not_fresh_is_refused_before_anything_is_sent() -> None:
    file = load_command_file(example_file())
    l1 = demo_run.open_chain(file, None)
    deployer = devkeys.deployer()
    l1.send(deployer, devkeys.sequencer().address, b"")
    with pytest.raises(CommandFileError) as caught:
        demo_run.prepare(file, None, l1)
    assert str(caught.value).endswith(
        f"its deployer {deployer.address} has sent 1 transactions: start the node anew"
    )
    assert l1.nonce(deployer.address) == 1
