"""The columns of one span, and what the protocol sums over them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from circuits.air.shape import Piece
from prover.cluster.equality_rows import equality_rows
from prover.cluster.messages import Job
from prover.cluster.shards import Span
from prover.kernels import fr
from prover.kernels.fold import columns_at, mix_columns
from prover.kernels.logup import fill_helpers
from prover.kernels.msm import Piece as MsmPiece
from prover.kernels.tape import value_program

FULL_BITS = 254


class SpanTrace:
    """Main and, once filled, helper columns over the active rows of a span.

    Shape: `matrix` uint64[main + helper columns, rows, 4] in Montgomery form.
    Raises: ValueError for a full-width cell that is not below r.
    """

    def __init__(self, job: Job, span: Span, columns: Sequence[np.ndarray]) -> None:
        self._job = job
        self._chip = job.key.chips[span.chip]
        self.span = span
        self.first, stop = job.plan.rows(span)
        self._typed = [np.require(column, requirements=("C", "W")) for column in columns]
        self.matrix = np.empty((self._chip.columns, stop - self.first, 4), dtype=np.uint64)
        for number, column in enumerate(self._typed):
            self.matrix[number] = _elements(column)

    @property
    def rows(self) -> int:
        """Active rows of the span."""
        return self.matrix.shape[1]

    @property
    def padded_rows(self) -> int:
        """Rows of whole shards, the last one's padding included."""
        return (self.span.stop - self.span.first) << self._job.plan.chips[self.span.chip].log_block

    def fill_helpers(self, challenges: Sequence[int]) -> None:
        """Raises: ZeroDivisionError when a fingerprint is zero."""
        number = self.span.chip
        program = value_program(self._job.interactions[number], challenges, self._job.words)
        ends = list(self._job.group_ends[number])
        if not fill_helpers(self.matrix, self.rows, program, ends, self.first):
            raise ZeroDivisionError(f"chip {self._chip.name}: a fingerprint is zero")

    def msm_piece(self, piece: Piece) -> MsmPiece:
        """This span's cells of one of its chip's columns, at their place in the chunk."""
        if piece.column < self._chip.main_columns:
            bits = min(self._job.column_bits[self.span.chip][piece.column], FULL_BITS)
            return piece.offset + self.first, self._typed[piece.column], bits
        helper = fr.from_montgomery(self.matrix[piece.column])
        return piece.offset + self.first, helper, FULL_BITS

    def add_to(self, combined: np.ndarray, piece: Piece, weight: int) -> None:
        """Add weight * cells of one column to a polynomial, in place."""
        fr.accumulate(combined, piece.offset + self.first, self.matrix[piece.column], weight)

    def mixed(self, weights: Sequence[int]) -> np.ndarray:
        """Row by row sum_j weights_j column_j. Shape: uint64[rows, 4]."""
        return mix_columns(self.matrix, weights)

    def columns_at(self, point: Sequence[int]) -> tuple[int, ...]:
        """This span's share of every column's value at a point of the chip's own variables."""
        return tuple(columns_at(self.matrix, equality_rows(point, self.first, self.padded_rows)))


def _elements(column: np.ndarray) -> np.ndarray:
    """Montgomery form of a typed column."""
    return fr.from_small(column) if column.ndim == 1 else fr.to_montgomery(column)
