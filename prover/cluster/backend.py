"""ClusterBackend: what prove() drives, on steps that workers and the coordinator share.

Claims, extensions and challenges stay here as plain integers; sums over rows come from the steps.
Polynomials live on the coordinator, whose workers are idle by then but for the commitments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from circuits.air.tape import Tape
from prover.backend import Circuit, Tables
from prover.cluster.messages import Job
from prover.cluster.plans import Plans
from prover.cluster.reduction import ClusterReduction
from prover.cluster.steplog import Steps
from prover.cluster.steps import Asked, Combine, Commit, CommitCells, Helpers, Pieces, Points
from prover.cluster.zerocheck import ClusterZerocheck
from prover.compiled.backend import KernelBackend
from prover.errors import SetupTooShort
from prover.kernels import fr
from verifier.constraints import Batching
from verifier.transcript import Point


@dataclass(frozen=True, slots=True)
class ClusterTrace:
    """A witness that lies on the workers."""

    job: Job
    plans: Plans


class ClusterBackend:
    """The backend of one proof.

    `begin` takes what prove() loads and returns the job, its plans and the steps to drive.
    """

    def __init__(
        self, bases: np.ndarray, begin: Callable[[Circuit, Tables], tuple[Job, Plans, Steps]]
    ) -> None:
        self._bases = bases
        self._polynomials = KernelBackend(bases)
        self._begin = begin
        self._steps: Steps | None = None

    @property
    def steps(self) -> Steps:
        """Assumes: a trace was loaded."""
        if self._steps is None:
            raise RuntimeError("expected a loaded trace, got none")
        return self._steps

    def load(self, circuit: Circuit, tables: Tables) -> ClusterTrace:
        """Raises: SetupTooShort, StoreMismatch, CheckpointMismatch, OSError."""
        cells = 1 << circuit.key.log_chunk
        if len(self._bases) < cells:
            raise SetupTooShort("reference string", f"at least {cells} powers", len(self._bases))
        job, plans, self._steps = self._begin(circuit, tables)
        return ClusterTrace(job, plans)

    def commit_chunks(self, trace: ClusterTrace, chunks: range) -> list[Point]:
        key = trace.job.key
        ask: Asked = Commit(chunks.start, chunks.stop)
        if chunks == range(key.layout.main_chunks):
            ask = CommitCells(0, chunks.stop << key.log_chunk)
        answer = self.steps.ask(ask, shared=True)
        if not isinstance(answer, Points):
            raise TypeError(f"expected points, got {type(answer)}")
        return list(answer.values)

    def helpers(self, trace: ClusterTrace, challenges: Sequence[int], words: Sequence[int]) -> None:
        self.steps.tell(Helpers(tuple(challenges)))

    def zerocheck(
        self, trace: ClusterTrace, batching: Batching, words: Sequence[int]
    ) -> ClusterZerocheck:
        return ClusterZerocheck(self.steps, trace.job, trace.plans, batching)

    def reduction(self, trace: ClusterTrace, point: Sequence[int], gamma: int) -> ClusterReduction:
        return ClusterReduction(self.steps, trace.job, point, gamma)

    def combine(self, trace: ClusterTrace, weights: Sequence[int]) -> np.ndarray:
        answer = self.steps.ask(Combine(tuple(weights)), shared=True)
        if not isinstance(answer, Pieces):
            raise TypeError(f"expected pieces, got {type(answer)}")
        combined = fr.zeros(1 << trace.job.key.log_chunk)
        for first, elements in answer.parts:
            place = slice(first, first + len(elements))
            combined[place] = fr.add(combined[place], elements)
        return combined

    def commit(self, polynomial: np.ndarray) -> Point:
        return self.steps.commit(polynomial)

    def fold(self, polynomial: np.ndarray, challenge: int) -> np.ndarray:
        return self._polynomials.fold(polynomial, challenge)

    def evaluate(self, polynomial: np.ndarray, x: int) -> int:
        return self._polynomials.evaluate(polynomial, x)

    def divide_pairs(
        self, terms: Iterable[tuple[np.ndarray, int, int, int]], length: int
    ) -> np.ndarray:
        return self._polynomials.divide_pairs(terms, length)

    def divide_sum(self, terms: Iterable[tuple[int, np.ndarray]], x: int) -> np.ndarray:
        return self._polynomials.divide_sum(terms, x)

    def eval_tape(
        self,
        tape: Tape,
        columns: Sequence[int],
        row: int,
        active: int,
        challenges: Sequence[int],
        words: Sequence[int],
    ) -> list[int]:
        return self._polynomials.eval_tape(tape, columns, row, active, challenges, words)
