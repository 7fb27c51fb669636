"""The steps of a proof in order, and the coordinator's own machine, which follows them."""

from __future__ import annotations

import hashlib
from typing import Protocol

import numpy as np

from prover.cluster.machine import Machine
from prover.cluster.shards import Span
from prover.cluster.steps import Asked, CommitRange, Partial, Step, Told, needed
from verifier.transcript import Point


class Steps(Protocol):
    """What the protocol side of a proof drives: workers, or an audit of what they said."""

    def tell(self, step: Told) -> None:
        """Every machine takes a step."""
        ...

    def ask(self, step: Asked, *, shared: bool) -> Partial:
        """The sum of all answers; `shared` says whether workers have a part in it."""
        ...

    def commit(self, elements: np.ndarray) -> Point:
        """Commit to a polynomial. Shape: uint64[n, 4] in Montgomery form."""
        ...


class StepLog:
    """All steps so far. An ask has a number, and a digest of all that led to it as its place."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._asked = 0
        self._chain = hashlib.sha256()

    def tell(self, step: Told) -> None:
        """Take a step down."""
        self._chain.update(repr(step).encode())
        self.steps.append(step)

    def ask(self, step: Asked | CommitRange) -> tuple[int, str]:
        """Take an ask down; return its number and its place."""
        if isinstance(step, CommitRange):
            self._chain.update(f"CommitRange {len(step.elements)}".encode())
        else:
            self._chain.update(repr(step).encode())
            self.steps.append(step)
        self._asked += 1
        return self._asked - 1, self._chain.hexdigest()


class Follower:
    """A machine over fixed spans that is brought up to date when it is asked.

    One that `takes_over` is the coordinator's own: it goes on with the chips that others folded.
    """

    def __init__(
        self, machine: Machine, spans: tuple[Span, ...], log: StepLog, *, takes_over: bool = False
    ) -> None:
        self._machine = machine
        self._spans = spans
        self._log = log
        self._takes_over = takes_over
        self._told: int | None = None

    def answer(self, ask: Asked) -> Partial:
        """The answer of all spans to the last step of the log."""
        steps, position = self._log.steps, len(self._log.steps) - 1
        if self._told is None:
            self._machine.adopt(self._spans, needed(steps[:position], takes_over=self._takes_over))
        else:
            for step in needed(steps[self._told : position], takes_over=self._takes_over):
                self._machine.tell(step)
        self._told = position
        return self._machine.answer(ask)
