"""The border between the coordinator and the processes that run its workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from prover.cluster.messages import Message, Reply


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker has started and takes tasks. `place` says where: a process id, a node."""

    worker: str
    place: str


@dataclass(frozen=True, slots=True)
class Beat:
    """A worker is alive, whatever its task does."""

    worker: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A worker's reply to a task."""

    worker: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class Gone:
    """A worker has ended."""

    worker: str
    reason: str


Signal = Ready | Beat | Answered | Gone


class Fleet(Protocol):
    """Starts and ends workers and carries messages; it never waits for a worker but in `poll`."""

    def start(self, worker: str) -> None:
        """Begin to start a worker; `Ready` or `Gone` follows."""
        ...

    def send(self, worker: str, message: Message) -> None:
        """Hand a message over; messages arrive in order. A worker that has ended gets nothing."""
        ...

    def poll(self, timeout_s: float) -> list[Signal]:
        """All signals that have come, after waiting for the first one for at most `timeout_s`."""
        ...

    def stop(self, worker: str) -> None:
        """End a worker at once; what it still says is not heard."""
        ...

    def now(self) -> float:
        """Seconds on a clock that `poll` advances."""
        ...

    def close(self) -> None:
        """End all workers."""
        ...
