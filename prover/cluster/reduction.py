"""The second sumcheck on shared steps: all column claims become one (protocol 3.4).

Rows are summed wherever they are. A chip whose rows are all bound has its columns as single cells
of their chunks; those few hundred cells are bound here as plain integers.
"""

from __future__ import annotations

from collections.abc import Sequence

from circuits.field import R
from prover.cluster.messages import Job
from prover.cluster.span_sumchecks import equality_between
from prover.cluster.steplog import Steps
from prover.cluster.steps import Bind, ColumnsAt, RoundSums, StartReduction
from prover.cluster.zerocheck import FoldingChips, LinearClaim, sums_of
from prover.compiled.chunk_cells import ChunkCells


class ClusterReduction:
    """Rounds of degree 2 over log_chunk variables."""

    def __init__(self, steps: Steps, job: Job, point: Sequence[int], gamma: int) -> None:
        key = self._key = job.key
        self._steps = steps
        self._plan = job.plan
        self._point = point
        self._rho: list[int] = []
        self._cells = ChunkCells(key, gamma)
        self._folding = FoldingChips(job.plan, [0] * len(key.chips))
        self._claim = LinearClaim("second sumcheck")
        steps.tell(StartReduction(tuple(point), gamma))
        self._place_columns()

    def round_values(self) -> list[int]:
        """Raises: InconsistentRound."""
        position = len(self._rho)
        self._folding.hand_over(self._steps, position)
        totals = self._cells.round_values()
        if any(chip.log_height > position for chip in self._key.chips):
            is_shared = self._folding.has_awake(position)
            for sums in sums_of(self._steps, RoundSums(), shared=is_shared).values():
                totals = [a + b for a, b in zip(totals, sums, strict=True)]
        values = [value % R for value in totals]
        self._claim.take(values)
        return values

    def bind(self, challenge: int) -> None:
        self._steps.tell(Bind(challenge))
        self._cells.bind(challenge)
        self._claim.bind(challenge)
        self._rho.append(challenge)
        self._place_columns()

    def _place_columns(self) -> None:
        """Turn the columns of chips whose rows are all bound into single cells."""
        position, key = len(self._rho), self._key
        self._folding.hand_over(self._steps, position)
        done = [n for n, chip in enumerate(key.chips) if chip.log_height == position]
        if not done:
            return
        is_shared = any(self._plan.chips[number].is_shared for number in done)
        values = sums_of(self._steps, ColumnsAt(tuple(done)), shared=is_shared)
        for number in done:
            chip_point = self._point[key.rounds - position :]
            equality = equality_between(chip_point, self._rho)
            self._cells.place(number, values[number], equality)
