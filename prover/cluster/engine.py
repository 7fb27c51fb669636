"""The steps of one proof on workers: who owns what, what was answered, what a death changes."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from prover.cluster.checkpoint import Checkpoint
from prover.cluster.crew import Crew, Lost
from prover.cluster.errors import NoWorkerLeft
from prover.cluster.events import ClusterEvent, EventKind, Notify
from prover.cluster.ledger import Ledger
from prover.cluster.machine import Machine, commit_range
from prover.cluster.messages import Open, Task
from prover.cluster.parcels import (
    LooseParcel,
    Parcel,
    SpanParcel,
    cell_parcels,
    coefficient_parcels,
)
from prover.cluster.plans import Plans
from prover.cluster.plausible import fault_of
from prover.cluster.settings import ClusterSettings
from prover.cluster.shards import Span, assign
from prover.cluster.steplog import Follower, StepLog
from prover.cluster.steps import (
    Asked,
    Combine,
    CommitCells,
    CommitRange,
    Partial,
    Points,
    RoundSums,
    StartZerocheck,
    Told,
    name_of,
    needed,
    total,
)
from verifier.transcript import Point

# So many loose parcels a worker has at a time: the next is there when one is answered.
_AHEAD = 2
# Who is to answer what, by the number of the task.
_Waiting = dict[int, tuple[str, Parcel]]


@dataclass(slots=True)
class _Owner:
    """What a worker owns, what of it was loaded, and how much of the log it was told."""

    spans: list[Span] = field(default_factory=list)
    loaded: set[Span] = field(default_factory=set)
    told: int = 0


class Engine:
    """Drives a crew through one proof, or takes answers from a checkpoint while it has them.

    `home` is the coordinator's own machine over the chips that are not shared, `worker_count` what
    the crew is brought to when workers are first needed.
    Raises: NoWorkerLeft from every ask that needs workers.
    """

    def __init__(
        self,
        crew: Crew,
        worker_count: int,
        message: Open,
        plans: Plans,
        home: Machine,
        bases: np.ndarray,
        checkpoint: Checkpoint,
        ledger: Ledger,
        settings: ClusterSettings,
        notify: Notify,
    ) -> None:
        self._crew = crew
        self._worker_count = worker_count
        self._message = message
        self._plan = message.job.plan
        self._plans = plans
        self._bases = bases
        self._checkpoint = checkpoint
        self._ledger = ledger
        self._settings = settings
        self._notify = notify
        self._log = StepLog()
        home_spans = tuple(self._plan.home_spans())
        self._home = Follower(home, home_spans, self._log, takes_over=True)
        self._owners: dict[str, _Owner] | None = None
        self._replacements = settings.replacements_max

    def tell(self, step: Told) -> None:
        """Workers hear of it with the next ask that they have a part in."""
        self._log.tell(step)

    def ask(self, step: Asked, *, shared: bool) -> Partial:
        """The sum of all answers, recorded unless it is bulk."""
        number, place = self._log.ask(step)
        recorded = self._checkpoint.find(number, place)
        if recorded is not None:
            return recorded
        if shared and self._plan.shared:
            answer = total(self._ask_workers(number, step))
        else:
            answer = total([self._home.answer(step)])
        if not isinstance(step, Combine):
            self._checkpoint.append(number, place, answer)
        return answer

    def commit(self, elements: np.ndarray) -> Point:
        """Split by index ranges; a short polynomial is not worth a message."""
        step = CommitRange(0, elements)
        if len(elements) < self._settings.coefficients_shared_min:
            return commit_range(self._bases, step).values[0]
        number, place = self._log.ask(step)
        answer = self._checkpoint.find(number, place)
        if answer is None:
            workers = len(self._ready_owners())
            self._begin(number, step)
            answer = total(self._deal(number, coefficient_parcels(step, workers)))
            self._checkpoint.append(number, place, answer)
        if not isinstance(answer, Points):
            raise TypeError(f"expected a point, got {type(answer)}")
        return answer.values[0]

    def _ask_workers(self, number: int, step: Asked) -> list[Partial]:
        """The parts of all workers, and the coordinator's own."""
        owners = self._ready_owners()
        self._begin(number, step)
        if isinstance(step, CommitCells):
            return self._deal(number, cell_parcels(self._message.job, step, len(owners)))
        waiting = self._send_all(
            (worker, SpanParcel(step, tuple(owner.spans)))
            for worker, owner in owners.items()
            if owner.spans
        )
        answers = [self._home.answer(step)]
        self._make_plans(step)
        return answers + self._wait_all(number, waiting, deque())

    def _deal(self, number: int, parcels: Sequence[LooseParcel]) -> list[Partial]:
        """The answers to parcels that any worker may take."""
        return self._wait_all(number, {}, deque(parcels))

    def _make_plans(self, step: Asked) -> None:
        """The plans that sums are read with, made while workers make the same ones."""
        starts = [each for each in self._log.steps if isinstance(each, StartZerocheck)]
        if starts and isinstance(step, RoundSums):
            for number in self._plan.shared:
                self._plans.of(starts[-1].batching, number)

    def _begin(self, number: int, step: Asked | CommitRange) -> None:
        self._ledger.begin(number)
        self._notify(ClusterEvent(EventKind.ASKED, "", name_of(step)))

    def _ready_owners(self) -> dict[str, _Owner]:
        """Owners of all shared spans, which are handed out when workers are first needed."""
        if self._owners is None:
            if len(self._checkpoint):
                detail = f"{len(self._checkpoint)} answers of an earlier attempt are used"
                self._notify(ClusterEvent(EventKind.RESUMED, "", detail))
            self._crew.start(self._worker_count)
            self._wait_ready()
            self._owners = {}
            self._own(self._plan.shared_spans())
        return self._owners

    def _own(self, spans: Sequence[Span]) -> dict[str, tuple[Span, ...]]:
        """Split spans over all workers there are; return who got what."""
        owners = self._owners or {}
        moved = dict(assign(spans, self._crew.workers))
        for worker, parts in moved.items():
            if worker not in owners:
                self._crew.open(worker, self._message)
                owners[worker] = _Owner()
            owners[worker].spans += parts
        self._owners = owners
        return moved

    def _send_all(self, parcels: Iterable[tuple[str, Parcel]]) -> _Waiting:
        waiting: _Waiting = {}
        for worker, parcel in parcels:
            task = self._task(worker, parcel)
            waiting[task.number] = (worker, parcel)
            self._crew.send(worker, task)
        return waiting

    def _task(self, worker: str, parcel: Parcel) -> Task:
        number = self._crew.next_number()
        if isinstance(parcel, LooseParcel):
            return Task(number, (), (), (), parcel.ask, ())
        owner = (self._owners or {})[worker]
        # The last step of the log is the ask itself.
        position = len(self._log.steps) - 1
        adopted = tuple(span for span in owner.spans if span not in owner.loaded)
        steps = self._log.steps[owner.told : position] if owner.loaded else []
        history = self._log.steps[:position] if adopted else []
        owner.loaded.update(adopted)
        owner.told = position
        return Task(number, needed(steps), adopted, needed(history), parcel.ask, parcel.spans)

    def _wait_all(
        self, number: int, waiting: _Waiting, backlog: deque[LooseParcel]
    ) -> list[Partial]:
        """All answers; parcels of the backlog go to whoever has little left to do."""
        answers = []
        while waiting or backlog:
            self._hand_out(waiting, backlog)
            for found in self._crew.wait():
                if isinstance(found, Lost):
                    self._reassign(found.worker, waiting, backlog)
                    continue
                worker, reply = found
                if reply.number not in waiting or reply.partial is None:
                    continue
                _, parcel = waiting[reply.number]
                fault = self._fault_of(reply.partial, parcel)
                if fault:
                    # Its parcel stays with it until the crew reports the loss.
                    detail = f"{name_of(parcel.ask)}: {fault}"
                    self._notify(ClusterEvent(EventKind.GUILTY, worker, detail))
                    self._crew.drop(worker, detail)
                    continue
                del waiting[reply.number]
                self._ledger.note(number, worker, parcel, reply.partial)
                answers.append(reply.partial)
        return answers

    def _hand_out(self, waiting: _Waiting, backlog: deque[LooseParcel]) -> None:
        """Give workers what they lack to have `_AHEAD` parcels each, one after the other."""
        held = Counter(worker for worker, _ in waiting.values())
        owners = [worker for worker in self._crew.workers if worker in (self._owners or {})]
        for wanted in range(1, _AHEAD + 1):
            for worker in owners:
                if backlog and held[worker] < wanted:
                    waiting |= self._send_all([(worker, backlog.popleft())])
                    held[worker] += 1

    def _fault_of(self, partial: Partial, parcel: Parcel) -> str:
        # The last step of the log is the ask itself.
        steps = self._log.steps[:-1] if isinstance(parcel, SpanParcel) else ()
        return fault_of(partial, parcel, self._message.job, self._plans, steps)

    def _reassign(self, lost: str, waiting: _Waiting, backlog: deque[LooseParcel]) -> None:
        """Hand what a lost worker owned, and what it has not answered, to the others."""
        owner = (self._owners or {}).pop(lost, None)
        if owner is None:
            return
        unanswered = [n for n, (worker, _) in waiting.items() if worker == lost]
        parcels = [waiting.pop(task)[1] for task in unanswered]
        if not self._crew.workers:
            self._replace()
            self._wait_ready()
        moved = self._own(owner.spans)
        detail = f"{sum(map(_shards, owner.spans))} shards go to {', '.join(moved)}"
        self._notify(ClusterEvent(EventKind.REASSIGNED, lost, detail))
        for parcel in parcels:
            if isinstance(parcel, LooseParcel):
                backlog.append(parcel)
            else:
                waiting |= self._send_all(
                    (worker, SpanParcel(parcel.ask, inside))
                    for worker, parts in moved.items()
                    if (inside := tuple(p for p in parts if _is_inside(p, parcel.spans)))
                )

    def _wait_ready(self) -> None:
        """Wait for who was started; if all are lost before they are ready, for who replaces them.

        One that does not start in time is not replaced: the next would be waited for as long.
        Raises: NoWorkerLeft.
        """
        while True:
            try:
                return self._crew.wait_ready()
            except NoWorkerLeft:
                if self._crew.was_late or not self._replacements:
                    raise
            self._replace()

    def _replace(self) -> None:
        self._replacements -= self._crew.start(min(self._replacements, self._worker_count))


def _is_inside(part: Span, spans: Sequence[Span]) -> bool:
    return any(
        part.chip == span.chip and span.first <= part.first and part.stop <= span.stop
        for span in spans
    )


def _shards(span: Span) -> int:
    return span.stop - span.first
