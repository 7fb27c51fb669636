"""Names and contents of the files of a batch."""

from __future__ import annotations

from pathlib import Path

import pytest

from circuits.chips.system import margin_system
from circuits.exchange.apply import Command
from circuits.statement import from_json
from circuits.witness.file import Witness
from sequencer.batch_files import BatchFiles, open_folder, witness_of
from sequencer.batcher import Batch
from sequencer.engine import Engine
from sequencer.errors import BatchError
from tests.support.exchange import DOMAIN, deposit, register


@pytest.fixture(scope="module")
def batch() -> Batch:
    engine = Engine(DOMAIN, 1, 9)
    engine.handle(Command(1, register(1)))
    engine.handle(Command(2, deposit(1, 5)))
    return engine.seal()


def test_what_is_written_reads_back(batch: Batch, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "day"
    open_folder(folder)
    files = BatchFiles(folder, batch.number)
    witness_of(batch).save(files.witness)
    files.save_statement(batch.statement)
    files.save_proof(b"\x01\x02")
    assert sorted(path.name for path in folder.iterdir()) == [
        "batch-0001.proof",
        "batch-0001.statement",
        "batch-0001.witness",
    ]
    loaded = Witness.load(files.witness, margin_system())
    assert (loaded.statement, loaded.shape_name) == (batch.statement, "S")
    assert from_json(files.statement.read_text()) == batch.statement
    assert files.proof.read_bytes() == b"\x01\x02"


@pytest.mark.parametrize("suffix", [".witness", ".statement", ".proof"])
def test_a_folder_with_batches_is_left_alone(suffix: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    open_folder(tmp_path)
    name = BatchFiles(tmp_path, 12).path(suffix).name
    (tmp_path / name).touch()
    with pytest.raises(BatchError) as caught:
        open_folder(tmp_path)
    assert str(caught.value) == f"{tmp_path}: expected a folder without batches, got {name}"
