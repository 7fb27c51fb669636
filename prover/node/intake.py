"""From a witness file to a job."""

from __future__ import annotations

from pathlib import Path

from circuits.chips.system import margin_system
from circuits.statement import to_json
from circuits.witness.file import Witness
from prover.node.files import file_hash
from prover.node.store import Added, JobStore, NewJob


def take_in(store: JobStore, path: Path, now_ms: int) -> Added:
    """Check a witness file and queue its batch, unless it is in the store already.

    Raises: WitnessError for a file that is damaged or for other chips; StoreError; OSError.
    """
    return take_in_loaded(store, path, Witness.load(path, margin_system()), now_ms)


def take_in_loaded(store: JobStore, path: Path, witness: Witness, now_ms: int) -> Added:
    """As `take_in`, for a witness that was just written to `path`."""
    statement = witness.statement
    new = NewJob(
        statement.domain,
        statement.batch_number,
        witness.shape_name,
        file_hash(path),
        to_json(statement),
    )
    return store.add(new, path, now_ms)
