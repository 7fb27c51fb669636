"""Signatures verified eight at a time, on lane values: the vector twin of `edwards_verify_rows`."""

import numpy as np
from numba import njit

from prover.kernels import edwards_verify_rows
from prover.kernels.aligned import aligned_rows
from prover.kernels.edwards import BASE_BITS, BASE_WINDOWS, recode
from prover.kernels.edwards_lanes import (
    BASE_WINDOW_ENTRIES,
    D_HERE,
    MINUS_ROOT,
    NO_T,
    NOTHING,
    ONE,
    PLANES,
    ROOT_HERE,
    add,
    base_planes,
    choose,
    constants,
    double,
    set_affine,
    to_summands,
)
from prover.kernels.edwards_verify_rows import (
    COFACTOR_BITS,
    EQUATION,
    HOLDS,
    KEY_BITS,
    KEY_MULTIPLES,
    KEY_WINDOWS,
    OFF_CURVE,
    SMALL_ORDER,
)
from prover.kernels.lane_memory import WORK_WORDS, get, load_strided, put
from prover.kernels.lanes import LANES, fr_add, fr_mul, fr_sub, fr_to_lane_form, fr_zero_lanes

# Groups of the work array: R, -K, a running point, and T of it.
_R, _KEY, _POINT, _T = map(np.int64, range(0, 12, 3))
_GROUPS = 10
# Summands of -K: the identity, then -K itself.
_NONE, _ONCE = np.int64(0), np.int64(LANES)


def tables() -> tuple[np.ndarray, ...]:
    """What `verify_rows` takes last: the table of its twin, that of the lanes, and numbers."""
    return edwards_verify_rows.tables(), base_planes(), constants()


@njit(nogil=True, cache=True)
def _load_point(work, target, points, first, root, numbers):
    """Eight points, every fourth element from `first` on, mapped to the curve of the kernels."""
    x = fr_to_lane_form(load_strided(points, first, 4))
    put(work, target, fr_mul(x, get(numbers, root)))
    put(work, target + 1, fr_to_lane_form(load_strided(points, first + 1, 4)))


@njit(nogil=True, cache=True)
def _on_curve(work, point, numbers):
    """The lanes whose point is on the curve."""
    x, y = get(work, point), get(work, point + 1)
    x_square, y_square = fr_mul(x, x), fr_mul(y, y)
    product = fr_mul(fr_mul(x_square, y_square), get(numbers, D_HERE))
    right = fr_add(get(numbers, ONE), product)
    return fr_zero_lanes(fr_sub(fr_sub(y_square, x_square), right))


@njit(nogil=True, cache=True)
def _small_order(work, numbers):
    """The lanes where 8 R is the identity."""
    set_affine(work, _POINT, _T, get(work, _R), get(work, _R + 1), numbers)
    for _ in range(COFACTOR_BITS):
        double(work, _POINT, _POINT, NO_T)
    is_zero = fr_zero_lanes(get(work, _POINT))
    return is_zero & fr_zero_lanes(fr_sub(get(work, _POINT + 1), get(work, _POINT + 2)))


@njit(nogil=True, cache=True)
def _multiply(work, summands, digits, places, numbers):
    """The running point = sum over w of digits[w] 2^(5w) * -K, by lanes."""
    nothing, one = get(numbers, NOTHING), get(numbers, ONE)
    set_affine(work, _POINT, _T, nothing, one, numbers)
    to_summands(summands, _NONE, work, _POINT, _T, numbers)
    set_affine(work, _POINT, _T, get(work, _KEY), get(work, _KEY + 1), numbers)
    to_summands(summands, _ONCE, work, _POINT, _T, numbers)
    for lane in range(LANES):
        choose(places, lane, summands, _ONCE + lane, _ONCE)
    for multiple in range(2, KEY_MULTIPLES + 1):
        add(work, _POINT, _T, summands, places, _POINT, _T)
        to_summands(summands, multiple * LANES, work, _POINT, _T, numbers)
    set_affine(work, _POINT, _T, nothing, one, numbers)
    for window in range(KEY_WINDOWS - 1, -1, -1):
        for _ in range(KEY_BITS - 1):
            double(work, _POINT, _POINT, NO_T)
        double(work, _POINT, _POINT, _T)
        for lane in range(LANES):
            digit = digits[lane, window]
            choose(places, lane, summands, abs(digit) * LANES + lane, digit)
        add(work, _POINT, _T, summands, places, _POINT, _T if window == 0 else NO_T)


@njit(nogil=True, cache=True)
def _verify_eight(i, out, points, s, h, base, numbers, work, summands):
    """Rows i .. i + 7."""
    places = np.empty(4 * LANES, dtype=np.int64)
    base_digits = np.empty((LANES, BASE_WINDOWS), dtype=np.int64)
    key_digits = np.empty((LANES, KEY_WINDOWS), dtype=np.int64)
    for lane in range(LANES):
        recode(key_digits[lane], h, i + lane, KEY_BITS)
        recode(base_digits[lane], s, i + lane, BASE_BITS)
    _load_point(work, _R, points, 4 * i, ROOT_HERE, numbers)
    # -K, so that the product can be added to S * BASE8 and compared with R.
    _load_point(work, _KEY, points, 4 * i + 2, MINUS_ROOT, numbers)
    r_on_curve, key_on_curve = _on_curve(work, _R, numbers), _on_curve(work, _KEY, numbers)
    small_order = _small_order(work, numbers)
    _multiply(work, summands, key_digits, places, numbers)
    for window in range(BASE_WINDOWS):
        for lane in range(LANES):
            digit = base_digits[lane, window]
            choose(places, lane, base, abs(digit) + window * BASE_WINDOW_ENTRIES, digit)
        add(work, _POINT, _T, base, places, _POINT, _T)
    z = get(work, _POINT + 2)
    x_equal = fr_zero_lanes(fr_sub(get(work, _POINT), fr_mul(get(work, _R), z)))
    y_equal = fr_zero_lanes(fr_sub(get(work, _POINT + 1), fr_mul(get(work, _R + 1), z)))
    for lane in range(LANES):
        bit = 1 << lane
        if not r_on_curve & bit:
            out[i + lane] = OFF_CURVE
        elif small_order & bit:
            out[i + lane] = SMALL_ORDER
        else:
            holds = key_on_curve & x_equal & y_equal & bit
            out[i + lane] = HOLDS if holds else EQUATION


@njit(nogil=True, cache=True)
def verify_rows(start, stop, out, points, s, h, tables):
    """As the twin: out[i] = what is wrong with R, K = points[i] and the scalars s[i], h[i]."""
    if stop - start < LANES:
        edwards_verify_rows.verify_rows(start, stop, out, points, s, h, tables[0])
        return
    work = aligned_rows(_GROUPS, WORK_WORDS)
    summands = np.empty((PLANES, (KEY_MULTIPLES + 1) * LANES, 4), dtype=np.uint64)
    for i in range(start, stop, LANES):
        # The last eight may begin among those before: rows done twice come out the same.
        first = min(i, stop - LANES)
        _verify_eight(first, out, points, s, h, tables[1], tables[2], work, summands)
