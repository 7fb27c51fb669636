"""The border between the coordinator and the processes that run its workers."""

from __future__ import annotations

import threading
from collections import deque
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


class Mailbox:
    """Where the threads of a fleet leave signals for the coordinator.

    Beats that nobody has heard yet are one beat, so that they do not pile up.
    """

    def __init__(self) -> None:
        self._signals: deque[Signal] = deque()
        self._beating: set[str] = set()
        self._has_come = threading.Event()

    def put(self, signal: Signal) -> None:
        """Leave a signal; any thread may."""
        if isinstance(signal, Beat):
            self._beating.add(signal.worker)
            return
        self._signals.append(signal)
        self._has_come.set()

    def poll(self, timeout_s: float) -> deque[Signal]:
        """See `Fleet.poll`."""
        if not self._signals:
            self._has_come.clear()
            # One that came in between is seen here.
            if not self._signals:
                self._has_come.wait(timeout_s)
        while self._beating:
            self._signals.append(Beat(self._beating.pop()))
        return self._signals


class Fleet(Protocol):
    """Starts and ends workers and carries messages; it never waits for a worker but in `poll`."""

    def start(self, worker: str) -> None:
        """Begin to start a worker; `Ready` or `Gone` follows."""
        ...

    def send(self, worker: str, message: Message) -> None:
        """Hand a message over; messages arrive in order. A worker that has ended gets nothing."""
        ...

    def poll(self, timeout_s: float) -> deque[Signal]:
        """All signals that have come, oldest first, after waiting at most `timeout_s` for one.

        The caller takes off what it has dealt with, and the next call returns the rest again: a
        caller that is interrupted loses nothing. Workers that were stopped may still be heard.
        """
        ...

    def stop(self, worker: str) -> None:
        """End a worker at once. One that has ended or did not start is no error."""
        ...

    def now(self) -> float:
        """Seconds on a clock that `poll` advances."""
        ...

    def close(self) -> None:
        """End all workers."""
        ...
