"""What a node needs from a way to prove."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from prover.node.core import FailureKind, ProvenBatch
from prover.node.jobs import Job
from prover.prove import Stage


class WitnessRefused(Exception):
    """What is wrong with a witness that no attempt can prove."""

    def __init__(self, kind: FailureKind, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


class Work(Protocol):
    """What a node does with a job; for margin batches see `prover.node.work`."""

    @property
    def shapes(self) -> tuple[str, ...]:
        """Names of the shapes it has keys for; other jobs are left to other nodes."""

    def prove(self, job: Job, witness: Path, observe: Callable[[Stage], None]) -> ProvenBatch:
        """A proof that the verifier accepted.

        Raises: WitnessRefused; NotEnoughMemory; whatever else ends this attempt alone.
        """

    def check(self, job: Job, statement: str, proof: bytes) -> None:
        """Accept a proof of the job's statement. Raises: VerificationError, WitnessRefused."""
