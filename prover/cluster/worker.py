"""A worker without input or output: messages in, replies out."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from prover.cluster.machine import Machine, commit_range
from prover.cluster.messages import Message, Open, Reply, Task
from prover.cluster.plans import Plans
from prover.cluster.steps import CommitCells, CommitRange, Partial
from prover.cluster.store import WitnessStore
from prover.executors import Setups


class Worker:
    """What a worker process holds: the open job's machine, and the reference string."""

    def __init__(self) -> None:
        self._machine: Machine | None = None
        self._setups = Setups()
        self._bases = np.empty((0, 0, 0), dtype=np.uint64)
        self._failure = "no job is open"

    def handle(self, message: Message) -> Reply | None:
        """Open or close a job, or do a task.

        An error becomes a reply that says so: the coordinator decides what follows.
        """
        if not isinstance(message, Task):
            self._machine, self._failure = None, "no job is open"
        try:
            match message:
                case Task() if self._machine is not None:
                    return Reply(message.number, self._answer(self._machine, message))
                case Open():
                    self._open(message)
                case _:
                    pass
        except Exception as error:
            self._failure = f"{type(error).__name__}: {error}"
        return Reply(message.number, None, self._failure) if isinstance(message, Task) else None

    def _open(self, message: Open) -> None:
        store = WitnessStore.open(Path(message.store), message.job.key, message.job.plan)
        # It may be a copy of the coordinator's, and not the right one.
        self._bases = self._setups.of(message.job.key, Path(message.bases)).bases
        self._machine = Machine(message.job, Plans(message.job), self._bases, store)

    def _answer(self, machine: Machine, task: Task) -> Partial:
        if isinstance(task.ask, CommitRange):
            return commit_range(self._bases, task.ask)
        if isinstance(task.ask, CommitCells):
            return machine.answer(task.ask)
        for step in task.steps:
            machine.tell(step)
        if task.adopted:
            machine.adopt(task.adopted, task.history)
        return machine.answer(task.ask, task.spans)


def place() -> str:
    """Where this process runs, as `Ready` tells it."""
    return f"process {os.getpid()} on {os.uname().nodename}"
