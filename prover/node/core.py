"""What a node does next: a state machine without I/O, clocks or threads.

The shell in `prover.node.node` asks `next()` for an action, carries it out, and tells what came of
it by one of the `on_...` methods. Signals and the job store only set flags; the node comes to them
between two actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from circuits.cli_support import ExitCode
from prover.node.jobs import Job
from prover.prove import Stage

WAIT_MAX_S = 30.0
_DOUBLINGS_MAX = 20
DRAIN_TRIES = 2
"""How often a node that drains tries to reach a store that is away before it leaves anyway."""
SHORTAGES_MAX = 5
"""How often a bounded run finds only jobs that lack memory before it leaves."""


class Mode(StrEnum):
    """When a node stops by itself."""

    FOREVER = "forever"
    UNTIL_EMPTY = "until empty"
    ONCE = "once"


class FailureKind(StrEnum):
    """Why a job was not proven; the label of the failure metric."""

    WITNESS = "witness"
    RULE = "rule"
    MEMORY = "memory"
    CLUSTER = "cluster"
    DEFECT = "defect"


@dataclass(frozen=True, slots=True)
class Failure:
    """`is_final`: no other attempt at this witness can end otherwise."""

    kind: FailureKind
    reason: str
    is_final: bool


@dataclass(frozen=True, slots=True)
class Shortage:
    """Too little memory on this machine now, which says nothing of the job."""

    reason: str


@dataclass(frozen=True, slots=True)
class Occupied:
    """Another process still works in the job's folder, which says nothing of the job either."""

    reason: str


@dataclass(frozen=True, slots=True)
class ProvenBatch:
    """A proof that the verifier accepted, and what it took."""

    proof: bytes
    stage_seconds: Mapping[Stage, float]
    verify_seconds: float
    cells: int

    @property
    def prove_seconds(self) -> float:
        """All stages together."""
        return sum(self.stage_seconds.values())


@dataclass(frozen=True, slots=True)
class Join:
    """List the node with the store."""


@dataclass(frozen=True, slots=True)
class Recover:
    """Publish what an earlier node of this machine left in the spool."""


@dataclass(frozen=True, slots=True)
class Take:
    """Ask the store for a job, but for none of `passed_over`."""

    passed_over: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Prove:
    job: Job


@dataclass(frozen=True, slots=True)
class Publish:
    job: Job
    proven: ProvenBatch


@dataclass(frozen=True, slots=True)
class Report:
    job: Job
    failure: Failure


@dataclass(frozen=True, slots=True)
class Postpone:
    job: Job
    hindrance: Shortage | Occupied


@dataclass(frozen=True, slots=True)
class Release:
    job: Job


@dataclass(frozen=True, slots=True)
class Review:
    """Ask the store which of these jobs, that were not proven here, have been proven since."""

    job_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Wait:
    seconds: float


@dataclass(frozen=True, slots=True)
class Leave:
    exit_code: ExitCode


Action = (
    Join | Recover | Take | Prove | Publish | Report | Postpone | Release | Review | Wait | Leave
)
Result = ProvenBatch | Failure | Shortage | Occupied


class NodeCore:
    """One node: the job in hand, what came of it, and whether to go on."""

    def __init__(self, mode: Mode, poll_s: float) -> None:
        self.mode = mode
        self.poll_s = poll_s
        self.job: Job | None = None
        self.published_count = 0
        self.failed_count = 0
        self.is_drain_signalled = False
        self.is_drain_ordered = False
        self.is_leaving = False
        self._result: Result | None = None
        self._unproven: set[int] = set()
        self._is_reviewed = False
        self._is_joined = False
        self._is_recovered = False
        self._is_done = False
        self._is_interrupted = False
        self._wait_s = 0.0
        self._misses = 0
        self._shortages = 0
        # Given back for lack of memory; as long as others are free, those are tried first.
        self._too_large: frozenset[int] = frozenset()

    @property
    def is_draining(self) -> bool:
        """Whether it takes no more jobs."""
        return self.is_drain_signalled or self.is_drain_ordered

    @property
    def has_proof(self) -> bool:
        """Whether a proof is in hand that the store does not have yet."""
        return isinstance(self._result, ProvenBatch)

    def next(self) -> Action:
        """What to do now."""
        if self.is_leaving:
            return self._leave()
        if self._shortages >= SHORTAGES_MAX and self.mode is not Mode.FOREVER:
            return Leave(ExitCode.REFUSED)
        if self._wait_s:
            seconds, self._wait_s = self._wait_s, 0.0
            return Wait(seconds)
        if self.job is not None:
            return self._with_job(self.job)
        if self.is_draining:
            return Leave(ExitCode.OK)
        if not self._is_joined:
            return Join()
        if self._is_done:
            return self._end()
        return Take(self._too_large) if self._is_recovered else Recover()

    def on_joined(self) -> None:
        """The store knows the node."""
        self._misses = 0
        self._is_joined = True

    def on_recovered(self) -> None:
        """The spool holds nothing more for this store."""
        self._misses = 0
        self._is_recovered = True

    def on_taken(self, job: Job) -> None:
        """The store gave a job."""
        self._misses = 0
        self.job = job

    def on_nothing(self, waiting: int) -> None:
        """The store gave none; so many jobs wait for a later time or are in other hands.

        If some were passed over, they come next, after a pause: others may use memory meanwhile.
        """
        self._misses = 0
        self._is_done = self.mode is Mode.ONCE or (self.mode is Mode.UNTIL_EMPTY and not waiting)
        if self._is_done:
            return
        self._wait_s = self.poll_s
        if self._too_large:
            self._wait_s = self._pause_s(self._shortages)
            self._shortages += 1
            self._too_large = frozenset()

    def on_away(self) -> None:
        """The store could not be reached; the same action comes again after a while."""
        self._wait_s = self._pause_s(self._misses)
        self._misses += 1

    def on_result(self, result: Result) -> None:
        """The job in hand was proven, or was not."""
        self._misses = 0
        self._result = result
        if not isinstance(result, Shortage | Occupied):
            self._shortages = 0
        if isinstance(result, ProvenBatch):
            self._too_large = frozenset()

    def on_recorded(self) -> None:
        """The store has the result of the job in hand."""
        is_proven = self.has_proof
        if is_proven:
            self.published_count += 1
        else:
            self.failed_count += 1
        self._close(is_proven=is_proven)

    def on_postponed(self) -> None:
        """The job in hand was given back, which says nothing of other jobs."""
        assert self.job is not None
        if isinstance(self._result, Shortage):
            self.failed_count += 1
            self._too_large |= {self.job.id}
        self._close(is_proven=False)

    def on_lost(self) -> None:
        """The job in hand belongs to another node by now, or is done with."""
        self._close(is_proven=False)

    def on_released(self) -> None:
        """The job in hand was given back, or its lease is left to run out."""
        self._is_interrupted = True
        self._close(is_proven=False)

    def on_reviewed(self, proven: AbstractSet[int]) -> None:
        """These of the reviewed jobs are proven by now."""
        self._misses = 0
        self._unproven -= proven
        self._is_reviewed = True

    def _pause_s(self, count: int) -> float:
        # More doublings than that make no longer pause, and in the end no float either.
        return min(self.poll_s * 2 ** min(count, _DOUBLINGS_MAX), WAIT_MAX_S)

    def _close(self, *, is_proven: bool) -> None:
        assert self.job is not None
        if is_proven:
            self._unproven.discard(self.job.id)
        else:
            self._unproven.add(self.job.id)
        self._misses = 0
        self.job = self._result = None
        self._is_done = self.mode is Mode.ONCE

    def _end(self) -> Action:
        if self._unproven and not self._is_reviewed:
            return Review(frozenset(self._unproven))
        return Leave(ExitCode.REFUSED if self._unproven else ExitCode.OK)

    def _with_job(self, job: Job) -> Action:
        if self.is_draining and self._misses >= DRAIN_TRIES:
            # A proof stays in the spool, and a lease ends by itself.
            return Leave(ExitCode.INTERRUPTED)
        match self._result:
            case None:
                return Prove(job)
            case Failure() as failure:
                return Report(job, failure)
            case Shortage() | Occupied() as hindrance:
                return Postpone(job, hindrance)
            case proven:
                return Publish(job, proven)

    def _leave(self) -> Action:
        # What came of a job without a proof comes of it again. A proof lies in the spool.
        if self.job is not None and not self.has_proof:
            return Release(self.job)
        is_undone = self._is_interrupted or self.job is not None
        return Leave(ExitCode.INTERRUPTED if is_undone else ExitCode.OK)
