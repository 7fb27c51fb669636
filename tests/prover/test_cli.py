"""`plasmaperps prover`: what it writes, and one line for everything that is wrong."""

import re
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from circuits.chips.system import SHAPES, margin_system
from circuits.witness.file import Witness
from prover import memory
from prover.cli import prover
from prover.srs_tools import development_setup
from sequencer.batch_files import witness_of
from tests.support.batches import rich_batch
from verifier.cli import verify
from verifier.key import make_key, save_key


def run(command, *arguments: object):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def refused(*arguments: object) -> str:
    """The one line of a command that ends with exit code 2 and prints nothing else."""
    result = run(prover, *arguments)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    (line,) = result.stderr.splitlines()
    return line


@pytest.fixture
def witness_path(tmp_path: Path) -> Path:
    path = tmp_path / "batch.witness"
    witness_of(rich_batch()).save(path)
    return path


def save_key_file(path: Path, shape_name: str, **setup_changes: object) -> Path:
    """A key over the development setup, or one that differs from it as told."""
    setup = replace(development_setup(), **setup_changes)
    path.write_text(save_key(make_key(margin_system(), SHAPES[shape_name], setup)))
    return path


def test_a_setup_is_made_checked_and_refused_when_damaged(tmp_path):
    path = tmp_path / "small.srs"
    made = run(prover, "srs", "new", "--log-size", 4, "-o", path)
    assert (made.exit_code, made.stderr) == (0, "")
    assert made.stdout.startswith(f"{path}: 16 powers, source hash ")
    assert made.stdout.endswith(", INSECURE: its secret is public\n")
    assert run(prover, "srs", "check", path).stdout == made.stdout
    data = bytearray(path.read_bytes())
    data[-50] ^= 1
    path.write_bytes(data)
    assert f"{path}: byte 1216, checksum: expected " in refused("srs", "check", path)


def test_an_import_names_the_file_that_is_no_ceremony(tmp_path):
    source = tmp_path / "text.ptau"
    source.write_text("no ceremony")
    out = tmp_path / "out.srs"
    line = refused("srs", "import", source, "--log-size", 4, "-o", out)
    assert line.startswith(f"Error: {source}: ")
    assert not out.exists()


def test_a_key_needs_a_known_shape_and_enough_powers(tmp_path):
    path, out = tmp_path / "small.srs", tmp_path / "margin.key"
    run(prover, "srs", "new", "--log-size", 4, "-o", path)
    assert refused("key", "--shape", "X", "--srs", path, "-o", out) == (
        "Error: --shape: expected S or M, got X"
    )
    assert refused("key", "--shape", "S", "--srs", path, "-o", out) == (
        f"Error: {path}: powers: expected at least 2^18 for shape S, got 16"
    )
    assert not out.exists()


def test_outputs_are_looked_at_before_the_work(tmp_path):
    missing = tmp_path / "absent" / "batch.proof"
    assert refused("prove", "any.witness", "-o", missing) == (
        f"Error: {missing}: folder: expected an existing folder, got {missing.parent}"
    )
    proof = tmp_path / "batch.statement"
    line = refused("prove", "any.witness", "-o", proof)
    assert line.startswith(f"Error: {proof}: name: expected three different files, got ")


def test_a_damaged_witness_is_named_and_nothing_is_written(witness_path, tmp_path):
    proof = tmp_path / "batch.proof"
    assert refused("prove", tmp_path / "none.witness", "-o", proof) == (
        f"Error: {tmp_path / 'none.witness'}: no such file or directory"
    )
    witness_path.write_bytes(witness_path.read_bytes()[:-7])
    line = refused("prove", witness_path, "-o", proof)
    assert line.startswith(f"Error: {witness_path}: section batch")
    assert [path.name for path in tmp_path.iterdir()] == [witness_path.name]


def test_a_setup_that_is_not_the_key_s_is_refused(witness_path, tmp_path):
    small, proof = tmp_path / "small.srs", tmp_path / "batch.proof"
    run(prover, "srs", "new", "--log-size", 4, "-o", small)
    other = save_key_file(tmp_path / "other.key", "S", source_hash=bytes(32), insecure=False)
    pinned = "the setup with source hash " + "00" * 32
    assert refused("prove", witness_path, "-o", proof, "--key", other) == (
        f"Error: --srs: key of shape S: expected {pinned}, got none"
    )
    line = refused("prove", witness_path, "-o", proof, "--key", other, "--srs", small)
    place = f"{small}: source hash for the key of shape S"
    assert line.startswith(f"Error: {place}: expected {'00' * 32}, got ")
    same = save_key_file(tmp_path / "same.key", "S")
    assert refused("prove", witness_path, "-o", proof, "--key", same, "--srs", small) == (
        f"Error: {small}: powers: expected at least 2^18 for shape S, got 16"
    )
    high = save_key_file(tmp_path / "high.key", "M")
    line = refused("prove", witness_path, "-o", proof, "--key", high)
    assert line == f"Error: {witness_path}: shape: expected shape M of the key, got S"


def test_a_key_of_other_chips_is_refused_before_memory_is_looked_at(
    witness_path, tmp_path, monkeypatch
):
    monkeypatch.setattr(memory, "available_bytes", lambda: memory.MIB)
    key = make_key(margin_system(), SHAPES["S"], development_setup())
    path = tmp_path / "old.key"
    path.write_text(save_key(replace(key, single_row_chips=())))
    assert refused("prove", witness_path, "-o", tmp_path / "batch.proof", "--key", path) == (
        f"Error: {path}: chips of one row: expected those of this version's chips "
        "(plasmaperps prover key makes a key of them), got others"
    )


def test_a_batch_that_does_not_fit_into_memory_is_refused(witness_path, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: memory.MIB)
    monkeypatch.setattr(memory, "own_resident_bytes", lambda: memory.MIB)
    line = refused("prove", witness_path, "-o", tmp_path / "batch.proof")
    assert re.fullmatch(
        r"Error: memory for shape S: expected \d+ MiB, got 2 MiB available: .*", line
    )
    assert [path.name for path in tmp_path.iterdir()] == [witness_path.name]


def test_sigterm_ends_a_proof_in_order(witness_path, tmp_path, monkeypatch):
    def terminated(*arguments):
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("prover.cli._setup_of", lambda *arguments: tmp_path / "setup.srs")
    monkeypatch.setattr("prover.cli._prove", terminated)
    command = ["prove", str(witness_path), "-o", str(tmp_path / "batch.proof")]
    assert CliRunner().invoke(prover, command).exit_code == 4
    assert [path.name for path in tmp_path.iterdir()] == [witness_path.name]


@pytest.mark.slow
def test_a_proof_is_made_that_the_verifier_accepts(witness_path, tmp_path):
    proof, statement = tmp_path / "batch.proof", tmp_path / "batch.statement"
    key = save_key_file(tmp_path / "margin.key", "S")
    result = run(prover, "prove", witness_path, "-o", proof, "--key", key)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{proof}: {proof.stat().st_size} bytes, batch 1, shape S, ")
    assert re.search(r", peak \d+ MiB$", lines[0])
    assert lines[1].startswith(f"{statement}: ")
    checked = run(verify, "proof", "--key", key, proof, statement)
    assert checked.exit_code == 0
    assert checked.stdout.startswith("accepted: shape S, batch 1, ")


@pytest.mark.slow
def test_a_proof_from_processes_is_the_same_and_leaves_nothing_behind(witness_path, tmp_path):
    key = save_key_file(tmp_path / "margin.key", "S")
    proofs = []
    for name, options in (("inline", ()), ("process", ("--executor", "process", "--workers", 1))):
        path = tmp_path / f"{name}.proof"
        result = run(prover, "prove", witness_path, "-o", path, "--key", key, *options)
        assert (result.exit_code, result.stderr) == (0, "")
        proofs.append(path.read_bytes())
    assert proofs[0] == proofs[1]
    assert not (tmp_path / "process.work").exists()


def test_without_ray_one_line_names_the_extra(witness_path, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    key, proof = save_key_file(tmp_path / "margin.key", "S"), tmp_path / "batch.proof"
    arguments = ("prove", witness_path, "-o", proof, "--key", key, "--executor", "ray")
    assert refused(*arguments) == (
        "Error: this command needs ray: pip install 'plasmaperps[cluster]'"
    )


@pytest.mark.slow
def test_a_false_witness_ends_with_the_rule_that_it_breaks(witness_path, tmp_path):
    witness = Witness.load(witness_path, margin_system())
    tables = list(witness.tables)
    (number,) = (i for i, table in enumerate(tables) if table.name == "pubdata")
    words = tables[number].columns[0].copy()
    words[0, 0] ^= 1
    tables[number] = replace(tables[number], columns=(words,))
    replace(witness, tables=tuple(tables)).save(witness_path)
    key, proof = save_key_file(tmp_path / "margin.key", "S"), tmp_path / "batch.proof"
    result = run(prover, "prove", witness_path, "-o", proof, "--key", key)
    assert (result.exit_code, result.stdout) == (5, "")
    assert result.stderr.startswith(f"Error: {witness_path}: bus published ")
    assert sorted(path.name for path in tmp_path.iterdir()) == [witness_path.name, key.name]
