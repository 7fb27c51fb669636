"""Where a proof is made: in this process, on worker processes, or on a Ray cluster.

The proof is the same to the byte. `inline` is the plainest; the others survive the death of a
worker, and of the coordinator when the same job is proven again over the same work folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from circuits.air.chip import System
from prover.backend import Tables
from prover.cluster.events import Notify, ignore_event
from prover.cluster.settings import ClusterSettings
from prover.compiled.backend import KernelBackend
from prover.errors import SetupMismatch, SetupTooShort
from prover.prove import Stage, ignore, prove
from prover.srs_tools import Srs, load
from verifier.key import VerifyingKey


class ExecutorKind(StrEnum):
    """Where the work is done."""

    INLINE = "inline"
    PROCESS = "process"
    RAY = "ray"


@dataclass(frozen=True, slots=True)
class ExecutorOptions:
    """`address` is that of a Ray cluster to join; without one Ray starts on this machine.

    `work_dir` holds a folder per job with the witness and what is known of its proof; workers on
    other machines must see it under the same path. `inline` needs neither.
    """

    kind: ExecutorKind
    workers: int
    address: str | None
    work_dir: Path
    settings: ClusterSettings = field(default_factory=ClusterSettings)


@dataclass(frozen=True, slots=True)
class ProvingJob:
    """A statement with its witness. `job_id` names the job's folder: a plain file name."""

    key: VerifyingKey
    system: System
    words: Sequence[int]
    pubdata: Sequence[int]
    tables: Tables
    bases_path: Path
    job_id: str


class Executor(Protocol):
    """Makes one proof after the other."""

    def prove(self, job: ProvingJob, observe: Callable[[Stage], None] = ignore) -> bytes:
        """Proof bytes, which the caller must verify before it hands them on (see `prover.prove`).

        Raises: ProverError, SrsError, OSError.
        """
        ...


class Setups:
    """The reference strings of an executor's jobs, the last one kept."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._srs: Srs | None = None

    def of(self, job: ProvingJob) -> Srs:
        """Load the job's string and check that its key was made with it.

        Raises: SetupMismatch, SetupTooShort, SrsError, OSError.
        """
        if self._srs is None or self._path != job.bases_path:
            self._srs, self._path = load(job.bases_path), job.bases_path
        if self._srs.setup != job.key.setup:
            place = f"{job.bases_path}: source hash"
            wanted = f"{job.key.setup.source_hash.hex()} as the key pins it"
            raise SetupMismatch(place, wanted, self._srs.source_hash.hex())
        if len(self._srs.bases) < 1 << job.key.log_chunk:
            wanted = f"at least 2^{job.key.log_chunk} for shape {job.key.shape_name}"
            raise SetupTooShort(f"{job.bases_path}: powers", wanted, len(self._srs.bases))
        return self._srs


class InlineExecutor:
    """All work in this process, on all threads."""

    def __init__(self) -> None:
        self._setups = Setups()

    def prove(self, job: ProvingJob, observe: Callable[[Stage], None] = ignore) -> bytes:
        """See `Executor.prove`."""
        backend = KernelBackend(self._setups.of(job).bases)
        return prove(job.key, job.system, job.words, job.pubdata, job.tables, backend, observe)


@contextmanager
def open_executor(options: ExecutorOptions, notify: Notify = ignore_event) -> Iterator[Executor]:
    """An executor whose workers live as long as the block. `notify` hears of cluster events.

    Raises: ModuleNotFoundError when Ray is asked for and not installed; ClusterError when a Ray
    cluster cannot be joined.
    """
    match options.kind:
        case ExecutorKind.INLINE:
            yield InlineExecutor()
        case ExecutorKind.PROCESS:
            from prover.cluster.coordinator import open_coordinator
            from prover.cluster.processes import ProcessFleet
            from prover.kernels.parallel import threads

            with open_coordinator(ProcessFleet(threads()), options, notify) as coordinator:
                yield coordinator
        case ExecutorKind.RAY:
            from prover.cluster.coordinator import open_coordinator
            from prover.cluster.ray_fleet import RayFleet

            ray_fleet = RayFleet(options.workers, options.address)
            with open_coordinator(ray_fleet, options, notify) as coordinator:
                yield coordinator
