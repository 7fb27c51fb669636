"""Operator, prover runner and verifier in turn, each with nothing but the files of the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from circuits.exchange.json_form import TimedBody, encode_line
from sequencer.cli import main
from sequencer.command_file import Header
from tests.support.exchange import deposit, register, transfer, withdraw

HEADER = Header(31337, 0x5E771E)
BODIES = [
    register(1),
    deposit(1, 50),
    register(2),
    transfer(1, 1, 2, 60),
    transfer(1, 2, 2, 10),
    withdraw(2, 1, 4),
]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.slow
def test_from_signed_commands_to_verified_proofs(tmp_path: Path) -> None:
    day, out = tmp_path / "day.jsonl", tmp_path / "out"
    lines = [HEADER.encode(), *(encode_line(TimedBody(5, body)) for body in BODIES)]
    day.write_text("".join(line + "\n" for line in lines))
    assert run("op", "run-file", day, "--out", out, "--batch-commands", 3).exit_code == 0
    stems = [out / "batch-0001", out / "batch-0002"]
    for stem in stems:
        statement = stem.with_suffix(".statement")
        ordered = statement.read_bytes()
        proof = stem.with_suffix(".proof")
        proven = run("prover", "prove", stem.with_suffix(".witness"), "-o", proof)
        assert proven.exit_code == 0, proven.output
        assert statement.read_bytes() == ordered
        verified = run("verify", "proof", proof, statement)
        assert verified.exit_code == 0, verified.output
    swapped = run(
        "verify", "proof", stems[0].with_suffix(".proof"), stems[1].with_suffix(".statement")
    )
    assert (swapped.exit_code, swapped.stdout) == (5, "")
    assert swapped.stderr.count("\n") == 1


def test_a_cut_witness_gives_no_proof(tmp_path: Path) -> None:
    day, out = tmp_path / "day.jsonl", tmp_path / "out"
    day.write_text(f"{HEADER.encode()}\n{encode_line(TimedBody(5, register(1)))}\n")
    assert run("op", "run-file", day, "--out", out).exit_code == 0
    witness, proof = out / "batch-0001.witness", out / "batch-0001.proof"
    witness.write_bytes(witness.read_bytes()[:-1])
    result = run("prover", "prove", witness, "-o", proof)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: {witness}: ")
    assert not proof.exists()
