"""What the tests of the cluster share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from prover import srs_tools
from prover.cluster import coordinator
from prover.executors import ProvingJob
from tests.support.cluster_jobs import inline_proof, toy_job
from verifier.errors import OpeningMismatch
from verifier.key import VerifyingKey


@pytest.fixture
def expect(monkeypatch) -> Callable[[ProvingJob], bytes]:
    """Let coordinators verify a job without pairings; return the one right proof of it.

    A proof is deterministic: the verifier accepts exactly the inline one of a right witness.
    """
    expected = {}

    def verify(
        key: VerifyingKey, words: Sequence[int], pubdata: Sequence[int], proof: bytes
    ) -> None:
        if proof != expected[key.digest, tuple(words)]:
            raise OpeningMismatch("proof", "the inline proof", "another one")

    def know(job: ProvingJob) -> bytes:
        proof = inline_proof(job)
        expected[job.key.digest, tuple(job.words)] = proof
        return proof

    monkeypatch.setattr(coordinator, "verify", verify)
    monkeypatch.setattr(srs_tools, "is_valid_g2", lambda point: True)
    return know


@pytest.fixture
def quick_job(tmp_path, expect) -> ProvingJob:
    """The toy job, for coordinators that verify quickly."""
    job = toy_job(tmp_path)
    expect(job)
    return job
