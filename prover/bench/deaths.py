"""What the death of a worker costs: one killed in every stage of a proof."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Timer
from time import perf_counter

from prover.bench.proving import Progress, no_progress
from prover.cluster.events import ClusterEvent, EventKind
from prover.errors import ProverError
from prover.executors import Executor, ProvingJob
from prover.prove import Stage, StageClock
from verifier.verify import verify

STAGES = (Stage.COMMIT, Stage.HELPERS, Stage.SUMCHECK, Stage.REDUCTION, Stage.OPENING)
RATIO_MAX = 2.0
REPEATS = 3
"""Proofs of each kind, undisturbed and by stage of the death: the fastest of a kind counts."""


class BytesDiffer(ProverError):
    """A disturbed proof is not the undisturbed one."""


class NobodyDied(ProverError):
    """The stage was over before its worker was killed, so nothing was measured."""


@dataclass(frozen=True, slots=True)
class Deaths:
    """Seconds of the fastest undisturbed proof, and of that with a death in each stage."""

    undisturbed_seconds: float
    seconds: dict[Stage, float]

    def ratio(self, stage: Stage) -> float:
        """How many times the undisturbed time a proof takes with a death in this stage."""
        return self.seconds[stage] / self.undisturbed_seconds

    @property
    def worst(self) -> float:
        """The highest ratio."""
        return max(map(self.ratio, self.seconds))


class WorkerWatch:
    """Hears of an executor's workers, and which processes of this machine they are."""

    def __init__(self) -> None:
        self.process_ids: dict[str, int] = {}
        self.killed = 0

    def __call__(self, event: ClusterEvent) -> None:
        if event.kind is EventKind.JOINED:
            self.process_ids[event.worker] = int(event.detail.split()[1])
        elif event.kind is EventKind.LOST:
            self.process_ids.pop(event.worker, None)

    def kill_one(self) -> None:
        """Kill the worker that joined last, as the system does with one that takes too much."""
        if self.process_ids:
            with suppress(ProcessLookupError):
                os.kill(list(self.process_ids.values())[-1], signal.SIGKILL)
                self.killed += 1


class _Strike:
    """Kills a worker in the middle of a stage, by the time that the stage takes undisturbed."""

    def __init__(self, stage: Stage, after_seconds: float, kill: Callable[[], None]) -> None:
        self._stage = stage
        self._timer = Timer(after_seconds, kill)

    def __call__(self, stage: Stage) -> None:
        # A timer that is cancelled before its start never fires.
        if stage is self._stage:
            self._timer.start()
        elif self._timer.is_alive():
            self._timer.cancel()


def measure_deaths(
    executor: Executor,
    watch: WorkerWatch,
    job: ProvingJob,
    stages: Sequence[Stage] = STAGES,
    advance: Progress = no_progress,
) -> Deaths:
    """Prove a job undisturbed, then with a death in each stage, every time REPEATS times.

    Workers start during the first proof, and their replacements during the one that comes before
    each further death; neither counts.
    Raises: VerificationError, BytesDiffer, NobodyDied.
    """
    first = _timed(executor, job)
    verify(job.key, job.words, job.pubdata, first.proof)
    advance(1)
    undisturbed = []
    for _ in range(REPEATS):
        undisturbed.append(_timed(executor, job))
        advance(1)
    fastest = min(undisturbed, key=lambda each: each.seconds)
    proofs = [each.proof for each in undisturbed]
    seconds: dict[Stage, float] = {}
    for number, stage in enumerate(each for each in stages for _ in range(REPEATS)):
        if number:
            proofs.append(_timed(executor, job).proof)
            advance(1)
        before = watch.killed
        strike = _Strike(stage, fastest.stage_seconds[stage] / 2, watch.kill_one)
        disturbed = _timed(executor, job, strike)
        advance(1)
        if watch.killed == before:
            raise NobodyDied(f"stage {stage}", "time to kill a worker", "none")
        proofs.append(disturbed.proof)
        seconds[stage] = min(disturbed.seconds, seconds.get(stage, disturbed.seconds))
    if any(proof != first.proof for proof in proofs):
        raise BytesDiffer("proofs with deaths", "the bytes of an undisturbed one", "others")
    return Deaths(fastest.seconds, seconds)


def proof_count(stages: Sequence[Stage]) -> int:
    """How many proofs `measure_deaths` makes."""
    return 1 + REPEATS + 2 * REPEATS * len(stages) - 1


@dataclass(frozen=True, slots=True)
class _Timed:
    proof: bytes
    seconds: float
    stage_seconds: dict[Stage, float]


def _timed(
    executor: Executor, job: ProvingJob, observe: Callable[[Stage], None] | None = None
) -> _Timed:
    clock = StageClock()

    def watch(stage: Stage) -> None:
        clock(stage)
        if observe is not None:
            observe(stage)

    start = perf_counter()
    proof = executor.prove(job, watch)
    return _Timed(proof, perf_counter() - start, dict(clock.seconds))
