"""The windowed product eight at a time: the vector twin of `edwards_windows_rows`."""

import numpy as np
from numba import njit

from prover.kernels.edwards_lanes import (
    FROM_ROOT,
    NO_T,
    NOTHING,
    ONE,
    PLANES,
    ROOT_HERE,
    TO_PLAIN,
    add,
    base_planes,
    choose,
    constants,
    double,
    invert_lanes,
    set_affine,
    to_summands,
)
from prover.kernels.edwards_windows_rows import (
    DIGITS,
    FIRST_WINDOW,
    POINTS,
    WINDOWS,
    digit_of,
    write,
)
from prover.kernels.lane_memory import WORK_WORDS, fr_store, get, load_strided, put
from prover.kernels.lanes import LANES, fr_mul, fr_to_lane_form
from prover.kernels.scalar import EVERY, SAME

# Groups of a work array: X, Y, Z of every point that is kept, and behind them two T.
_AXES = 3
_T = np.int64(_AXES * POINTS)
_T_OF_ENTRY = np.int64(_T + 1)
_GROUPS = int(_T) + 2
_START = np.int64(0)  # the entry 0 * B + 0 * N
_ALL_LANES = np.int64(LANES)
_POSITIVE = np.int64(1)


def tables() -> tuple[np.ndarray, ...]:
    """What `trace_rows` takes last: summands of the base point, and numbers."""
    return base_planes(), constants()


@njit(nogil=True, cache=True)
def _choose_all(places, summands, first, stride):
    """Let every lane take the summand first + stride * lane."""
    for lane in range(LANES):
        choose(places, lane, summands, first + stride * lane, _POSITIVE)


@njit(nogil=True, cache=True)
def _make_entries(work, summands, places, x, y, base, numbers):
    """Point and summand 4 j + i = i*B + j*N for N = (x, y), and the point 4N."""
    set_affine(work, _START, _T, get(numbers, NOTHING), get(numbers, ONE), numbers)
    for j in range(DIGITS):
        multiple = _AXES * DIGITS * j
        to_summands(summands, LANES * DIGITS * j, work, multiple, _T, numbers)
        for i in range(1, DIGITS):
            entry = multiple + _AXES * i
            _choose_all(places, base, i, SAME)
            add(work, multiple, _T, base, places, entry, _T_OF_ENTRY)
            to_summands(summands, LANES * (DIGITS * j + i), work, entry, _T_OF_ENTRY, numbers)
        following = multiple + _AXES * DIGITS
        if j == 0:
            set_affine(work, following, _T, x, y, numbers)
        else:
            _choose_all(places, summands, LANES * DIGITS, EVERY)
            add(work, multiple, _T, summands, places, following, _T)


@njit(nogil=True, cache=True)
def _walk(work, summands, places, chosen, s, h, first):
    """The double, the quadruple and the sum of every window, and which entry it added."""
    source = _START
    target = np.int64(_AXES * FIRST_WINDOW)
    for window in range(WINDOWS):
        for lane in range(LANES):
            row = first + lane
            entry = DIGITS * digit_of(h, row, window) + digit_of(s, row, window)
            chosen[window, lane] = entry
            choose(places, lane, summands, entry * LANES + lane, _POSITIVE)
        double(work, source, target, NO_T)
        double(work, target, target + _AXES, _T)
        source = target + 2 * _AXES
        add(work, target + _AXES, _T, summands, places, source, NO_T)
        target = source + _AXES


@njit(nogil=True, cache=True)
def _to_plain(plain, work, prefix, numbers):
    """Plain affine coordinates of all points on the original curve, with one inversion."""
    running = get(numbers, ONE)
    for k in range(POINTS):
        put(prefix, k, running)
        running = fr_mul(running, get(work, _AXES * k + 2))
    # A plain number by lane, and so is its product with anything in lane form.
    running = fr_mul(invert_lanes(running), get(numbers, TO_PLAIN))
    for k in range(POINTS - 1, -1, -1):
        z_inverse = fr_mul(running, get(prefix, k))
        running = fr_mul(running, get(work, _AXES * k + 2))
        x = fr_mul(get(work, _AXES * k), get(numbers, FROM_ROOT))
        fr_store(plain, 2 * LANES * k, fr_mul(x, z_inverse))
        fr_store(plain, 2 * LANES * k + LANES, fr_mul(get(work, _AXES * k + 1), z_inverse))


@njit(nogil=True, cache=True)
def _trace_eight(first, work, prefix, summands, plain, chosen, negated, s, h, tables):
    """All points of rows first .. first + 7 to `plain`."""
    base, numbers = tables
    places = np.empty(4 * LANES, dtype=np.int64)
    x = fr_to_lane_form(load_strided(negated, 2 * first, 2))
    x = fr_mul(x, get(numbers, ROOT_HERE))
    y = fr_to_lane_form(load_strided(negated, 2 * first + 1, 2))
    _make_entries(work, summands, places, x, y, base, numbers)
    _walk(work, summands, places, chosen, s, h, first)
    _to_plain(plain, work, prefix, numbers)


@njit(nogil=True, cache=True)
def _padded(array, start, stop):
    """Rows [start, stop) of uint64[n, k], and zeros up to eight rows."""
    out = np.zeros((LANES, array.shape[1]), dtype=np.uint64)
    for row in range(start, stop):
        for k in range(array.shape[1]):
            out[row - start, k] = array[row, k]
    return out


@njit(nogil=True, cache=True)
def trace_rows(start, stop, windows, entries, fourth, negated, s, h, tables):
    """As the twin: all points of the products of rows [start, stop)."""
    work = np.empty((_GROUPS, WORK_WORDS), dtype=np.uint64)
    prefix = np.empty((POINTS, WORK_WORDS), dtype=np.uint64)
    summands = np.empty((PLANES, DIGITS * DIGITS * LANES, 4), dtype=np.uint64)
    plain = np.empty((POINTS, 2, LANES, 4), dtype=np.uint64)
    chosen = np.empty((WINDOWS, LANES), dtype=np.int64)
    is_few = stop - start < LANES
    if is_few:
        negated, s = _padded(negated, start, stop), _padded(s, start, stop)
        h = _padded(h, start, stop)
    for row in range(start, stop, LANES):
        # The last eight may begin among those before: rows done twice come out the same.
        first = start if is_few else min(row, stop - LANES)
        source = 0 if is_few else first
        _trace_eight(source, work, prefix, summands, plain, chosen, negated, s, h, tables)
        for lane in range(min(LANES, stop - first)):
            write(windows, entries, fourth, plain, _ALL_LANES, lane, first + lane, chosen)
