"""Columns of one chip at their own width: the only copy of a trace that a proof keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from prover.kernels.cells import first_above_modulus, place_of, places_of


@dataclass(frozen=True)
class ChipColumns:
    """Main columns as the table gives them, then helper columns, over the active rows.

    Full-width cells are plain integers, never in Montgomery form: commitments and checksums want
    them so, main columns then stay where the table has them (a mapped file, for one), and the
    form does not depend on the kernels. Kernels multiply them into Montgomery form in their work
    block; where a cell is only weighted, the weight carries the factor and that costs nothing.

    Shape: each column unsigned [height] or uint64[height, 4], C-contiguous.
    """

    height: int
    columns: tuple[np.ndarray, ...]

    @staticmethod
    def of(height: int, columns: Sequence[np.ndarray]) -> ChipColumns:
        """Take arrays as they are; one that is not contiguous is copied.

        Raises: TypeError for another type or length.
        """
        taken = tuple(np.ascontiguousarray(column) for column in columns)
        for number, column in enumerate(taken):
            if len(column) != height:
                raise TypeError(f"column {number}: expected {height} rows, got {len(column)}")
            place_of(column)
        return ChipColumns(height, taken)

    @cached_property
    def places(self) -> np.ndarray:
        """What kernels take, see `kernels.cells`; valid while this object lives."""
        return places_of(self.columns)

    def first_above_modulus(self) -> tuple[int, int] | None:
        """Column and row of a full-width cell that is not below r, if there is one."""
        for number, column in enumerate(self.columns):
            if column.ndim == 2 and (row := first_above_modulus(column)) >= 0:
                return number, row
        return None

    def total(self, first: int) -> int:
        """Sum of all cells of the full-width columns from `first` on, as an integer."""
        total = 0
        for column in self.columns[first:]:
            # Halves of limbs: sums of 2^32 of them fit.
            halves = column.view(np.uint32).sum(axis=0, dtype=np.uint64)
            total += sum(int(half) << 32 * k for k, half in enumerate(halves))
        return total

    def rows(self, start: int, stop: int) -> ChipColumns:
        """A view of rows start .. stop - 1, without a copy."""
        if not 0 <= start <= stop <= self.height:
            raise ValueError(f"expected rows inside [0, {self.height}), got [{start}, {stop})")
        return ChipColumns(stop - start, tuple(column[start:stop] for column in self.columns))

    def followed_by(self, columns: Sequence[np.ndarray]) -> ChipColumns:
        """These columns and others behind them."""
        return ChipColumns.of(self.height, (*self.columns, *columns))
