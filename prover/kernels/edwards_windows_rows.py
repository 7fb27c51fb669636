"""The windowed product s*B + h*N row by row, on elements as in `scalar`; see `edwards_windows`."""

import numpy as np
from numba import njit

from circuits.field import R, inverse
from prover.kernels.edwards import (
    ONCE,
    ROOT,
    add_multiple,
    base_table,
    double,
    enter,
    set_affine,
    to_summand,
)
from prover.kernels.scalar import (
    FIRST,
    FR_ONE,
    MONTGOMERY_BITS,
    PLAIN_ONE,
    ZERO,
    fr_inverse,
    fr_mul,
    limbs,
    load,
    store,
)

DIGITS = 4
WINDOWS = 128
WINDOWS_PER_ROW = 8
ROWS = WINDOWS // WINDOWS_PER_ROW
KINDS = 4  # double, quadruple, entry, sum

FOURTH = DIGITS * DIGITS
FIRST_WINDOW = FOURTH + 1
STEPS = 3  # points kept of a window; its entry is known already
POINTS = FIRST_WINDOW + STEPS * WINDOWS
# x on the original curve over x on that of the kernels.
_FROM_ROOT = limbs(inverse(ROOT) * 2**MONTGOMERY_BITS % R)
# Arguments of kernels are not literals, for each of which a kernel would be compiled anew.
ONE_LANE, LANE = np.int64(1), np.int64(0)

tables = base_table
"""What `trace_rows` takes last."""


@njit(nogil=True, inline="always")
def _keep(points, k, point):
    """points[k] = X, Y, Z of a point."""
    store(points, 3 * k, load(point, 0))
    store(points, 3 * k + 1, load(point, 1))
    store(points, 3 * k + 2, load(point, 2))


@njit(nogil=True, inline="always")
def _copy(target, source):
    for k in range(4):
        store(target, k, load(source, k))


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
            _copy(point, negated)
            add_multiple(point, base, FIRST, i)
            _keep(points, DIGITS * j + i, point)
            to_summand(summands, DIGITS * j + i, point)
        add_multiple(negated, step, FIRST, ONCE)
    _keep(points, FOURTH, negated)


@njit(nogil=True, inline="always")
def digit_of(scalars, row, window):
    shift = 2 * (WINDOWS - 1 - window)
    return np.int64((scalars[row, shift >> 6] >> np.uint64(shift & 63)) & np.uint64(DIGITS - 1))


@njit(nogil=True, cache=True)
def _walk(points, point, summands, chosen, s, h, row):
    """Keep the double, the quadruple and the sum of every window, and which entry it added."""
    set_affine(point, ZERO, FR_ONE)
    for window in range(WINDOWS):
        kept = FIRST_WINDOW + STEPS * window
        double(point, ONCE)
        _keep(points, kept, point)
        double(point, ONCE)
        _keep(points, kept + 1, point)
        chosen[window, 0] = DIGITS * digit_of(h, row, window) + digit_of(s, row, window)
        add_multiple(point, summands, chosen[window, 0], ONCE)
        _keep(points, kept + 2, point)


@njit(nogil=True, cache=True)
def _to_plain(plain, points, prefix):
    """plain[:, :, 0] = plain affine coordinates on the original curve, with one inversion."""
    running = FR_ONE
    for k in range(POINTS):
        store(prefix, k, running)
        running = fr_mul(running, load(points, 3 * k + 2))
    # A plain number, and so is its product with any element.
    running = fr_mul(fr_inverse(running), PLAIN_ONE)
    for k in range(POINTS - 1, -1, -1):
        z_inverse = fr_mul(running, load(prefix, k))
        running = fr_mul(running, load(points, 3 * k + 2))
        store(plain, 2 * k, fr_mul(fr_mul(load(points, 3 * k), _FROM_ROOT), z_inverse))
        store(plain, 2 * k + 1, fr_mul(load(points, 3 * k + 1), z_inverse))


@njit(nogil=True, cache=True)
def write(windows, entries, fourth, plain, lanes, lane, row, chosen):
    """Put the points of one product to their places: row `row` of the result.

    Shape: plain uint64[POINTS, 2, lanes, 4], of which `lane` is the product's; chosen
    int64[WINDOWS, lanes] with the entry that each window added.
    """
    count = fourth.shape[1]
    for axis in range(2):
        for j in range(DIGITS):
            for i in range(DIGITS):
                kept = load(plain, (2 * (DIGITS * j + i) + axis) * lanes + lane)
                store(entries, DIGITS * ((2 * i + axis) * count + row) + j, kept)
        store(fourth, count * axis + row, load(plain, (2 * FOURTH + axis) * lanes + lane))
        for window in range(WINDOWS):
            row_of_window, slot = window // WINDOWS_PER_ROW, window % WINDOWS_PER_ROW
            place = ROWS * (count * (WINDOWS_PER_ROW * axis + slot) + row) + row_of_window
            kind_size = 2 * WINDOWS_PER_ROW * ROWS * count
            first = FIRST_WINDOW + STEPS * window
            store(windows, place, load(plain, (2 * first + axis) * lanes + lane))
            place += kind_size
            store(windows, place, load(plain, (2 * first + 2 + axis) * lanes + lane))
            place += kind_size
            store(windows, place, load(plain, (2 * chosen[window, lane] + axis) * lanes + lane))
            place += kind_size
            store(windows, place, load(plain, (2 * first + 4 + axis) * lanes + lane))


@njit(nogil=True, cache=True)
def trace_rows(start, stop, windows, entries, fourth, negated, s, h, base):
    """All points of the products of rows [start, stop), as `edwards_windows.WindowPoints`."""
    point = np.empty(16, dtype=np.uint64)
    multiple = np.empty(16, dtype=np.uint64)
    summands = np.empty((DIGITS * DIGITS, 16), dtype=np.uint64)
    points = np.empty((POINTS, 12), dtype=np.uint64)
    prefix = np.empty((POINTS, 4), dtype=np.uint64)
    plain = np.empty((POINTS, 2, 1, 4), dtype=np.uint64)
    chosen = np.empty((WINDOWS, 1), dtype=np.int64)
    for row in range(start, stop):
        enter(multiple, load(negated, 2 * row), load(negated, 2 * row + 1))
        _make_entries(points, summands, point, multiple, base)
        _walk(points, point, summands, chosen, s, h, row)
        _to_plain(plain, points, prefix)
        write(windows, entries, fourth, plain, ONE_LANE, LANE, row, chosen)
