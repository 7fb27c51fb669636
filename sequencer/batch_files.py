"""The files of a batch in a folder: its witness, its statement and, once proven, its proof.

A batch with a command that no chip proves yet has a file of its published words instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from circuits.cli_support import atomic_write
from circuits.statement import Statement, to_json
from circuits.witness.build import build
from circuits.witness.file import Witness
from prover.witness_fills import KERNEL_FILLS
from sequencer.batcher import Batch
from sequencer.errors import BatchError
from sequencer.words_file import BatchWords

WITNESS = ".witness"
STATEMENT = ".statement"
PROOF = ".proof"
WORDS = ".words"


@dataclass(frozen=True, slots=True)
class BatchFiles:
    """Where the files of one batch are; equal numbers give equal names everywhere."""

    folder: Path
    number: int

    def path(self, suffix: str) -> Path:
        """The file of one kind."""
        return self.folder / f"batch-{self.number:04d}{suffix}"

    @property
    def witness(self) -> Path:
        """What the prover reads."""
        return self.path(WITNESS)

    @property
    def statement(self) -> Path:
        """What the verifier reads beside the proof."""
        return self.path(STATEMENT)

    @property
    def proof(self) -> Path:
        """The proof bytes alone."""
        return self.path(PROOF)

    @property
    def words(self) -> Path:
        """What a batch without a statement published."""
        return self.path(WORDS)

    def save_words(self, words: BatchWords) -> None:
        """Write the published words, whole or not at all."""
        with atomic_write(self.words, text=True) as stream:
            stream.write(words.to_json())

    def save_statement(self, statement: Statement) -> None:
        """Write the statement, whole or not at all."""
        with atomic_write(self.statement, text=True) as stream:
            stream.write(to_json(statement))

    def save_proof(self, proof: bytes) -> None:
        """Write the proof, whole or not at all."""
        with atomic_write(self.proof) as stream:
            stream.write(proof)


def witness_of(batch: Batch) -> Witness:
    """The witness of a sealed batch, in the smallest shape that holds it.

    Raises: BatchError for a command that no chip proves yet; WitnessError when no shape holds it.
    """
    return build(batch.to_prove(), batch.events, batch.touched_nodes, fills=KERNEL_FILLS)


def open_folder(folder: Path) -> None:
    """Make the folder; one that holds batches already is left alone.

    Raises: BatchError; OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = sorted(
        path.name
        for suffix in (WITNESS, STATEMENT, PROOF, WORDS)
        for path in folder.glob(f"batch-*{suffix}")
    )
    if found:
        raise BatchError(str(folder), "a folder without batches", found[0])
