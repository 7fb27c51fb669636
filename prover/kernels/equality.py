"""Equality tables as a product of a short and a long one.

eq(point, x) for all x takes 32 bytes a row; split at LOW rows it takes a five-hundredth of that,
and a sum over rows takes one more product per LOW rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from circuits.field import R
from prover.kernels import fr
from prover.kernels.program import BLOCK

_LOW_BITS = 9
LOW = 1 << _LOW_BITS


@dataclass(frozen=True, slots=True)
class SplitEquality:
    """Weights of rows: row x has low[x mod len(low)] * high[x div len(low)].

    Any weights will do for kernels, as long as len(low) is a multiple of `program.BLOCK` or there
    is one high row: a part of a table, or a table that is not split.

    Shape: low uint64[n, 4]; high uint64[m, 4].
    """

    low: np.ndarray
    high: np.ndarray

    @staticmethod
    def of(point: Sequence[int]) -> "SplitEquality":
        """eq(point, x) for all x; `low` has LOW rows, or all there are."""
        return SplitEquality(fr.eq_table(point[:_LOW_BITS]), fr.eq_table(point[_LOW_BITS:]))

    @staticmethod
    def of_rows(point: Sequence[int], first: int, count: int) -> "SplitEquality":
        """The same for rows first, first + 1, ...: row x of the result is row first + x.

        The low part is as long as the alignment of `first` allows; where that is too short for
        kernels, it holds all rows.
        """
        bits = min(_LOW_BITS, len(point), _twos(first))
        if 1 << bits < min(BLOCK, count):
            return SplitEquality(equality_rows(point, first, count), fr.constant(1))
        high_rows = -(-count >> bits)
        high = equality_rows(point[bits:], first >> bits, high_rows)
        return SplitEquality(fr.eq_table(point[:bits]), high)


def equality_rows(point: Sequence[int], first: int, count: int) -> np.ndarray:
    """Rows first .. first + count - 1 of `fr.eq_table(point)`.

    Shape: uint64[count, 4]. Cost: a multiplication a row, and a few on integers for each block of
    rows, aligned and of a power of two, that fits both ends.
    """
    bits = min(len(point), _twos(first), _twos(count))
    low, blocks = fr.eq_table(point[:bits]), range(first >> bits, (first + count) >> bits)
    high = fr.from_ints(equality_at(point[bits:], block) for block in blocks)
    return fr.mul(np.tile(low, (len(high), 1)), np.repeat(high, len(low), axis=0))


def equality_at(point: Sequence[int], index: int) -> int:
    """One row of the table: the product of r_b where bit b of `index` is set, else 1 - r_b."""
    factor = 1
    for bit, coordinate in enumerate(point):
        factor = factor * (coordinate if index >> bit & 1 else 1 - coordinate) % R
    return factor


def _twos(number: int) -> int:
    """How often two divides a number; it divides 0 as often as one likes."""
    return (number & -number).bit_length() - 1 if number else 64
