"""Jobs for clusters: the toy statement with as much shared as possible."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from circuits.air.shape import Shape
from prover.cluster.coordinator import Coordinator, open_coordinator
from prover.cluster.events import ClusterEvent, EventKind
from prover.cluster.settings import ClusterSettings
from prover.compiled.backend import KernelBackend
from prover.executor_options import ExecutorKind, ExecutorOptions
from prover.executors import ProvingJob
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

DEADLINE_S = 60
# Every chip is shared, in few shards so that rows fold before they are handed over, and every
# polynomial of two coefficients or more as well.
SHARE_ALL = ClusterSettings(
    log_shards=2, rows_shared_min=1, rows_handed_max=1, coefficients_shared_min=2
)


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
    return toy_witness([3, 5, 0, 15, 3, 7, 7, 1, 9, 2, 11], [1, 4, 6, 7, 8, 9], [2, 9, 9])


def inline_proof(job: ProvingJob) -> bytes:
    """What every executor must return."""
    bases = points_from_ints(toy_bases(1 << job.key.log_chunk))
    return prove(job.key, job.system, job.words, job.pubdata, job.tables, KernelBackend(bases))


class Watch:
    """Keeps events and stages, and may react to every event or strike once in a stage."""

    def __init__(self, react: Callable[[ClusterEvent], None] | None = None) -> None:
        self.events: list[ClusterEvent] = []
        self.stages: list[Stage] = []
        self._react = react
        self._strike: tuple[Stage, Callable[[], None]] | None = None

    def __call__(self, event: ClusterEvent) -> None:
        self.events.append(event)
        if self._react is not None:
            self._react(event)
        if event.kind is EventKind.ASKED and self._strike and self.stages[-1] is self._strike[0]:
            strike = self._strike[1]
            self._strike = None
            strike()

    def strike_in(self, stage: Stage, strike: Callable[[], None]) -> None:
        """Call `strike` when the first step on workers of this stage begins."""
        self._strike = (stage, strike)

    def details(self, kind: EventKind) -> list[tuple[str, str]]:
        """(worker, detail) of all events of a kind."""
        return [(each.worker, each.detail) for each in self.events if each.kind is kind]

    def process_ids(self) -> dict[str, int]:
        """Those of the workers that joined and were not lost."""
        found = {}
        for event in self.events:
            if event.kind is EventKind.JOINED:
                found[event.worker] = process_id(event)
            elif event.kind is EventKind.LOST:
                found.pop(event.worker, None)
        return found


def process_id(event: ClusterEvent) -> int:
    """Of the worker that an event of the kind JOINED is about."""
    return int(event.detail.split()[1])


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until(condition: Callable[[], bool]) -> bool:
    """Look again until it is so, but not for ever."""
    pause = threading.Event()
    for _ in range(DEADLINE_S * 20):
        if condition():
            return True
        pause.wait(0.05)
    return False


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
