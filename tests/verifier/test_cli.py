"""`plasmaperps verify`: verdicts, one-line errors and exit codes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from circuits.chips.system import SHAPE_S, margin_system
from circuits.statement import to_json
from sequencer.cli import main
from tests.support.small_batch import STATEMENT, small_key, small_proof, small_setup
from tests.support.toy_system import toy_key, toy_shape
from verifier import cli
from verifier.key import make_key, save_key
from verifier.proof import proof_bytes

INSECURE = "INSECURE: the secret of this setup is public, so anyone can forge proofs"


@dataclass(frozen=True)
class Files:
    """A key, a proof and a statement on disk."""

    key: Path
    proof: Path
    statement: Path

    def verify(self) -> Result:
        return run("proof", "--key", str(self.key), str(self.proof), str(self.statement))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["verify", *arguments], prog_name="plasmaperps")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    found = Files(tmp_path / "small.key", tmp_path / "batch.proof", tmp_path / "batch.statement")
    found.key.write_text(save_key(small_key()), encoding="utf-8")
    found.proof.write_bytes(small_proof())
    found.statement.write_text(to_json(STATEMENT), encoding="utf-8")
    return found


def assert_refused(result: Result, exit_code: int, line: str) -> None:
    assert (result.exit_code, result.stdout, result.stderr) == (
        exit_code, "", f"Error: {line}\n",
    )  # fmt: skip


def test_an_accepted_proof_is_one_line(files: Files) -> None:
    result = files.verify()
    digest = small_key().digest.hex()
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.fullmatch(
        rf"accepted: shape small, batch 7, key {digest}, \d+\.\d\d s \({INSECURE}\)\n",
        result.stdout,
    )


def test_nothing_is_said_of_a_setup_from_a_ceremony(files: Files) -> None:
    files.key.write_text(save_key(small_key(insecure=False)), encoding="utf-8")
    files.proof.write_bytes(small_proof(insecure=False))
    assert re.search(r" s\n$", files.verify().stdout)


def test_a_refused_proof_is_one_line_and_exit_code_5(files: Files) -> None:
    files.statement.write_text(to_json(replace(STATEMENT, batch_number=8)), encoding="utf-8")
    result = files.verify()
    assert (result.exit_code, result.stdout) == (5, "")
    assert re.fullmatch(
        r"Error: SumcheckMismatch: constraints: expected \d+, got \d+\n", result.stderr
    )


def test_a_cut_proof_is_refused(files: Files) -> None:
    files.proof.write_bytes(small_proof()[:-1])
    size = proof_bytes(small_key())
    line = f"ProofLength: proof: expected {size}, got {size - 1}"
    assert_refused(files.verify(), 5, line)


@pytest.mark.parametrize("name", ["key", "proof", "statement"])
def test_an_absent_file_is_named(files: Files, name: str) -> None:
    path = getattr(files, name)
    path.unlink()
    reason = "file: expected a readable file, got No such file or directory"
    assert_refused(
        files.verify(), 2, f"{path}: {reason if name == 'key' else 'no such file or directory'}"
    )


def test_a_bad_key_is_one_line(files: Files) -> None:
    files.key.write_text("[]", encoding="utf-8")
    line = f"{files.key}: file: expected a verifying key, got another kind of document"
    assert_refused(files.verify(), 2, line)
    assert_refused(run("key", str(files.key)), 2, line)


def test_a_bad_statement_is_one_line(files: Files) -> None:
    files.statement.write_text(to_json(STATEMENT).replace('"0x7"', '"7"'), encoding="utf-8")
    assert_refused(
        files.verify(), 2,
        f"{files.statement}: batch_number: expected a string 0x... of up to 64 lower-case "
        "hexadecimal digits without leading zeros, got '7'",
    )  # fmt: skip
    files.statement.write_bytes(b"{\n\xff")
    assert_refused(
        files.verify(), 2, f"{files.statement}: byte 2: expected UTF-8 text, got another byte"
    )


def test_a_key_for_another_kind_of_statement_is_named(files: Files) -> None:
    files.key.write_text(save_key(toy_key(toy_shape())), encoding="utf-8")
    assert_refused(
        files.verify(), 2,
        f"{files.key}: public words: expected those of a batch, got first_value, step_count, "
        "last_value, word_count",
    )  # fmt: skip


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packaged keys with one key for other proofs."""
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / "a.json").write_text(save_key(toy_key(toy_shape())), encoding="utf-8")
    monkeypatch.setattr(cli, "PACKAGED_KEYS", folder)
    return folder


def test_without_a_key_the_length_of_the_proof_finds_it(files: Files, packaged: Path) -> None:
    (packaged / "small.json").write_text(save_key(small_key()), encoding="utf-8")
    result = run("proof", str(files.proof), str(files.statement))
    assert result.stdout.startswith("accepted: shape small, batch 7, ")


def test_a_proof_of_no_packaged_length_is_named(files: Files, packaged: Path) -> None:
    files.proof.write_bytes(bytes(5))
    assert_refused(
        run("proof", str(files.proof), str(files.statement)), 2,
        f"{files.proof}: length in bytes: expected the length of a packaged key's proof "
        "(2720 for shape toy-4-3), got 5",
    )  # fmt: skip
    (packaged / "a.json").unlink()
    assert_refused(
        run("proof", str(files.proof), str(files.statement)), 2,
        f"{files.proof}: length in bytes: expected the length of a packaged key's proof "
        "(there is no key), got 5",
    )  # fmt: skip


def test_a_key_says_what_it_stands_for(files: Files) -> None:
    result = run("key", str(files.key))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "shape          small",
        f"digest         {small_key().digest.hex()}",
        "chips          3, OTHERS than those of this version",
        "               sender: up to 2^2 rows, 3 columns",
        "               pubdata: up to 2^2 rows, 2 columns",
        "               batch: up to 2^0 rows, 3 columns",
        "columns        8, of which 3 for buses",
        "constraints    4 of degree up to 3",
        "commitments    4 chunks of 2^3 cells",
        f"proof          {proof_bytes(small_key())} bytes",
        "[tau]_2        on the curve and in the group of order r",
        f"setup          source hash {bytes(range(32)).hex()}",
        f"               {INSECURE}",
    ]


def test_a_key_of_this_version_says_so(files: Files) -> None:
    margin = make_key(margin_system(), SHAPE_S, small_setup(insecure=False))
    files.key.write_text(save_key(margin), encoding="utf-8")
    lines = run("key", str(files.key)).stdout.splitlines()
    assert f"chips          {len(margin.chips)}, those of this version" in lines
    assert lines[-1] == "               from a ceremony"


def test_a_key_of_a_changed_shape_does_not(files: Files) -> None:
    shape = replace(SHAPE_S, log_chunk=SHAPE_S.log_chunk + 1)
    files.key.write_text(
        save_key(make_key(margin_system(), shape, small_setup())), encoding="utf-8"
    )
    assert "OTHERS than those of this version" in run("key", str(files.key)).stdout
