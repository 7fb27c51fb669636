"""From a witness to a proof that the verifier has accepted."""

from __future__ import annotations

from collections.abc import Callable

from circuits.air.check import check
from circuits.chips.system import margin_system
from circuits.witness.file import Witness
from prover.compiled.backend import KernelBackend
from prover.errors import ProofRefused, RuleBroken
from prover.prove import Stage, prove
from prover.srs_tools import Srs
from verifier.errors import VerificationError
from verifier.key import VerifyingKey
from verifier.verify import verify


def prove_witness(
    key: VerifyingKey, witness: Witness, srs: Srs, observe: Callable[[Stage], None]
) -> bytes:
    """Proof bytes that nobody has checked yet. Raises: ProverError."""
    statement = witness.statement
    tables = {table.name: table for table in witness.tables}
    return prove(
        key,
        margin_system(),
        statement.words(),
        statement.pubdata,
        tables,
        KernelBackend(srs.bases),
        observe,
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
