"""Margin batches as a node's work: which keys and setups fit, and what a witness is refused for."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from circuits.chips.system import SHAPES, margin_system
from circuits.statement import to_json
from circuits.witness.file import Witness
from prover import srs_tools
from prover.cluster.errors import CheckpointMismatch, NoWorkerLeft, StoreMismatch
from prover.errors import SetupMismatch, SetupTooShort
from prover.executors import InlineExecutor, ProvingJob
from prover.node.core import FailureKind
from prover.node.errors import StoreUnavailable
from prover.node.jobs import Job
from prover.node.port import WitnessRefused
from prover.node.work import MarginWork, load_keys
from prover.node.workers import WorkFolder
from prover.prove import Stage
from sequencer.batch_files import witness_of
from tests.support.batches import batch_of
from tests.support.exchange import deposit, register
from verifier.cli import PACKAGED_KEYS
from verifier.errors import KeyFileError, ProofLength
from verifier.key import load_key, make_key, save_key
from verifier.srs import SrsError

JOB = Job(1, 7, 1, "S", "ab" * 32, "cd" * 32, added_ms=0)


@pytest.fixture(scope="module")
def witness() -> Witness:
    return witness_of(batch_of(register(1), deposit(1, 5)))


@pytest.fixture
def work(tmp_path: Path) -> MarginWork:
    return MarginWork(load_keys((), None), None, InlineExecutor(), WorkFolder(tmp_path / "work"))


def ignore(stage: Stage) -> None:
    """Look at no stage."""


def key_file(folder: Path, **setup_changes: object) -> Path:
    setup = replace(srs_tools.development_setup(), **setup_changes)
    path = folder / "margin.key"
    path.write_text(save_key(make_key(margin_system(), SHAPES["S"], setup)))
    return path


def test_the_packaged_keys_are_for_every_shape(work: MarginWork) -> None:
    assert sorted(work.shapes) == sorted(SHAPES)


def test_two_keys_of_one_shape_are_refused() -> None:
    path = PACKAGED_KEYS / "S.json"
    with pytest.raises(KeyFileError) as caught:
        load_keys((path, path), None)
    assert str(caught.value) == (
        f"{path}: shape: expected another one for each key, got shape S again"
    )


def test_a_key_of_other_chips_is_refused_whatever_its_heights(tmp_path: Path) -> None:
    path = key_file(tmp_path)
    key = load_key(path)
    number = next(i for i, chip in enumerate(key.chips) if chip.main_columns > 1)

    def write(**changes: object) -> None:
        chips = list(key.chips)
        chips[number] = replace(chips[number], **changes)
        path.write_text(save_key(replace(key, chips=tuple(chips))))

    chip = key.chips[number]
    write(log_height=chip.log_height - 1)
    assert list(load_keys((path,), None)) == ["S"]
    for place, changes in (
        ("main columns", {"main_columns": chip.main_columns - 1,
                          "helper_columns": chip.helper_columns + 1}),
        ("constraints", {"zero_values": (*chip.zero_values[:-1], chip.zero_values[-1] ^ 1)}),
    ):  # fmt: skip
        write(**changes)
        with pytest.raises(KeyFileError) as caught:
            load_keys((path,), None)
        assert str(caught.value) == (
            f"{path}: {place} of chip {chip.name}: expected those of this version's chips "
            "(plasmaperps prover key makes a key of them), got others"
        )


def test_a_setup_that_is_not_the_keys_is_refused_before_any_job(tmp_path: Path) -> None:
    small = tmp_path / "small.srs"
    srs_tools.new_development(4, small, lambda count: None)
    with pytest.raises(SetupTooShort) as short:
        load_keys((key_file(tmp_path),), small)
    wanted = "expected at least 2^18 for shape S, got 16"
    assert str(short.value) == f"{small}: powers: {wanted}"
    other = key_file(tmp_path, source_hash=bytes(32), insecure=False)
    with pytest.raises(SrsError) as missing:
        load_keys((other,), None)
    hashes = "00" * 32, srs_tools.development_setup().source_hash.hex()
    assert str(missing.value) == (
        f"--srs: key of shape S: expected the setup with source hash {hashes[0]}, got none"
    )
    with pytest.raises(SetupMismatch) as differs:
        load_keys((other,), small)
    assert str(differs.value) == (
        f"{small}: source hash for the key of shape S: expected {hashes[0]}, got {hashes[1]}"
    )


def test_a_damaged_witness_is_refused_and_one_that_vanishes_is_waited_for(
    work: MarginWork, witness: Witness, tmp_path: Path
) -> None:
    path = tmp_path / "batch.witness"
    witness.save(path)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(WitnessRefused) as caught:
        work.prove(JOB, path, ignore)
    assert caught.value.kind is FailureKind.WITNESS
    assert str(caught.value).startswith(f"{path}: section batch")
    path.unlink()
    with pytest.raises(StoreUnavailable, match="expected a file that can be read"):
        work.prove(JOB, path, ignore)


def test_a_witness_that_memory_does_not_hold_is_no_fault_of_the_store(
    work: MarginWork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*arguments: object) -> Witness:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(Witness, "load", load)
    with pytest.raises((OSError, StoreUnavailable)) as caught:
        work.prove(JOB, tmp_path / "batch.witness", ignore)
    assert str(caught.value) == f"[Errno {errno.ENOMEM}] Cannot allocate memory"


def test_a_proof_is_checked_against_the_statement(work: MarginWork, witness: Witness) -> None:
    with pytest.raises(ProofLength):
        work.check(JOB, to_json(witness.statement), b"no proof")
    with pytest.raises(WitnessRefused, match="a JSON object"):
        work.check(JOB, "no statement", b"no proof")


class Failing:
    """An executor that cannot make a proof."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def prove(self, job: ProvingJob, observe: Callable[[Stage], None] = ignore) -> bytes:
        raise self._error


@pytest.mark.parametrize(
    ("error", "is_kept"),
    [
        (CheckpointMismatch("checkpoint", "key a", "key b"), False),
        (StoreMismatch("columns", "checksum a", "b"), False),
        (NoWorkerLeft("cluster", "a worker", "none"), True),
    ],
)
def test_what_an_attempt_left_is_kept_unless_it_is_of_no_use(
    witness: Witness, tmp_path: Path, error: Exception, is_kept: bool
) -> None:
    path, folder = tmp_path / "batch.witness", WorkFolder(tmp_path / "work")
    witness.save(path)
    left = folder.path / folder.name(JOB) / "checkpoint"
    left.parent.mkdir(parents=True)
    left.touch()
    work = MarginWork(load_keys((), None), None, Failing(error), folder)
    with pytest.raises(type(error)):
        work.prove(JOB, path, ignore)
    assert left.exists() is is_kept


@pytest.mark.slow
def test_a_witness_that_breaks_a_rule_is_refused_by_its_name(
    work: MarginWork, witness: Witness, tmp_path: Path
) -> None:
    path = tmp_path / "batch.witness"
    witness.save(path)
    proven = work.prove(JOB, path, ignore)
    work.check(JOB, to_json(witness.statement), proven.proof)
    assert list(proven.stage_seconds) == [stage for stage in Stage if stage is not Stage.DONE]
    assert proven.cells > 100_000
    tables = list(witness.tables)
    (number,) = (i for i, table in enumerate(tables) if table.name == "pubdata")
    words = tables[number].columns[0].copy()
    words[0, 0] ^= 1
    tables[number] = replace(tables[number], columns=(words,))
    replace(witness, tables=tuple(tables)).save(path)
    with pytest.raises(WitnessRefused) as caught:
        work.prove(JOB, path, ignore)
    assert caught.value.kind is FailureKind.RULE
    assert str(caught.value).startswith(
        "batch 1: expected a witness that keeps every rule, got bus published "
    )
