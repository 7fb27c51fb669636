"""From a witness to a proof that the verifier has accepted."""

from __future__ import annotations

from pathlib import Path

from circuits.air.check import check
from circuits.chips.system import margin_system
from circuits.witness.file import Witness
from prover import srs_tools
from prover.errors import ProofRefused, RuleBroken, SystemMismatch
from prover.executors import ProvingJob
from prover.srs_tools import Progress
from prover.witness import check_system
from verifier.errors import KeyFileError, VerificationError
from verifier.key import VerifyingKey, load_key
from verifier.srs import SrsError
from verifier.verify import verify


def load_margin_key(path: Path) -> VerifyingKey:
    """A key that was made from this version's chips.

    Raises: KeyFileError, also for one of other chips: no proof with it could be made.
    """
    key = load_key(path)
    try:
        check_system(key, margin_system())
    except SystemMismatch as error:
        expected = "those of this version's chips (plasmaperps prover key makes a key of them)"
        raise KeyFileError(str(path), error.place, expected, "others") from None
    return key


def setup_file(key: VerifyingKey, srs_path: Path | None, progress: Progress) -> Path:
    """The file with the powers that a key stands on.

    Without a path that is the development setup, which is made once and kept.
    Raises: SrsError for a key that stands on another one; OSError.
    """
    if srs_path is not None:
        return srs_path
    require_development(key)
    srs_tools.development(key.log_chunk, progress)
    return srs_tools.development_path(key.log_chunk)


def require_development(key: VerifyingKey) -> None:
    """Raises: SrsError for a key that does not stand on the development setup."""
    if key.setup != srs_tools.development_setup():
        place = f"key of shape {key.shape_name}"
        expected = f"the setup with source hash {key.setup.source_hash.hex()}"
        raise SrsError("--srs", place, expected, "none")


def margin_job(key: VerifyingKey, witness: Witness, bases_path: Path, job_id: str) -> ProvingJob:
    """What an executor needs to prove a margin batch."""
    statement = witness.statement
    tables = {table.name: table for table in witness.tables}
    return ProvingJob(
        key, margin_system(), statement.words(), statement.pubdata, tables, bases_path, job_id
    )


def verify_proof(key: VerifyingKey, witness: Witness, proof: bytes) -> None:
    """Accept a proof of the witness's statement.

    Raises: RuleBroken with the first rule that the witness breaks; ProofRefused when it breaks
    none, so that the proof itself must have gone wrong.
    """
    statement = witness.statement
    try:
        verify(key, statement.words(), statement.pubdata, proof)
    except VerificationError as error:
        place = f"batch {statement.batch_number}"
        broken = first_failure(witness)
        if broken is None:
            raise ProofRefused(place, "a proof that is accepted", str(error)) from error
        raise RuleBroken(place, "a witness that keeps every rule", broken) from None


def first_failure(witness: Witness) -> str | None:
    """The first rule that a witness breaks, by name, and how many more there are."""
    cells = {table.name: table.cells() for table in witness.tables}
    failures = check(margin_system(), cells, witness.heights, witness.statement.words())
    if not failures:
        return None
    more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
    return f"{failures[0]}{more}"
