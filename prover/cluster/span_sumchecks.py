"""The part of one span in the two sumchecks: what is summed over its rows, and folding them.

Challenges are queued and folded in when a sum or the rows are wanted, so that a span which only
catches up on a sumcheck that it has left already never folds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from circuits.field import R
from prover.cluster.messages import Job
from prover.cluster.span_trace import SpanTrace
from prover.cluster.steps import FoldedRows, StartReduction
from prover.compiled.zerocheck import ChipRows
from prover.kernels import fr
from prover.kernels.cells import expand
from prover.kernels.equality import SplitEquality
from prover.kernels.plan import ChipPlan
from prover.kernels.sumcheck import CLASSES, bind_rows, half_sums, product_values
from prover.kernels.tape import RowState

WORD_SUMS = 3


def empty_sums(plan: ChipPlan) -> list[int]:
    """Room for what `round_sums` adds up for a chip."""
    return [0] * (CLASSES + 2 * (max(plan.degree, 1) + 1))


class SpanZerocheck:
    """A span in the first sumcheck: `jobs`, then `sums` of what they found, round by round."""

    def __init__(
        self,
        plan: ChipPlan,
        tau_point: Sequence[int],
        rows: ChipRows,
        words: SpanWords | None,
        first: int,
        padded_rows: int,
        level: int,
    ) -> None:
        """`first` and `padded_rows` count unfolded rows; `level` variables are bound already."""
        self._plan = plan
        self._tau_point = tau_point
        self._rows = rows
        self._words = words
        self._first = first
        self._padded_rows = padded_rows
        self._level = level
        self._queue: list[int] = []

    @staticmethod
    def of_trace(
        plan: ChipPlan, tau_point: Sequence[int], word_base: int | None, trace: SpanTrace
    ) -> SpanZerocheck:
        """A span's rows with nothing bound."""
        height = trace.columns.height
        rows = ChipRows(trace.columns, plan, RowState(height, 0, trace.first, 1))
        words = None
        if word_base is not None:
            cells = expand(trace.columns.places, 0, height)
            powers = word_powers(word_base, (), trace.first, trace.padded_rows)
            words = SpanWords(cells, powers)
        return SpanZerocheck(plan, tau_point, rows, words, trace.first, trace.padded_rows, 0)

    @staticmethod
    def of_rows(
        plan: ChipPlan,
        tau_point: Sequence[int],
        word_base: int | None,
        height: int,
        pieces: Sequence[FoldedRows],
        bound: Sequence[int],
    ) -> SpanZerocheck:
        """A whole chip of `height` rows, folded with `bound` to one row a shard."""
        matrix, state = matrix_of(pieces), RowState.start(height)
        for challenge in bound:
            state = state.bind(challenge)
        capacity, words = 1 << len(tau_point), None
        if word_base is not None:
            powers = word_powers(word_base, bound, 0, capacity >> len(bound))
            words = SpanWords(matrix[-1], powers)
            matrix = matrix[:-1]
        rows = ChipRows(np.ascontiguousarray(matrix), plan, state)
        return SpanZerocheck(plan, tau_point, rows, words, 0, capacity, len(bound))

    def bind(self, challenge: int) -> None:
        """Fix the lowest remaining row variable."""
        self._queue.append(challenge)

    def jobs(self) -> list[tuple]:
        """Jobs for `compiled.zerocheck.run_rounds`; folds all but the last challenge."""
        for challenge in self._queue[:-1]:
            self._bind(challenge)
            self._rows.folded()
        for challenge in self._queue[-1:]:
            self._bind(challenge)
        self._queue.clear()
        wanted = np.arange(max(self._plan.degree, 1) + 1) != 1
        wanted[0] = self._level > 0
        shift = self._level + 1
        equality = SplitEquality.of_rows(
            self._tau_point[shift:], self._first >> shift, self._padded_rows >> shift
        )
        return self._rows.jobs(equality, wanted)

    def sums(self, found: Sequence[int]) -> tuple[int, ...]:
        """What the jobs found, and published words times their powers at 0, 1 and 2."""
        self._rows.finish()
        found = [value % R for value in found] or empty_sums(self._plan)
        words = self._words.sums() if self._words is not None else [0] * WORD_SUMS
        return (*found, *words)

    def rows(self, first: int) -> FoldedRows:
        """What goes on in the place of the columns; `first` is the number of the first shard."""
        for challenge in self._queue:
            self._bind(challenge)
            self._rows.folded()
        self._queue.clear()
        matrix = self._rows.folded()
        if self._words is not None:
            matrix = np.concatenate([matrix, self._words.words[None]])
        return folded_rows(first, matrix)

    def _bind(self, challenge: int) -> None:
        self._rows.bind(challenge)
        self._level += 1
        if self._words is not None:
            self._words.bind(challenge)


class SpanWords:
    """Published words of a span and the powers that they are multiplied with.

    Shape: words uint64[rows, 4]; powers uint64[padded rows, 4].
    """

    def __init__(self, words: np.ndarray, powers: np.ndarray) -> None:
        self.words = np.ascontiguousarray(words)
        self._powers = powers

    def sums(self) -> list[int]:
        """Values at 0, 1 and 2."""
        return product_values(self.words, self._powers)

    def bind(self, challenge: int) -> None:
        """Fix the lowest remaining row variable."""
        self.words = bind_rows(self.words, challenge)
        self._powers = fr.fold(self._powers, challenge)


class SpanReduction:
    """A span in the second sumcheck: one weighted sum of its columns, weighted by equality.

    Shape: mixed uint64[rows, 4].
    """

    def __init__(
        self,
        mixed: np.ndarray,
        chip_point: Sequence[int],
        first: int,
        padded_rows: int,
        level: int,
    ) -> None:
        """`first` and `padded_rows` count unfolded rows; `level` variables are bound already."""
        self._mixed = mixed
        self._chip_point = chip_point
        self._first = first
        self._padded_rows = padded_rows
        self._level = level
        self._queue: list[int] = []

    @staticmethod
    def of_trace(job: Job, start: StartReduction, trace: SpanTrace) -> SpanReduction:
        """A span's rows with nothing bound."""
        key, number = job.key, trace.span.chip
        chip = key.chips[number]
        weight = pow(start.gamma, sum(each.columns for each in key.chips[:number]), R)
        weights = []
        for _ in range(chip.columns):
            weights.append(weight)
            weight = weight * start.gamma % R
        chip_point = start.point[key.rounds - chip.log_height :]
        mixed = trace.mixed(weights)
        return SpanReduction(mixed, chip_point, trace.first, trace.padded_rows, 0)

    @staticmethod
    def of_rows(
        chip_point: Sequence[int], pieces: Sequence[FoldedRows], level: int
    ) -> SpanReduction:
        """A whole chip that workers have folded."""
        mixed = np.ascontiguousarray(matrix_of(pieces)[0])
        return SpanReduction(mixed, chip_point, 0, 1 << len(chip_point), level)

    def bind(self, challenge: int) -> None:
        """Fix the lowest remaining row variable."""
        self._queue.append(challenge)

    def sums(self) -> tuple[int, int]:
        """Even and odd rows, weighted by equality in the variables above the current one."""
        self._fold()
        shift = self._level + 1
        equality = SplitEquality.of_rows(
            self._chip_point[shift:], self._first >> shift, self._padded_rows >> shift
        )
        return half_sums(self._mixed, equality)

    def rows(self, first: int) -> FoldedRows:
        """The weighted sum, folded; `first` is the number of the first shard."""
        self._fold()
        return folded_rows(first, self._mixed[None])

    def _fold(self) -> None:
        for challenge in self._queue:
            self._mixed = bind_rows(self._mixed, challenge)
            self._level += 1
        self._queue.clear()


def folded_rows(first: int, matrix: np.ndarray) -> FoldedRows:
    """Rows as they travel. Shape: matrix uint64[columns, rows, 4] in Montgomery form."""
    by_row = np.ascontiguousarray(matrix.transpose(1, 0, 2)).reshape(-1, 4)
    return FoldedRows(first, len(matrix), fr.from_montgomery(by_row).astype("<u8").tobytes())


def matrix_of(pieces: Sequence[FoldedRows]) -> np.ndarray:
    """The matrix of rows that travelled, all from the first shard on.

    Raises: ValueError for a cell that is not below r.
    """
    plain = np.frombuffer(b"".join(piece.data for piece in pieces), dtype="<u8")
    by_row = fr.to_montgomery(plain.astype(np.uint64).reshape(-1, 4))
    by_row = by_row.reshape(-1, pieces[0].columns, 4)
    return np.ascontiguousarray(by_row.transpose(1, 0, 2))


def word_powers(base: int, bound: Sequence[int], first: int, count: int) -> np.ndarray:
    """Rows of the table base^row after folding it with `bound`."""
    factor = 1
    for challenge in bound:
        factor = factor * (1 - challenge + challenge * base) % R
        base = base * base % R
    return fr.scale(fr.powers(base, count), factor * pow(base, first, R) % R)
