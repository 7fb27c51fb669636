"""From a witness to a proof that has been checked: key, setup and kernels loaded once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter

from circuits.chips.system import margin_system
from circuits.witness.file import Witness
from prover.compiled.backend import KernelBackend
from prover.prove import Stage, StageClock, prove
from prover.srs_tools import Srs
from sequencer.errors import BatchError
from verifier.cli import PACKAGED_KEYS
from verifier.key import VerifyingKey, load_key
from verifier.verify import verify


@dataclass(frozen=True, slots=True)
class CheckedProof:
    """A proof that the Python verifier accepted, and what it took."""

    proof: bytes
    stage_seconds: Mapping[str, float]
    verify_seconds: float

    @property
    def prove_seconds(self) -> float:
        """All stages together."""
        return sum(self.stage_seconds.values())


class BatchProver:
    """Proves batches of one shape.

    Raises: BatchError when the setup is not the one that the key was made with.
    """

    def __init__(self, key: VerifyingKey, srs: Srs) -> None:
        if srs.setup != key.setup:
            raise BatchError(
                f"setup of key {key.shape_name}",
                key.setup.source_hash.hex(),
                srs.setup.source_hash.hex(),
            )
        self.key = key
        self._backend = KernelBackend(srs.bases)

    def prove(self, witness: Witness, observe: Callable[[Stage], None]) -> CheckedProof:
        """Prove, then verify before anybody else sees the proof.

        Raises: BatchError for a witness of another shape; VerificationError when the witness
        does not satisfy the statement.
        """
        if witness.shape_name != self.key.shape_name:
            place = f"witness of batch {witness.statement.batch_number}"
            raise BatchError(place, f"shape {self.key.shape_name}", witness.shape_name)
        clock = StageClock()

        def watch(stage: Stage) -> None:
            clock(stage)
            observe(stage)

        statement = witness.statement
        words, pubdata = statement.words(), statement.pubdata
        tables = {table.name: table for table in witness.tables}
        proof = prove(self.key, margin_system(), words, pubdata, tables, self._backend, watch)
        start = perf_counter()
        verify(self.key, words, pubdata, proof)
        seconds = {str(stage): value for stage, value in clock.seconds.items()}
        return CheckedProof(proof, seconds, perf_counter() - start)


def packaged_key(shape_name: str) -> VerifyingKey:
    """The verifying key of a shape as the verifier brings it.

    Raises: KeyFileError.
    """
    return load_key(PACKAGED_KEYS / f"{shape_name}.json")
