"""The windowed product s*B + h*N of `circuits.chips.signature_trace`, for many signatures at once.

Both scalars are read as 128 digits of two bits from the top. A window doubles the accumulator
twice and adds the entry i*B + j*N of its digits i of s and j of h.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from circuits.field import inverse
from prover.kernels import fr
from prover.kernels.edwards import (
    FIRST,
    ONCE,
    ROOT,
    add_multiple,
    base_table,
    double,
    enter,
    set_affine,
    to_summand,
)
from prover.kernels.parallel import run_rows
from prover.kernels.scalar import FR_ONE, PLAIN_ONE, ZERO, fr_inverse, fr_mul, limbs, load, store

DIGITS = 4
WINDOWS = 128
WINDOWS_PER_ROW = 8
ROWS = WINDOWS // WINDOWS_PER_ROW
KINDS = 4  # double, quadruple, entry, sum

_FOURTH = DIGITS * DIGITS
_FIRST_WINDOW = _FOURTH + 1
_STEPS = 3  # points kept of a window; its entry is known already
_POINTS = _FIRST_WINDOW + _STEPS * WINDOWS
# A plain number, so that a product with it leaves Montgomery form: x here over x there.
_FROM_ROOT = limbs(inverse(ROOT))
_ROWS_MIN = 16


@dataclass(frozen=True, slots=True)
class WindowPoints:
    """Every point on the way of n products, as plain integers.

    Shape: windows uint64[4 kinds, 2 axes, 8, 16 n, 4], the kinds being double, quadruple, entry
    and sum; entries uint64[4, 2, 4 n, 4] with i*B + j*N of product k at [i, :, 4 k + j]; fourth
    uint64[2, n, 4] with 4N.
    """

    windows: np.ndarray
    entries: np.ndarray
    fourth: np.ndarray


@njit(nogil=True, inline="always")
def _keep(points, k, point):
    """points[k] = X, Y, Z of a point."""
    store(points, 3 * k, load(point, 0))
    store(points, 3 * k + 1, load(point, 1))
    store(points, 3 * k + 2, load(point, 2))


@njit(nogil=True, cache=True)
def _make_entries(points, summands, point, negated, base):
    """Entry i*B + j*N at 4 j + i of `points` and `summands`, and 4N at the end of `points`."""
    step = np.empty((1, 16), dtype=np.uint64)
    to_summand(step, FIRST, negated)
    set_affine(negated, ZERO, FR_ONE)
    for j in range(DIGITS):
        _keep(points, DIGITS * j, negated)
        to_summand(summands, DIGITS * j, negated)
        for i in range(1, DIGITS):
            point[:] = negated
            add_multiple(point, base, FIRST, i)
            _keep(points, DIGITS * j + i, point)
            to_summand(summands, DIGITS * j + i, point)
        add_multiple(negated, step, FIRST, ONCE)
    _keep(points, _FOURTH, negated)


@njit(nogil=True, inline="always")
def _digit(scalars, row, window):
    shift = 2 * (WINDOWS - 1 - window)
    return np.int64((scalars[row, shift >> 6] >> np.uint64(shift & 63)) & np.uint64(DIGITS - 1))


@njit(nogil=True, cache=True)
def _walk(points, point, summands, chosen, s, h, row):
    """Keep the double, the quadruple and the sum of every window, and which entry it added."""
    set_affine(point, ZERO, FR_ONE)
    for window in range(WINDOWS):
        kept = _FIRST_WINDOW + _STEPS * window
        double(point, ONCE)
        _keep(points, kept, point)
        double(point, ONCE)
        _keep(points, kept + 1, point)
        chosen[window] = DIGITS * _digit(h, row, window) + _digit(s, row, window)
        add_multiple(point, summands, chosen[window], ONCE)
        _keep(points, kept + 2, point)


@njit(nogil=True, cache=True)
def _to_plain(points, prefix):
    """Replace X and Y by plain affine coordinates on the original curve, with one inversion."""
    running = FR_ONE
    for k in range(_POINTS):
        store(prefix, k, running)
        running = fr_mul(running, load(points, 3 * k + 2))
    running = fr_inverse(running)
    for k in range(_POINTS - 1, -1, -1):
        z_inverse = fr_mul(running, load(prefix, k))
        running = fr_mul(running, load(points, 3 * k + 2))
        store(points, 3 * k, fr_mul(fr_mul(load(points, 3 * k), z_inverse), _FROM_ROOT))
        store(points, 3 * k + 1, fr_mul(fr_mul(load(points, 3 * k + 1), z_inverse), PLAIN_ONE))


@njit(nogil=True, cache=True)
def _trace_rows(start, stop, windows, entries, fourth, negated, s, h, base):
    point = np.empty(16, dtype=np.uint64)
    multiple = np.empty(16, dtype=np.uint64)
    summands = np.empty((DIGITS * DIGITS, 16), dtype=np.uint64)
    points = np.empty((_POINTS, 12), dtype=np.uint64)
    prefix = np.empty((_POINTS, 4), dtype=np.uint64)
    chosen = np.empty(WINDOWS, dtype=np.int64)
    for row in range(start, stop):
        enter(multiple, load(negated, 2 * row), load(negated, 2 * row + 1))
        _make_entries(points, summands, point, multiple, base)
        _walk(points, point, summands, chosen, s, h, row)
        _to_plain(points, prefix)
        for axis in range(2):
            part = slice(4 * axis, 4 * axis + 4)
            for j in range(DIGITS):
                for i in range(DIGITS):
                    entries[i, axis, DIGITS * row + j] = points[DIGITS * j + i, part]
            fourth[axis, row] = points[_FOURTH, part]
            for window in range(WINDOWS):
                place = ROWS * row + window // WINDOWS_PER_ROW
                slot = window % WINDOWS_PER_ROW
                kept = _FIRST_WINDOW + _STEPS * window
                windows[0, axis, slot, place] = points[kept, part]
                windows[1, axis, slot, place] = points[kept + 1, part]
                windows[2, axis, slot, place] = points[chosen[window], part]
                windows[3, axis, slot, place] = points[kept + 2, part]


def trace(negated: np.ndarray, s: np.ndarray, h: np.ndarray) -> WindowPoints:
    """All points of s*B + h*N, row by row. Assumes: every N on the curve.

    Shape: negated uint64[n, 2, 4] in Montgomery form, s and h uint64[n, 4] plain integers.
    Cost: about 6,300 multiplications a row.
    """
    count = len(negated)
    made = WindowPoints(
        np.empty((KINDS, 2, WINDOWS_PER_ROW, ROWS * count, 4), dtype=np.uint64),
        np.empty((DIGITS, 2, DIGITS * count, 4), dtype=np.uint64),
        np.empty((2, count, 4), dtype=np.uint64),
    )
    arrays = (made.windows, made.entries, made.fourth, negated, s, h, base_table())
    run_rows(_trace_rows, count, *arrays, rows_min=_ROWS_MIN)
    return made


def warm() -> None:
    """Compile every kernel of this module, or load it from the cache."""
    identity = fr.from_ints([0, 1]).reshape(1, 2, 4)
    one = np.array([[1, 0, 0, 0]], dtype=np.uint64)
    trace(identity, one, one)
