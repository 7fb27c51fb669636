"""Jobs for clusters: the toy statement with as much shared as possible."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from circuits.air.shape import Shape
from prover.cluster.coordinator import Coordinator, open_coordinator
from prover.cluster.events import ClusterEvent, EventKind
from prover.cluster.settings import ClusterSettings
from prover.compiled.backend import KernelBackend
from prover.executors import ExecutorKind, ExecutorOptions, ProvingJob
from prover.kernels.msm import points_from_ints
from prover.prove import Stage, prove
from prover.srs_tools import Srs, save
from tests.support.local_fleet import LocalFleet
from tests.support.toy_system import (
    ToyWitness,
    toy_bases,
    toy_key,
    toy_shape,
    toy_system,
    toy_witness,
)

# Every chip is shared, in few shards so that rows fold before they are handed over, and every
# polynomial of two coefficients or more as well.
SHARE_ALL = ClusterSettings(log_shards=2, rows_shared_min=1, coefficients_shared_min=2)


def toy_job(
    folder: Path, witness: ToyWitness | None = None, shape: Shape | None = None
) -> ProvingJob:
    """A job over the toy statement, its reference string written to the folder."""
    witness = witness or small_witness()
    key = toy_key(shape or toy_shape())
    path = folder / f"toy-{key.log_chunk}.srs"
    if not path.exists():
        bases = points_from_ints(toy_bases(1 << key.log_chunk))
        setup = key.setup
        save(Srs(bases, setup.tau_g2, setup.source_hash, setup.insecure), path)
    return ProvingJob(
        key, toy_system(), witness.words, witness.pubdata, witness.tables, path, "toy"
    )


@cache
def small_witness() -> ToyWitness:
    return toy_witness([3, 5, 0, 15, 3], [1, 4], [2, 9, 9])


def inline_proof(job: ProvingJob) -> bytes:
    """What every executor must return."""
    bases = points_from_ints(toy_bases(1 << job.key.log_chunk))
    return prove(job.key, job.system, job.words, job.pubdata, job.tables, KernelBackend(bases))


class Watch:
    """Keeps events, and may react to them."""

    def __init__(self, react: Callable[[ClusterEvent], None] | None = None) -> None:
        self.events: list[ClusterEvent] = []
        self.stages: list[Stage] = []
        self.react = react

    def __call__(self, event: ClusterEvent) -> None:
        self.events.append(event)
        if self.react is not None:
            self.react(event)

    def details(self, kind: EventKind) -> list[tuple[str, str]]:
        """(worker, detail) of all events of a kind."""
        return [(each.worker, each.detail) for each in self.events if each.kind is kind]


@contextmanager
def local_cluster(
    folder: Path,
    fleet: LocalFleet,
    workers: int = 2,
    settings: ClusterSettings = SHARE_ALL,
    watch: Watch | None = None,
) -> Iterator[Coordinator]:
    """A coordinator over workers in this process."""
    options = ExecutorOptions(ExecutorKind.PROCESS, workers, None, folder / "work", settings)
    with open_coordinator(fleet, options, watch or Watch()) as coordinator:
        yield coordinator
