"""Where a proof is made: in this process, on worker processes, or on a Ray cluster.

The proof is the same to the byte. `inline` is the plainest; the others survive the death of a
worker, and of the coordinator when the same job is proven again over the same work folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from circuits.air.chip import System
from prover.backend import Tables
from prover.cluster.events import Notify, ignore_event
from prover.compiled.backend import KernelBackend
from prover.errors import SetupMismatch, SetupTooShort
from prover.executor_options import ExecutorKind, ExecutorOptions
from prover.prove import Stage, ignore, prove
from prover.srs_tools import Srs, load
from verifier.key import VerifyingKey


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
    """Reference strings by file and size, each read once: a venue has one or two."""

    def __init__(self) -> None:
        self._found: dict[tuple[Path, int], Srs] = {}

    def of(self, key: VerifyingKey, path: Path) -> Srs:
        """Load the powers that proofs of this shape use and check that the key was made with them.

        Raises: SetupMismatch, SetupTooShort, SrsError, OSError.
        """
        place = path, key.log_chunk
        is_new = place not in self._found
        found = load(path) if is_new else self._found[place]
        if found.setup != key.setup:
            wanted = f"{path}: source hash for the key of shape {key.shape_name}"
            raise SetupMismatch(wanted, key.setup.source_hash.hex(), found.source_hash.hex())
        if len(found.bases) < 1 << key.log_chunk:
            wanted = f"at least 2^{key.log_chunk} for shape {key.shape_name}"
            raise SetupTooShort(f"{path}: powers", wanted, len(found.bases))
        if is_new:
            found = self._found[place] = found.first(1 << key.log_chunk)
        return found


class InlineExecutor:
    """All work in this process, on all threads."""

    def __init__(self) -> None:
        self._setups = Setups()

    def prove(self, job: ProvingJob, observe: Callable[[Stage], None] = ignore) -> bytes:
        """See `Executor.prove`."""
        backend = KernelBackend(self._setups.of(job.key, job.bases_path).bases)
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
            from prover.kernels import threads, warm

            # Once here, or every worker of a new machine would do it at the same time.
            warm()
            with open_coordinator(ProcessFleet(threads()), options, notify) as coordinator:
                yield coordinator
        case ExecutorKind.RAY:
            from prover.cluster.coordinator import open_coordinator
            from prover.cluster.ray_fleet import RayFleet, import_ray
            from prover.kernels import warm

            # Without Ray nothing need be compiled.
            import_ray(is_local=options.address is None)
            if options.address is None:
                warm()
            ray_fleet = RayFleet(options.workers, options.address)
            with open_coordinator(ray_fleet, options, notify) as coordinator:
                yield coordinator
