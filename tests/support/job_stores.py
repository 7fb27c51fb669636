"""Job stores with small made-up witnesses, and a clock that only tests move."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from prover.node.errors import StoreError
from prover.node.jobs import Job
from prover.node.store import Added, JobStore, NewJob

DOMAIN = 7
SHAPE = "T"
LEASE_MS = 1_000


class Clock:
    """Milliseconds and seconds that stand still until told."""

    def __init__(self, now_ms: int = 1_000_000) -> None:
        self.now_ms = now_ms

    def ms(self) -> int:
        return self.now_ms

    def seconds(self) -> float:
        return self.now_ms / 1000

    def wait(self, seconds: float) -> bool:
        """Let the time pass at once."""
        self.now_ms += round(1000 * seconds)
        return True


def witness_bytes(batch_number: int, version: int = 0) -> bytes:
    return f"witness of batch {batch_number}, version {version}".encode()


def new_job(batch_number: int, version: int = 0, domain: int = DOMAIN) -> NewJob:
    digest = hashlib.sha256(witness_bytes(batch_number, version)).hexdigest()
    return NewJob(domain, batch_number, SHAPE, digest, f"statement of batch {batch_number}")


def add_batch(
    store: JobStore, folder: Path, batch_number: int, version: int = 0, now_ms: int = 0
) -> Added:
    """Add a made-up batch, whose witness file lies in `folder`."""
    path = folder / f"batch-{batch_number}-{version}.witness"
    path.write_bytes(witness_bytes(batch_number, version))
    return store.add(new_job(batch_number, version), path, now_ms)


def store_with(folder: Path, count: int) -> JobStore:
    """A store below `folder` with so many batches queued, numbered from 1."""
    store = JobStore.create(folder / "store")
    for number in range(1, count + 1):
        add_batch(store, folder, number)
    return store


def proof_of(job: Job) -> bytes:
    """What stands for the proof of a job."""
    return f"proof of {job.witness_hash}".encode()


def message(error: type[StoreError], call: Callable[[], object]) -> str:
    """What the error says that a call ends with."""
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)
