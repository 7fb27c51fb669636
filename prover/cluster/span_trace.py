"""The columns of one span, and what the protocol sums over them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from circuits.air.shape import Piece
from circuits.field import R
from prover.cluster.messages import Job
from prover.cluster.shards import Span
from prover.compiled.columns import ChipColumns
from prover.kernels import fr
from prover.kernels.cells import as_argument, expand
from prover.kernels.equality import SplitEquality
from prover.kernels.fold import mix_columns, weighted_sums
from prover.kernels.logup import helper_columns
from prover.kernels.msm import Piece as MsmPiece
from prover.kernels.program import value_program

FULL_BITS = 254
# A part of a stacked sum: first row, rows, place of the column, weight.
StackedPiece = tuple[int, int, tuple[int, int], int]


class SpanTrace:
    """Main and, once filled, helper columns over the active rows of a span, at their own width.

    Raises: ValueError for a full-width cell that is not below r.
    """

    def __init__(self, job: Job, span: Span, columns: Sequence[np.ndarray]) -> None:
        self._job = job
        self._chip = job.key.chips[span.chip]
        self.span = span
        self.first, stop = job.plan.rows(span)
        self.columns = ChipColumns.of(stop - self.first, columns)
        if (place := self.columns.first_above_modulus()) is not None:
            column, row = place
            where = f"chip {self._chip.name}, column {column}, row {self.first + row}"
            raise ValueError(f"{where}: not below {R}")

    @property
    def padded_rows(self) -> int:
        """Rows of whole shards, the last one's padding included."""
        return (self.span.stop - self.span.first) << self._job.plan.chips[self.span.chip].log_block

    def fill_helpers(self, challenges: Sequence[int]) -> None:
        """Raises: ZeroDivisionError when a fingerprint is zero."""
        number = self.span.chip
        program = value_program(self._job.interactions[number], challenges, self._job.words)
        main = ChipColumns(self.columns.height, self.columns.columns[: self._chip.main_columns])
        found = helper_columns(
            main.places, main.height, program, self._job.group_ends[number], self.first
        )
        if found is None:
            raise ZeroDivisionError(f"chip {self._chip.name}: a fingerprint is zero")
        self.columns = main.followed_by(list(found))

    def msm_piece(self, piece: Piece) -> MsmPiece:
        """This span's cells of one of its chip's columns, at their place in the chunk."""
        bits = FULL_BITS
        if piece.column < self._chip.main_columns:
            bits = min(self._job.column_bits[self.span.chip][piece.column], FULL_BITS)
        column = as_argument(self.columns.columns[piece.column])
        return piece.offset + self.first, column, bits

    def stacked_piece(self, piece: Piece, weight: int) -> StackedPiece:
        """The same cells for a weighted sum of columns."""
        place = self.columns.places[piece.column]
        return piece.offset + self.first, self.columns.height, place, weight

    def totals(self, word_base: int | None) -> tuple[int, int]:
        """Sum of all helper cells, and of published words times their powers if there are any."""
        helpers, words = self.columns.total(self._chip.main_columns) % R, 0
        if word_base is not None and self.columns.height:
            powers = fr.scale(
                fr.powers(word_base, self.columns.height), pow(word_base, self.first, R)
            )
            words = fr.inner_product(expand(self.columns.places, 0, self.columns.height), powers)
        return helpers, words

    def mixed(self, weights: Sequence[int]) -> np.ndarray:
        """Row by row sum_j weights_j column_j. Shape: uint64[rows, 4]."""
        return mix_columns(self.columns.places, self.columns.height, weights)

    def columns_at(self, point: Sequence[int]) -> tuple[int, ...]:
        """This span's share of every column's value at a point of the chip's own variables."""
        equality = SplitEquality.of_rows(point, self.first, self.padded_rows)
        return tuple(weighted_sums(self.columns.places, self.columns.height, equality))
