"""Names and contents of the files of a batch."""

from __future__ import annotations

from pathlib import Path

import pytest

from circuits.chips.system import margin_system
from circuits.exchange.apply import Command
from circuits.exchange.transactions.cancel_all import CancelAll
from circuits.statement import from_json
from circuits.witness.file import Witness
from sequencer.batch_files import BatchFiles, open_folder, witness_of
from sequencer.batcher import Batch
from sequencer.engine import Engine
from sequencer.errors import BatchError
from sequencer.words_file import BatchWords, read_words
from tests.support.exchange import DOMAIN, deposit, register, signed


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


def test_a_batch_that_no_chip_proves_yet_has_its_words_alone(tmp_path: Path) -> None:
    engine = Engine(DOMAIN, 1, 9)
    engine.handle(Command(1, register(1)))
    engine.handle(Command(2, signed(CancelAll(1, 1, 9, 0))))
    batch = engine.seal()
    with pytest.raises(BatchError) as caught:
        witness_of(batch)
    assert str(caught.value) == (
        "batch 1: step 2: expected a deposit, register_key, transfer or withdraw, "
        "got cancel_all, which no chip proves yet"
    )
    files = BatchFiles(tmp_path, batch.number)
    files.save_words(BatchWords.of_batch(batch))
    assert [path.name for path in tmp_path.iterdir()] == ["batch-0001.words"]
    assert read_words(files.words.read_text()) == BatchWords.of_batch(batch)


@pytest.mark.parametrize("suffix", [".witness", ".statement", ".proof", ".words"])
def test_a_folder_with_batches_is_left_alone(suffix: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    open_folder(tmp_path)
    name = BatchFiles(tmp_path, 12).path(suffix).name
    (tmp_path / name).touch()
    with pytest.raises(BatchError) as caught:
        open_folder(tmp_path)
    assert str(caught.value) == f"{tmp_path}: expected a folder without batches, got {name}"
