"""The workers that a coordinator counts on: started, heard of, and dropped when lost."""

from __future__ import annotations

from dataclasses import dataclass, field

from prover.cluster.errors import NoWorkerLeft
from prover.cluster.events import ClusterEvent, EventKind, Notify
from prover.cluster.fleet import Answered, Fleet, Gone, Ready, Signal
from prover.cluster.messages import Close, Open, Reply, Task
from prover.cluster.settings import ClusterSettings

# How long one poll waits: often enough to notice that a deadline has passed.
_POLL_S = 0.5


@dataclass(slots=True)
class _Member:
    is_ready: bool = False
    silent_s: float = 0.0
    waited_s: float = 0.0
    tasks: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker that was dropped."""

    worker: str


class Crew:
    """Workers by name, in the order in which they were started.

    A worker's silence and slowness are counted only while the coordinator itself waits, so that
    a coordinator which was busy or suspended does not blame its workers.
    """

    def __init__(self, fleet: Fleet, settings: ClusterSettings, notify: Notify) -> None:
        self._fleet = fleet
        self._settings = settings
        self._notify = notify
        self._members: dict[str, _Member] = {}
        self._started = 0
        self._numbers = 0
        self._last_reason = "none was started"
        self._was_late = False
        self._found: list[tuple[str, Reply] | Lost] = []

    @property
    def workers(self) -> list[str]:
        """Those that take tasks."""
        return [name for name, member in self._members.items() if member.is_ready]

    @property
    def was_late(self) -> bool:
        """Whether the last one lost had not started in time: another would be waited for again."""
        return self._was_late

    def start(self, count: int) -> int:
        """Begin to start workers until there are `count`; return how many were started.

        Raises: ClusterError, OSError.
        """
        # Who has died since the last job is not counted.
        self._listen(0.0)
        started = 0
        while len(self._members) < count:
            self._started += 1
            name = f"worker-{self._started}"
            try:
                self._members[name] = _Member()
                self._fleet.start(name)
            except BaseException:
                self._members.pop(name, None)
                self._fleet.stop(name)
                raise
            started += 1
        return started

    def wait_ready(self) -> None:
        """Wait until all that were started are ready or lost.

        When some are ready the others are waited for `patience_s` at most: whoever comes later
        takes part from the next job on, or as the heir of a lost worker. Replies and losses that
        come meanwhile are left for `wait`.
        Raises: NoWorkerLeft.
        """
        while any(self._is_awaited(member) for member in self._members.values()):
            self._listen(_POLL_S)
        if not self._members:
            raise NoWorkerLeft("cluster", "a worker", f"none: {self._last_reason}")

    def open(self, worker: str, message: Open) -> None:
        """Tell a worker of a job."""
        self._fleet.send(worker, message)

    def close_job(self) -> None:
        """Tell all workers that the job is over; what they still answer is not heard."""
        self._found.clear()
        for worker, member in self._members.items():
            member.tasks.clear()
            self._fleet.send(worker, Close())

    def next_number(self) -> int:
        """A task number that was not used before, by any job."""
        self._numbers += 1
        return self._numbers

    def send(self, worker: str, task: Task) -> None:
        """Hand a task to a worker."""
        member = self._members[worker]
        if not member.tasks:
            member.waited_s = 0.0
        member.tasks.add(task.number)
        self._fleet.send(worker, task)

    def wait(self) -> list[tuple[str, Reply] | Lost]:
        """Replies with who gave them, and workers that were lost since the last call."""
        self._listen(0.0 if self._found else _POLL_S)
        found, self._found = self._found, []
        return found

    def drop(self, worker: str, reason: str) -> None:
        """End a worker; `wait` reports it once more."""
        if worker in self._members:
            self._fleet.stop(worker)
            del self._members[worker]
            self._last_reason, self._was_late = f"{worker} {reason}", False
            self._found.append(Lost(worker))
            self._notify(ClusterEvent(EventKind.LOST, worker, reason))

    def _listen(self, timeout_s: float) -> None:
        """Take what has come, or comes in that time.

        A signal is taken off when it was dealt with: after an exception of `notify`, or of a signal
        handler, the next call meets it again, and has the less to do the further this one came.
        """
        began = self._fleet.now()
        signals = self._fleet.poll(timeout_s)
        waited_s = min(self._fleet.now() - began, timeout_s)
        for member in self._members.values():
            member.silent_s += waited_s
            member.waited_s += waited_s
        while signals:
            self._handle(signals[0])
            signals.popleft()
        self._drop_late()

    def _handle(self, signal: Signal) -> None:
        member = self._members.get(signal.worker)
        if member is None:
            return
        member.silent_s = 0.0
        match signal:
            case Ready(worker, place) if not member.is_ready:
                member.is_ready = True
                self._notify(ClusterEvent(EventKind.JOINED, worker, place))
            case Answered(worker, reply) if reply.number in member.tasks:
                member.waited_s = 0.0
                if reply.partial is None:
                    self.drop(worker, f"failed: {reply.failure}")
                else:
                    self._found.append((worker, reply))
                member.tasks.discard(reply.number)
            case Gone(worker, reason):
                self.drop(worker, reason)
            case _:
                pass

    def _is_awaited(self, member: _Member) -> bool:
        return not member.is_ready and (
            member.waited_s <= self._settings.patience_s or not self.workers
        )

    def _drop_late(self) -> None:
        settings = self._settings
        for name, member in list(self._members.items()):
            if not member.is_ready:
                if member.waited_s > settings.start_max_s:
                    self.drop(name, f"did not start within {settings.start_max_s:g} s")
                    self._was_late = True
            elif member.silent_s > settings.silence_max_s:
                self.drop(name, f"silent for more than {settings.silence_max_s:g} s")
            elif member.tasks and member.waited_s > settings.reply_max_s:
                self.drop(name, f"slow: no answer within {settings.reply_max_s:g} s")
