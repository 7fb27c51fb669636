"""The part of one span in the two sumchecks: what is summed over its rows, and folding them.

Challenges are queued and folded in when a sum or the rows are wanted, so that a span which only
catches up on a sumcheck that it has left already never folds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from circuits.field import R
from prover.cluster.equality_rows import equality_rows
from prover.cluster.messages import Job
from prover.cluster.span_trace import SpanTrace
from prover.cluster.steps import FoldedRows, StartReduction, StartZerocheck
from prover.kernels import fr
from prover.kernels.sumcheck import (
    bind_columns,
    constraint_values,
    even_and_odd_sum,
    halve_equality,
    product_values,
)
from prover.kernels.tape import Program, RowState, folded_program
from verifier.logup import challenge_inputs
from verifier.sumcheck import squares


@dataclass(frozen=True, slots=True)
class ZerocheckChip:
    """What the first sumcheck needs of a chip; `program` is None for a chip of one row."""

    main_columns: int
    height: int
    log_height: int
    points: int  # the constraints are summed at 0 .. points - 1
    program: Program | None
    tau_point: tuple[int, ...]
    word_base: int | None

    @staticmethod
    def of(job: Job, start: StartZerocheck, number: int) -> ZerocheckChip:
        """Fold the constraints of a chip with its share of the powers of the fold challenge."""
        key, batching = job.key, start.batching
        chip = key.chips[number]
        power = pow(batching.fold, sum(c.tape.constraints for c in key.chips[:number]), R)
        weights = []
        for _ in range(chip.tape.constraints):
            weights.append(power)
            power = power * batching.fold % R
        program = None
        if chip.log_height:
            challenges = challenge_inputs(batching.alpha, batching.beta)
            program = folded_program(chip.tape, challenges, job.words, weights, chip.zero_values)
        return ZerocheckChip(
            chip.main_columns,
            job.plan.chips[number].height,
            chip.log_height,
            points_of(chip.degree),
            program,
            tuple(squares(batching.tau, key.rounds, R)[key.rounds - chip.log_height :]),
            batching.word_base if number == key.pubdata_chip else None,
        )


def points_of(degree: int) -> int:
    """At how many points a chip's folded constraints are given; 0 and 1 are always among them."""
    return max(degree, 1) + 1


class SpanZerocheck:
    """Sums of a span in the first sumcheck.

    Shape: matrix uint64[columns, rows, 4], with `padded_rows` as if the last shard were full.
    """

    def __init__(
        self,
        chip: ZerocheckChip,
        matrix: np.ndarray,
        first: int,
        padded_rows: int,
        block: int,
        bound: Sequence[int] = (),
    ) -> None:
        """`bound` are the challenges that the rows are folded with; then `first` is 0."""
        self._chip = chip
        self._matrix = matrix
        self._block = block
        self._level = len(bound)
        state = RowState(matrix.shape[1], 0, first, 1)
        if bound:
            state = RowState.start(chip.height)
            for challenge in bound:
                state = state.bind(challenge)
        self._state = state
        self._equality: np.ndarray | None = None
        if chip.program is not None and block > 1:
            rest = chip.tau_point[self._level + 1 :]
            self._equality = equality_rows(rest, first // 2, padded_rows // 2)
        self._powers: np.ndarray | None = None
        if chip.word_base is not None:
            self._powers = _word_powers(chip.word_base, bound, first, padded_rows)
        self._queue: list[int] = []

    @staticmethod
    def of_trace(chip: ZerocheckChip, trace: SpanTrace, block: int) -> SpanZerocheck:
        """A span's rows with nothing bound."""
        return SpanZerocheck(chip, trace.matrix, trace.first, trace.padded_rows, block)

    @staticmethod
    def of_rows(
        chip: ZerocheckChip, pieces: Sequence[FoldedRows], bound: Sequence[int]
    ) -> SpanZerocheck:
        """A whole chip, folded with `bound` to one row a shard."""
        rows = 1 << (chip.log_height - len(bound))
        return SpanZerocheck(chip, matrix_of(pieces), 0, rows, rows, bound)

    def bind(self, challenge: int) -> None:
        """Fix the lowest remaining row variable."""
        self._queue.append(challenge)

    def sums(self, *, is_awake: bool) -> tuple[int, ...]:
        """Constraints at 0 .. points - 1, helpers on even and odd rows, words at 0, 1 and 2.

        The constraints are zero where nobody asks: at 1, at 0 before the first challenge, and
        everywhere while the chip's own variables are not reached.
        """
        self._fold()
        chip = self._chip
        wanted = np.arange(chip.points) != 1
        wanted[0] = self._level > 0
        constraints = [0] * chip.points
        if is_awake and chip.program is not None and wanted.any() and self._matrix.shape[1]:
            assert self._equality is not None
            constraints = constraint_values(
                self._matrix, chip.program, self._state, self._equality, wanted
            )
        even, odd = even_and_odd_sum(self._matrix, chip.main_columns)
        if self._block == 1:
            # Rows of different shards are no pairs; nobody asks for more than the total.
            even, odd = (even + odd) % R, 0
        return (*constraints, even, odd, *self._word_sums())

    def rows(self, first: int) -> FoldedRows:
        """All columns, folded; `first` is the number of the first shard."""
        self._fold()
        return folded_rows(first, self._matrix)

    def evaluations(self) -> tuple[int, ...]:
        """All columns once every variable is bound."""
        self._fold()
        columns, rows = self._matrix.shape[:2]
        if not rows:
            return (0,) * columns
        return tuple(fr.to_ints(np.ascontiguousarray(self._matrix[:, 0])))

    def _word_sums(self) -> tuple[int, ...]:
        if self._powers is None:
            return (0, 0, 0)
        if self._block == 1:
            powers = self._powers[: self._matrix.shape[1]]
            return (fr.inner_product(self._matrix[0], powers), 0, 0)
        return tuple(product_values(self._matrix[0], self._powers))

    def _fold(self) -> None:
        for challenge in self._queue:
            self._matrix = bind_columns(self._matrix, challenge)
            self._state = self._state.bind(challenge)
            self._block >>= 1
            self._level += 1
            if self._equality is not None:
                self._equality = halve_equality(self._equality) if self._block > 1 else None
            if self._powers is not None:
                self._powers = fr.fold(self._powers, challenge)
        self._queue.clear()


class SpanReduction:
    """Sums of a span in the second sumcheck: one weighted sum of its columns times equality.

    Shape: mixed uint64[rows, 4]; equality uint64[padded rows, 4].
    """

    def __init__(self, mixed: np.ndarray, equality: np.ndarray) -> None:
        self._mixed = mixed
        self._equality = equality
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
        equality = equality_rows(chip_point, trace.first, trace.padded_rows)
        return SpanReduction(trace.mixed(weights), equality)

    @staticmethod
    def of_rows(
        chip_point: Sequence[int], pieces: Sequence[FoldedRows], bound: Sequence[int]
    ) -> SpanReduction:
        """A whole chip, folded with `bound` to one row a shard."""
        factor = equality_between(chip_point, bound)
        table = fr.scale(fr.eq_table(chip_point[len(bound) :]), factor)
        return SpanReduction(matrix_of(pieces)[0], table)

    def bind(self, challenge: int) -> None:
        """Fix the lowest remaining row variable."""
        self._queue.append(challenge)

    def sums(self) -> tuple[int, ...]:
        """Values at 0, 1 and 2."""
        self._fold()
        return tuple(product_values(self._mixed, self._equality))

    def rows(self, first: int) -> FoldedRows:
        """The weighted sum, folded; `first` is the number of the first shard."""
        self._fold()
        return folded_rows(first, self._mixed[None])

    def _fold(self) -> None:
        for challenge in self._queue:
            self._mixed = bind_columns(self._mixed[None], challenge)[0]
            self._equality = fr.fold(self._equality, challenge)
        self._queue.clear()


def equality_between(point: Sequence[int], bound: Sequence[int]) -> int:
    """Product over the bound coordinates of r p + (1 - r)(1 - p)."""
    factor = 1
    for p, r in zip(point, bound, strict=False):
        factor = factor * (r * p + (1 - r) * (1 - p)) % R
    return factor


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


def _word_powers(base: int, bound: Sequence[int], first: int, count: int) -> np.ndarray:
    """Rows of the table base^row after folding it with `bound`."""
    factor = 1
    for challenge in bound:
        factor = factor * (1 - challenge + challenge * base) % R
        base = base * base % R
    return fr.scale(fr.powers(base, count), factor * pow(base, first, R) % R)
