"""The second sumcheck on shared steps: all column claims become one (protocol 3.4).

Rows are summed wherever they are. A chip whose rows are all bound has its columns as single cells
of their chunks; those few hundred cells are bound here as plain integers.
"""

from __future__ import annotations

from collections.abc import Sequence

from circuits.field import R
from prover.cluster.messages import Job
from prover.cluster.steplog import Steps
from prover.cluster.steps import Bind, ColumnsAt, RoundSums, StartReduction
from prover.cluster.zerocheck import FoldingChips, LinearClaim, sums_of
from prover.compiled.chunk_cells import ChunkCells


class ClusterReduction:
    """Rounds of degree 2 over log_chunk variables."""

    def __init__(self, steps: Steps, job: Job, point: Sequence[int], gamma: int) -> None:
        self._steps = steps
        self._plan = job.plan
        self._log_heights = [chip.log_height for chip in job.key.chips]
        # Coordinates of the rows that are not bound yet, and the equality factor of the others.
        self._points = [list(point[job.key.rounds - log :]) for log in self._log_heights]
        self._scales = [1] * len(self._points)
        self._round = 0
        self._cells = ChunkCells(job.key, gamma)
        folds = {number: job.plan.reduction_folds(number) for number in job.plan.shared}
        self._folding = FoldingChips(dict.fromkeys(folds, 0), folds)
        self._claim = LinearClaim("second sumcheck")
        steps.tell(StartReduction(tuple(point), gamma))
        self._place_columns()

    def round_values(self) -> list[int]:
        """Raises: InconsistentRound."""
        totals = self._cells.round_values()
        if any(self._points):
            is_shared = self._folding.has_awake(self._round)
            for number, sums in sums_of(self._steps, RoundSums(), shared=is_shared).items():
                (even, odd), scale, x = sums, self._scales[number], self._points[number][0]
                for t in range(3):
                    equality = scale * (1 - x + t * (2 * x - 1))
                    totals[t] += equality * (even + t * (odd - even))
        values = [value % R for value in totals]
        self._claim.take(values)
        return values

    def bind(self, challenge: int) -> None:
        self._steps.tell(Bind(challenge))
        self._cells.bind(challenge)
        self._claim.bind(challenge)
        for number, coordinates in enumerate(self._points):
            if coordinates:
                x = coordinates.pop(0)
                factor = 1 - x + challenge * (2 * x - 1)
                self._scales[number] = self._scales[number] * factor % R
        self._round += 1
        self._place_columns()

    def _place_columns(self) -> None:
        """Turn the columns of chips whose rows are all bound into single cells."""
        self._folding.hand_over(self._steps, self._round)
        done = tuple(n for n, log in enumerate(self._log_heights) if log == self._round)
        if not done:
            return
        is_shared = any(self._plan.chips[number].is_shared for number in done)
        values = sums_of(self._steps, ColumnsAt(done), shared=is_shared)
        for number in done:
            self._cells.place(number, values[number], self._scales[number])
