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
"""Pairs of proofs, without and then with a death in a stage: that of the middle ratio counts."""
MISSES_MAX = 10
"""How often a stage may be over before its worker is killed: on a busy machine short ones are."""


class BytesDiffer(ProverError):
    """A disturbed proof is not the undisturbed one."""


class NobodyDied(ProverError):
    """The stage was over before its worker was killed, every time, so nothing was measured."""


@dataclass(frozen=True, slots=True)
class Death:
    """Seconds of a proof with a death in one stage, and of the one without just before it."""

    undisturbed_seconds: float
    seconds: float

    @property
    def ratio(self) -> float:
        """How many times the undisturbed time a death makes of it."""
        return self.seconds / self.undisturbed_seconds


@dataclass(frozen=True, slots=True)
class Deaths:
    """What a death costs, by the stage in which it comes."""

    by_stage: dict[Stage, Death]

    @property
    def worst(self) -> float:
        """The highest ratio."""
        return max(death.ratio for death in self.by_stage.values())


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
    """Prove a job without and with a death in turns, REPEATS times for each stage.

    Workers start during the first proof, and their replacements during the one that comes after
    each death; neither counts.
    Raises: VerificationError, BytesDiffer, NobodyDied.
    """
    first = _timed(executor, job).proof
    verify(job.key, job.words, job.pubdata, first)
    advance(1)
    found = {}
    for stage in stages:
        misses = 0
        pairs: list[Death] = []
        while len(pairs) < REPEATS:
            undisturbed = _timed(executor, job)
            before = watch.killed
            strike = _Strike(stage, undisturbed.stage_seconds[stage] / 2, watch.kill_one)
            death = _timed(executor, job, strike)
            if watch.killed == before:
                misses += 1
                if misses > MISSES_MAX:
                    raise NobodyDied(f"stage {stage}", "time to kill a worker", "none")
                continue
            proofs = (undisturbed.proof, death.proof, _timed(executor, job).proof)
            if any(proof != first for proof in proofs):
                raise BytesDiffer(f"death in {stage}", "the bytes of the first proof", "others")
            pairs.append(Death(undisturbed.seconds, death.seconds))
            advance(len(proofs))
        # Pair by pair, as other work on the machine may slow one pair and not the next. It may
        # also slow half of a pair: the least ratio would count where that is the undisturbed half.
        found[stage] = sorted(pairs, key=lambda pair: pair.ratio)[REPEATS // 2]
    return Deaths(found)


def proof_count(stages: Sequence[Stage]) -> int:
    """How many proofs `measure_deaths` makes when no death comes too late."""
    return 1 + 3 * REPEATS * len(stages)


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
