"""A run of rows of an equality table, without the rest of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from circuits.field import R
from prover.kernels import fr


def equality_rows(point: Sequence[int], first: int, count: int) -> np.ndarray:
    """Rows first .. first + count - 1 of `fr.eq_table(point)`.

    Shape: uint64[count, 4]. Cost: two multiplications a row, and one call for each block of rows,
    aligned and of a power of two, that fits both ends.
    """
    bits = min(len(point), _twos(first), _twos(count))
    low = fr.eq_table(point[:bits])
    if count == len(low):
        return fr.scale(low, equality_at(point[bits:], first >> bits))
    out = np.empty((count, 4), dtype=np.uint64)
    for block in range(count >> bits):
        factor = equality_at(point[bits:], (first >> bits) + block)
        out[block << bits : (block + 1) << bits] = fr.scale(low, factor)
    return out


def equality_at(point: Sequence[int], index: int) -> int:
    """One row of the table: the product of r_b where bit b of `index` is set, else 1 - r_b."""
    factor = 1
    for bit, coordinate in enumerate(point):
        factor = factor * (coordinate if index >> bit & 1 else 1 - coordinate) % R
    return factor


def _twos(number: int) -> int:
    """How often two divides a number; 0 is divided by every power."""
    return (number & -number).bit_length() - 1 if number else 64
