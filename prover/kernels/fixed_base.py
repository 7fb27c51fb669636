"""Many multiples of the BN254 G1 generator at once, from a table of its 8-bit window multiples."""

import numpy as np
from numba import njit

from circuits.field import Q
from prover.kernels import g1
from prover.kernels.aligned import aligned_words
from prover.kernels.g1_pairs import ROOM, WORK_WORDS, add_pairs
from prover.kernels.msm import Point, points_from_ints
from prover.kernels.parallel import run_rows
from prover.kernels.scalar import store

GENERATOR: Point = (1, 2)
_WINDOWS = 32
_ENTRIES = 256


@njit(nogil=True, cache=True)
def _multiply_rows(start, stop, out, table, digits):
    """out[i] = sum over windows w of table[256 w + digits[i, w]]."""
    count = stop - start
    pairs = np.empty((3, count + ROOM), dtype=np.int32)
    left, right, targets = pairs[0], pairs[1], pairs[2]
    work = aligned_words(WORK_WORDS)
    rows = out[start:stop]
    rows[:] = np.uint64(0)
    for window in range(digits.shape[1]):
        for i in range(count):
            left[i] = targets[i] = 2 * i
            right[i] = 2 * (256 * window + digits[start + i, window])
        add_pairs(count, rows, targets, rows, left, table, right, work, np.uint8(0))
    for i in range(count):
        x, y = g1.load_loose(rows, i)
        store(rows, 2 * i, x)
        store(rows, 2 * i + 1, y)


def generator_table() -> np.ndarray:
    """Return uint64[32 * 256, 8]: entry 256 w + d is d * 2^(8 w) times the generator."""
    doubled = [GENERATOR]
    while len(doubled) < 8 * _WINDOWS:
        doubled.append(_double(doubled[-1]))
    powers = points_from_ints(doubled)
    table = np.zeros((_WINDOWS * _ENTRIES, 8), dtype=np.uint64)
    work = aligned_words(WORK_WORDS)
    first = np.arange(_WINDOWS, dtype=np.int32)[:, None]
    for bit in range(8):
        lower = (_ENTRIES * first + np.arange(1 << bit, dtype=np.int32)).ravel()
        steps = np.repeat(8 * first + np.int32(bit), 1 << bit)
        left, right, targets = (2 * rows for rows in (lower, steps, lower + np.int32(1 << bit)))
        # Every count is a multiple of the room that references need.
        add_pairs(len(lower), table, targets, table, left, powers, right, work, np.uint8(0))
    return table


def multiply_generator(scalars: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Return scalars[i] * generator as uint64[n, 8].

    Shape: scalars uint64[n, 4] plain integers; table from `generator_table`.
    Cost: 32 affine additions a row, about 5 microseconds on one thread.
    """
    out = np.empty((len(scalars), 8), dtype=np.uint64)
    digits = np.ascontiguousarray(scalars).astype("<u8").view(np.uint8).reshape(-1, _WINDOWS)
    run_rows(_multiply_rows, len(scalars), out, table, digits)
    return out


def _double(point: Point) -> Point:
    x, y = point
    slope = 3 * x * x * pow(2 * y, -1, Q) % Q
    x3 = (slope * slope - 2 * x) % Q
    return x3, (slope * (x - x3) - y) % Q
