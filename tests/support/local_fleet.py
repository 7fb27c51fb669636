"""Workers in the test's own process on a clock of their own, which die, stall and lie as told."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum

from prover.cluster.fleet import Answered, Beat, Gone, Ready, Signal
from prover.cluster.messages import Message, Task
from prover.cluster.steps import Partial
from prover.cluster.worker import Worker

# Far more than all limits of a test together.
_END_S = 10_000.0


class Fate(Enum):
    """What becomes of a task."""

    ANSWERED = "answered"
    DIES = "the worker ends before it answers"
    DIES_AFTER = "the worker answers and ends"
    SILENT = "the worker stands still from now on"
    SLOW = "the worker beats but never answers again"


Script = Callable[[str, Task], Fate]
Lie = Callable[[str, Task, Partial], Partial]


def faithful(worker: str, task: Task) -> Fate:
    return Fate.ANSWERED


def honest(worker: str, task: Task, partial: Partial) -> Partial:
    return partial


@dataclass
class _Local:
    worker: Worker = field(default_factory=Worker)
    inbox: deque[Message] = field(default_factory=deque)
    stands: bool = False
    beats: bool = True


class LocalFleet:
    """Every poll lets each worker take one message; when all are idle or stuck, time passes."""

    def __init__(
        self,
        script: Script = faithful,
        lie: Lie = honest,
        starts: Callable[[str], bool] | None = None,
    ) -> None:
        self.script = script
        self.lie = lie
        self.starts = starts or (lambda worker: True)
        self.workers: dict[str, _Local] = {}
        self.time_s = 0.0
        self.tasks: list[tuple[str, Task]] = []
        self._signals: deque[Signal] = deque()

    def start(self, worker: str) -> None:
        self.workers[worker] = _Local()
        ready = Ready(worker, "this process")
        self._signals.append(ready if self.starts(worker) else Gone(worker, "did not start"))

    def send(self, worker: str, message: Message) -> None:
        if worker in self.workers:
            self.workers[worker].inbox.append(message)

    def poll(self, timeout_s: float) -> deque[Signal]:
        for name, local in list(self.workers.items()):
            if local.inbox and not local.stands:
                self._signals += self._take(name, local)
        if not self._signals:
            self.time_s += timeout_s
            assert self.time_s < _END_S, "the coordinator waits for ever"
            self._signals += [Beat(name) for name, local in self.workers.items() if local.beats]
        return self._signals

    def _take(self, name: str, local: _Local) -> list[Signal]:
        message = local.inbox.popleft()
        if not isinstance(message, Task):
            local.worker.handle(message)
            return []
        self.tasks.append((name, message))
        fate = self.script(name, message)
        if fate is Fate.DIES:
            return [Gone(name, "ended with exit code -9")]
        if fate in (Fate.SILENT, Fate.SLOW):
            local.stands, local.beats = True, fate is Fate.SLOW
            return []
        reply = local.worker.handle(message)
        assert reply is not None
        if reply.partial is not None:
            reply = replace(reply, partial=self.lie(name, message, reply.partial))
        answer: list[Signal] = [Answered(name, reply)]
        return answer + [Gone(name, "ended with exit code -9")] * (fate is Fate.DIES_AFTER)

    def stop(self, worker: str) -> None:
        self.workers.pop(worker, None)

    def end(self, worker: str) -> None:
        """A worker ends by itself."""
        del self.workers[worker]
        self._signals.append(Gone(worker, "ended with exit code -9"))

    def now(self) -> float:
        return self.time_s

    def close(self) -> None:
        self.workers.clear()
