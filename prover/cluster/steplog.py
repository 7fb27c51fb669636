"""The steps of a proof in order, and the coordinator's own machine, which follows them."""

from __future__ import annotations

import hashlib
from typing import Protocol

import numpy as np

from prover.cluster.machine import Machine
from prover.cluster.shards import ShardPlan, Span
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
    """A machine over fixed spans that is brought up to date when it is needed."""

    def __init__(self, machine: Machine, spans: tuple[Span, ...], log: StepLog) -> None:
        self._machine = machine
        self._spans = spans
        self._log = log
        self._told = -1

    def answer(self, ask: Asked, spans: tuple[Span, ...] | None = None) -> Partial:
        """The answer to the last step of the log."""
        position = len(self._log.steps) - 1
        steps = self._log.steps
        if self._told < 0:
            self._machine.adopt(self._spans, needed(steps[:position]))
        else:
            for step in needed(steps[self._told : position]):
                self._machine.tell(step)
        self._told = position
        return self._machine.answer(ask, self._spans if spans is None else spans)


def whole_chips(plan: ShardPlan) -> tuple[Span, ...]:
    """Every chip whole: what the coordinator's machine has at the end."""
    return tuple(plan.whole(number) for number in range(len(plan.chips)))
