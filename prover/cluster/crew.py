"""The workers that a coordinator counts on: started, heard of, and dropped when lost."""

from __future__ import annotations

from dataclasses import dataclass, field

from prover.cluster.errors import NoWorkerLeft
from prover.cluster.events import ClusterEvent, EventKind, Notify
from prover.cluster.fleet import Answered, Beat, Fleet, Gone, Ready
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
        self._lost: list[Lost] = []

    @property
    def workers(self) -> list[str]:
        """Those that take tasks."""
        return [name for name, member in self._members.items() if member.is_ready]

    def start(self, count: int) -> None:
        """Begin to start workers until there are `count`."""
        while len(self._members) < count:
            self._started += 1
            name = f"worker-{self._started}"
            self._members[name] = _Member()
            self._fleet.start(name)

    def wait_ready(self) -> None:
        """Wait until all that were started are ready or lost.

        Raises: NoWorkerLeft.
        """
        while any(not member.is_ready for member in self._members.values()):
            self.wait()
        if not self._members:
            raise NoWorkerLeft("cluster", "a worker", f"none: {self._last_reason}")

    def open(self, worker: str, message: Open) -> None:
        """Tell a worker of a job."""
        self._fleet.send(worker, message)

    def close_job(self) -> None:
        """Tell all workers that the job is over."""
        for worker in self._members:
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
        began = self._fleet.now()
        found: list[tuple[str, Reply] | Lost] = []
        signals = [] if self._lost else self._fleet.poll(_POLL_S)
        waited_s = min(self._fleet.now() - began, _POLL_S)
        for member in self._members.values():
            member.silent_s += waited_s
            member.waited_s += waited_s
        for signal in signals:
            if signal.worker not in self._members:
                continue
            member = self._members[signal.worker]
            member.silent_s = 0.0
            match signal:
                case Ready(worker, place):
                    member.is_ready = True
                    self._notify(ClusterEvent(EventKind.JOINED, worker, place))
                case Answered(worker, reply):
                    member.tasks.discard(reply.number)
                    member.waited_s = 0.0
                    if reply.partial is None:
                        self.drop(worker, f"failed: {reply.failure}")
                    else:
                        found.append((worker, reply))
                case Gone(worker, reason):
                    self.drop(worker, reason)
                case Beat():
                    pass
        self._drop_late()
        found += self._lost
        self._lost = []
        return found

    def drop(self, worker: str, reason: str) -> None:
        """End a worker; `wait` reports it once more."""
        member = self._members.pop(worker, None)
        if member is not None:
            self._fleet.stop(worker)
            self._last_reason = f"{worker} {reason}"
            self._lost.append(Lost(worker))
            self._notify(ClusterEvent(EventKind.LOST, worker, reason))

    def _drop_late(self) -> None:
        settings = self._settings
        for name, member in list(self._members.items()):
            if not member.is_ready:
                if member.waited_s > settings.start_max_s:
                    self.drop(name, f"did not start within {settings.start_max_s:g} s")
            elif member.silent_s > settings.silence_max_s:
                self.drop(name, f"silent for more than {settings.silence_max_s:g} s")
            elif member.tasks and member.waited_s > settings.reply_max_s:
                self.drop(name, f"slow: no answer within {settings.reply_max_s:g} s")
