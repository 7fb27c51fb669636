"""Proving the same thing again and again: what of the memory is never given back."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass

from prover.bench.proving import Progress, no_progress
from prover.errors import ProverError
from prover.executors import Executor, ProvingJob
from prover.processes import MIB, resident_bytes
from verifier.verify import verify

GROWTH_PERCENT_MAX = 5.0


class ProofsDiffer(ProverError):
    """Two proofs of one witness are not the same bytes."""


@dataclass(frozen=True, slots=True)
class Soak:
    """Resident memory after each proof."""

    resident_mib: tuple[float, ...]

    @property
    def early(self) -> int:
        """Which proof the last one is compared with: a tenth of the way, the first at least."""
        return max(len(self.resident_mib) // 10, 1)

    @property
    def early_mib(self) -> float:
        return self.resident_mib[self.early - 1]

    @property
    def late_mib(self) -> float:
        return self.resident_mib[-1]

    @property
    def growth_percent(self) -> float:
        return 100 * (self.late_mib / self.early_mib - 1)

    @property
    def is_steady(self) -> bool:
        """Whether the memory grew by no more than is allowed."""
        return self.growth_percent <= GROWTH_PERCENT_MAX


def run_soak(
    executor: Executor,
    job: ProvingJob,
    proofs: int,
    advance: Progress = no_progress,
    resident: Callable[[], int] = resident_bytes,
) -> Soak:
    """Prove a job so many times; the first proof is verified and all others must equal it.

    Raises: VerificationError, ProofsDiffer.
    """
    first = None
    found = []
    for number in range(1, proofs + 1):
        proof = executor.prove(job)
        if first is None:
            first = proof
            verify(job.key, job.words, job.pubdata, proof)
        elif proof != first:
            raise ProofsDiffer(f"proof {number}", "the bytes of the first", "others")
        gc.collect()
        found.append(resident() / MIB)
        advance(1)
    return Soak(tuple(found))
