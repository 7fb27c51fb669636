import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from circuits.chips.system import CHIPS, margin_system
from circuits.cli import circuit
from circuits.witness.build import build
from circuits.witness.file import Witness
from circuits.witness.table import pack_table
from tests.support import exchange
from tests.support.batches import batch_of

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(circuit, [str(each) for each in arguments])


@pytest.fixture(scope="module")
def witness() -> Witness:
    batch = batch_of(exchange.transfer(1, 1, 2, 5), state=exchange.funded(2))
    return build(batch.statement, batch.events, batch.touched_nodes)


def forged(witness: Witness, chip: str, column: int, value: int) -> Witness:
    """The witness with the first cell of a column replaced."""
    compiled = margin_system().chip(chip)
    cells = witness.table(chip).cells()
    cells[column][0] = value
    changed = pack_table(chip, compiled.columns, cells)
    tables = tuple(changed if table.name == chip else table for table in witness.tables)
    return Witness(witness.statement, witness.shape_name, tables)


def test_list_names_every_chip() -> None:
    result = run("list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == [chip.name for chip in CHIPS]


def test_describe_prints_tables_totals_and_costs() -> None:
    result = run("describe")
    assert result.exit_code == 0
    assert "| transfer | 2^9 |" in result.stdout
    assert "| header | 6 | channel | 5 |" in result.stdout
    for name in ("main columns", "constraints", "signature", "hash", "transfer", "withdraw"):
        assert any(line.split("  ")[1:2] == [name] for line in result.stdout.splitlines()), name
    assert "| transfer | 2^12 |" in run("describe", "--shape", "M").stdout


def test_describe_prints_one_chip() -> None:
    result = run("describe", "leaf")
    assert result.exit_code == 0
    assert "the account exists at the end (degree 2)" in result.stdout
    unknown = run("describe", "leav")
    assert unknown.exit_code == 2
    assert "expected one of range16, wide, " in unknown.stderr
    assert unknown.stderr.rstrip().endswith("got 'leav'")


def test_check_accepts_an_honest_witness(witness: Witness, tmp_path: Path) -> None:
    path = tmp_path / "batch-1.witness"
    witness.save(path)
    result = run("check", path)
    assert result.exit_code == 0
    assert "every constraint holds and every message is answered" in result.stdout


def test_check_prints_failures_up_to_a_limit(witness: Witness, tmp_path: Path) -> None:
    path = tmp_path / "batch-1.witness"
    columns = [each.name for each in margin_system().chip("transfer").columns]
    forged(witness, "transfer", columns.index("to_inverse"), 1).save(path)
    result = run("check", path)
    assert result.exit_code == 3
    assert "transfer/the recipient exists: row 0: expected 0, got " in result.stdout
    assert result.stderr == f"Error: {path}: expected no failure, got 1\n"

    forged(witness, "pubdata", 0, 1).save(path)
    result = run("check", path, "--limit", "1")
    assert result.exit_code == 3
    assert len(result.stdout.splitlines()) == 1
    assert result.stderr == f"Error: {path}: expected no failure, got 3 (1 shown)\n"


def test_check_refuses_a_second_batch_row(witness: Witness, tmp_path: Path) -> None:
    path = tmp_path / "batch-1.witness"
    compiled = margin_system().chip("batch")
    empty = pack_table("batch", compiled.columns, [[] for _ in compiled.columns])
    tables = tuple(empty if table.name == "batch" else table for table in witness.tables)
    Witness(witness.statement, witness.shape_name, tables).save(path)
    assert "batch: expected 1 row, got 0" in run("check", path, "--limit", "100").stdout


@pytest.mark.parametrize("damage", ["missing", "truncated", "other"])
def test_check_says_in_one_line_what_is_wrong_with_a_file(
    witness: Witness, tmp_path: Path, damage: str
) -> None:
    path = tmp_path / "batch-1.witness"
    if damage == "truncated":
        witness.save(path)
        path.write_bytes(path.read_bytes()[:-1])
    elif damage == "other":
        path.write_bytes(b"a text file")
    result = run("check", path)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert str(path) in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_fingerprints_are_printed_and_compared(tmp_path: Path) -> None:
    result = run("fingerprint")
    assert result.exit_code == 0
    values: dict[str, Any] = json.loads(result.stdout)
    assert list(values) == [chip.name for chip in CHIPS]
    path = tmp_path / "fingerprints.json"
    path.write_text(result.stdout)
    assert run("fingerprint", "--check", path).exit_code == 0
    path.write_text(json.dumps(values | {"leaf": "0x1"}))
    changed = run("fingerprint", "--check", path)
    assert changed.exit_code == 3
    assert f"chip leaf: expected 0x1, got {values['leaf']}" in changed.stderr
    path.write_text(json.dumps({name: values[name] for name in values if name != "tree"}))
    assert "chip tree: expected no such chip" in run("fingerprint", "--check", path).stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "file: expected JSON"), ("[]", "expected an object of fingerprints by chip, got list")],
)
def test_a_bad_fingerprint_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "fingerprints.json"
    path.write_text(text)
    result = run("fingerprint", "--check", path)
    assert result.exit_code == 2
    assert message in result.stderr
    assert run("fingerprint", "--check", tmp_path / "none.json").exit_code == 2


def test_the_pinned_fingerprints_are_those_of_the_chips() -> None:
    assert run("fingerprint", "--check", ROOT / "tests/vectors/fingerprints.json").exit_code == 0


@pytest.mark.parametrize("command", [(), ("list",), ("describe",), ("check",), ("fingerprint",)])
def test_every_help_has_an_example(command: tuple[str, ...]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert "plasmaperps circuit" in result.stdout
