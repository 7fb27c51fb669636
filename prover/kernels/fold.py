"""Weighted sums of whole columns, and all columns of a chip at one point."""

from collections.abc import Sequence

import numpy as np
from numba import njit

from circuits.field import R
from prover.kernels import fr
from prover.kernels.parallel import run_rows
from prover.kernels.scalar import ZERO, fr_add, fr_mul, load, store


def mix_columns(matrix: np.ndarray, weights: Sequence[int]) -> np.ndarray:
    """Row by row sum_j weights_j column_j.

    Shape: matrix uint64[columns, rows, 4] -> uint64[rows, 4].
    """
    out = np.empty((matrix.shape[1], 4), dtype=np.uint64)
    run_rows(_mix, len(out), out, matrix, fr.from_ints(weights))
    return out


def columns_at(matrix: np.ndarray, equality: np.ndarray) -> list[int]:
    """Every column's multilinear extension at the point of an equality table.

    Shape: matrix uint64[columns, rows, 4]; equality uint64[rows or more, 4].
    """
    columns, rows = matrix.shape[:2]
    if not rows:
        return [0] * columns
    parts = run_rows(_inner_products, rows, matrix, equality)
    return [sum(values) % R for values in zip(*map(fr.to_ints, parts), strict=True)]


@njit(nogil=True, cache=True)
def _mix(start, stop, out, matrix, weights):
    rows = matrix.shape[1]
    for row in range(start, stop):
        store(out, row, ZERO)
    # Column by column, so that each pass streams; the rows of `out` stay in the cache.
    for block in range(start, stop, 1024):
        end = min(stop, block + 1024)
        for column in range(matrix.shape[0]):
            weight = load(weights, column)
            for row in range(block, end):
                term = fr_mul(weight, load(matrix, column * rows + row))
                store(out, row, fr_add(load(out, row), term))


@njit(nogil=True, cache=True)
def _inner_products(start, stop, matrix, equality):
    rows = matrix.shape[1]
    sums = np.empty((matrix.shape[0], 4), dtype=np.uint64)
    for column in range(matrix.shape[0]):
        total = ZERO
        for row in range(start, stop):
            total = fr_add(total, fr_mul(load(matrix, column * rows + row), load(equality, row)))
        store(sums, column, total)
    return sums


def warm() -> None:
    """Compile both kernels, or load them from the cache."""
    matrix = fr.from_ints([1, 2]).reshape(1, 2, 4)
    mix_columns(matrix, [3])
    columns_at(matrix, fr.eq_table([5]))
