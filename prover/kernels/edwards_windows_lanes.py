"""The windowed product eight at a time: the vector twin of `edwards_windows_rows`.

Bounds, in multiples of the modulus (see `lane_sums`), for coordinates below 3.1 as `edwards_lanes`
has them: factors stay below 10.4, numerators and denominators below 7.2, the products of
denominators and all that is stored below 2.2; what is subtracted is a coordinate or a product.
"""

import numpy as np
from numba import njit

from circuits.edwards import Point
from circuits.field import R
from prover.kernels import edwards_windows_rows, fr
from prover.kernels.aligned import aligned_rows
from prover.kernels.edwards import ROOT
from prover.kernels.edwards_lanes import (
    FROM_ROOT,
    FROM_ROOT_SQUARE,
    LANE_FORM,
    MINUS,
    NO_T,
    PLANES,
    PLUS,
    ROOT_TO_LANES,
    ROOT_TO_PLAIN,
    add,
    affine_planes,
    choose,
    constants,
    double,
    in_every_lane,
    invert_lanes,
    set_affine,
    to_summands,
)
from prover.kernels.edwards_windows_rows import (
    BASE_ENTRIES,
    DIGIT_BITS,
    DIGITS,
    FRACTIONS,
    HALF_BITS,
    PER_ENTRY,
    TABLE_FRACTIONS,
    WINDOWS,
    WINDOWS_PER_ROW,
    byte_of,
)
from prover.kernels.lane_memory import (
    WORK_WORDS,
    fr_store,
    fr_store_strided,
    gather,
    get,
    load_strided,
    put,
)
from prover.kernels.lane_sums import add2, fr_minus
from prover.kernels.lanes import LANES, fr_mul, fr_to_lane_form, fr_to_plain, fr_zero_lanes
from prover.kernels.scalar import FIRST

# Groups of the work array: X, Y, Z of a point and its T, then those fractions: numerator,
# denominator, and the product of all denominators before.
_POINT, _T = np.int64(0), np.int64(3)
_FRACTION, _GROUPS_OF_FRACTION = np.int64(4), np.int64(3)
_GROUPS = int(_FRACTION + _GROUPS_OF_FRACTION * (FRACTIONS + 1))
_STEP = np.int64(LANES * DIGITS)  # where summands and images of N are
# Groups of the points of `tables`: x and y each.
_OFFSET, _START = np.int64(0), np.int64(2)
_AFFINE_BASE = np.int64(1)  # planes are led by the identity
_POSITIVE = np.int64(1)


def tables(offset: Point, start: Point) -> tuple:
    """What `trace_rows` takes last.

    The tables of its twin; base entries as planes of summands and images; T and the start; numbers.
    Images are two planes of the length of their summands', with their limbs in lane form.
    """
    rows = edwards_windows_rows.tables(offset, start)
    base, base_images = rows[:2]
    entries = np.zeros((2, int(2 * BASE_ENTRIES + _AFFINE_BASE), 4), dtype=np.uint64)
    for plane, column in zip(entries, base_images.swapaxes(0, 1), strict=True):
        plane[_AFFINE_BASE:] = fr.scale(column.copy(), 2**4)
    affine = [word for x, y in (offset, start) for word in (x * ROOT, y)]
    points = in_every_lane([word * LANE_FORM % R for word in affine])
    return rows, affine_planes(base, 1), entries, points, constants()


@njit(nogil=True, cache=True)
def _put(work, k, numerator, denominator):
    """Fraction k of the eight, as in the twin."""
    group = _FRACTION + _GROUPS_OF_FRACTION * k
    put(work, group, numerator)
    put(work, group + 1, denominator)
    put(work, group + 5, fr_mul(get(work, group + 2), denominator))


@njit(nogil=True, cache=True)
def _put_image(work, k, numbers):
    """u and v of the points as fractions k and k + 1."""
    x, y, z = get(work, _POINT), get(work, _POINT + 1), get(work, _POINT + 2)
    plus, minus = add2(z, y), fr_minus(z, y)
    _put(work, k, fr_mul(plus, get(numbers, FROM_ROOT)), minus)
    _put(work, k + 1, fr_mul(plus, z), fr_mul(minus, x))


@njit(nogil=True, cache=True)
def _put_chord(work, k, entries, places):
    """The slopes from the points to the chosen images as fraction k. Cost: 6 multiplications."""
    x, y, z = get(work, _POINT), get(work, _POINT + 1), get(work, _POINT + 2)
    # An image's two planes are where the first two of its summand are.
    u, v = gather(entries, places, LANES * PLUS), gather(entries, places, LANES * MINUS)
    plus, minus = add2(z, y), fr_minus(z, y)
    numerator = fr_minus(fr_mul(plus, z), fr_mul(v, fr_mul(minus, x)))
    _put(work, k, numerator, fr_mul(x, fr_minus(plus, fr_mul(u, minus))))


@njit(nogil=True, cache=True)
def _double(work, k, t, numbers):
    """Twice the points, with T in group `t` as by `double`, and the slopes at them as fraction k.

    Cost: 12 multiplications, and one for T.
    """
    x, z = get(work, _POINT), get(work, _POINT + 2)
    cross, y_square, z_square = double(work, _POINT, _POINT, t)
    # (z + y) (z - y), and -2 x y times x.
    product = fr_minus(z_square, y_square)
    rest = fr_mul(fr_mul(cross, get(numbers, FROM_ROOT_SQUARE)), x)
    _put(work, k, fr_minus(fr_mul(z, product), rest), fr_mul(x, product))


@njit(nogil=True, cache=True)
def _divide(work, count, factor):
    """As in the twin; returned are the lanes where it failed, as a bit mask.

    The product before all denominators is made what the twin returns.
    """
    group = _FRACTION + _GROUPS_OF_FRACTION * count
    running = fr_mul(invert_lanes(get(work, group + 2)), factor)
    for _ in range(count):
        group -= _GROUPS_OF_FRACTION
        single = fr_mul(running, get(work, group + 2))
        running = fr_mul(running, get(work, group + 1))
        put(work, group, fr_mul(get(work, group), single))
    put(work, _FRACTION + 2, running)
    return fr_zero_lanes(running)


@njit(nogil=True, cache=True)
def _store(out, place, count, first, value):
    """Plain values of products first .. first + 7 to their places."""
    start = place[0] * count + place[1] * first + place[2]
    fr_store_strided(out, start, place[1], value)


@njit(nogil=True, cache=True)
def _make_table(out, work, summands, entries, lane_places, keys, first, tables):
    """T + j*N as summands and images, and N behind them, with all that the result has of them."""
    rows, points, numbers = tables[0], tables[3], tables[4]
    x, y, u, v = (
        fr_to_lane_form(load_strided(keys, 4 * first, 4)),
        fr_to_lane_form(load_strided(keys, 4 * first + 1, 4)),
        fr_to_lane_form(load_strided(keys, 4 * first + 2, 4)),
        fr_to_lane_form(load_strided(keys, 4 * first + 3, 4)),
    )
    stride = entries.shape[1]
    set_affine(work, _POINT, _T, x, y, numbers)
    to_summands(summands, _STEP, work, _POINT, _T, numbers)
    fr_store(entries, _STEP, u)
    fr_store(entries, stride + _STEP, v)
    for lane in range(LANES):
        choose(lane_places, lane, summands, _STEP + lane, _POSITIVE)
    put(work, _FRACTION + 2, u)
    set_affine(work, _POINT, _T, get(points, _OFFSET), get(points, _OFFSET + 1), numbers)
    for j in range(DIGITS):
        to_summands(summands, LANES * j, work, _POINT, _T, numbers)
        _put_image(work, PER_ENTRY * j, numbers)
        _put_chord(work, PER_ENTRY * j + 2, entries, lane_places)
        add(work, _POINT, _T, summands, lane_places, _POINT, _T)
    _divide(work, TABLE_FRACTIONS, get(numbers, ROOT_TO_LANES))
    for j in range(DIGITS):
        group = _FRACTION + _GROUPS_OF_FRACTION * PER_ENTRY * j
        fr_store(entries, LANES * j, get(work, group))
        v = fr_mul(get(work, group + _GROUPS_OF_FRACTION), get(numbers, FROM_ROOT))
        fr_store(entries, stride + LANES * j, v)
    for k in range(TABLE_FRACTIONS):
        value = fr_to_plain(get(work, _FRACTION + _GROUPS_OF_FRACTION * k))
        _store(out, rows[3][k], len(keys), first, value)


@njit(nogil=True, cache=True)
def _walk(work, summands, entries, lane_places, s, h, first, tables):
    """The fractions of the products, in their order."""
    base, base_entries, points, numbers = tables[1], tables[2], tables[3], tables[4]
    set_affine(work, _POINT, _T, get(points, _START), get(points, _START + 1), numbers)
    k = FIRST
    for window in range(WINDOWS):
        if window % WINDOWS_PER_ROW == 0:
            _put_image(work, k, numbers)
            k += 2
        for shift in (DIGIT_BITS, FIRST):
            for _ in range(DIGIT_BITS - 1):
                _double(work, k, NO_T, numbers)
                k += 1
            _double(work, k, _T, numbers)
            for lane in range(LANES):
                digit = byte_of(h, first + lane, window, FIRST) >> shift & DIGITS - 1
                choose(lane_places, lane, summands, LANES * digit + lane, _POSITIVE)
            _put_chord(work, k + 1, entries, lane_places)
            # A doubling follows the first sum, a sum with a base entry the second.
            t = NO_T if shift > 0 else _T
            add(work, _POINT, _T, summands, lane_places, _POINT, t)
            k += 2
        for half in range(2):
            for lane in range(LANES):
                octet = byte_of(s, first + lane, window, HALF_BITS * (1 - half))
                entry = BASE_ENTRIES * half + octet + _AFFINE_BASE
                choose(lane_places, lane, base, entry, _POSITIVE)
            _put_chord(work, k, base_entries, lane_places)
            # After the sum for the low half comes a doubling.
            add(work, _POINT, _T, base, lane_places, _POINT, NO_T if half else _T)
            k += 1
    _put_image(work, k, numbers)
    x, y, z = get(work, _POINT), get(work, _POINT + 1), get(work, _POINT + 2)
    _put(work, k + 2, fr_mul(x, get(numbers, FROM_ROOT_SQUARE)), z)
    _put(work, k + 3, fr_mul(y, get(numbers, FROM_ROOT)), z)


@njit(nogil=True, cache=True)
def _trace_eight(first, out, work, summands, entries, keys, s, h, tables):
    """The values of products first .. first + 7."""
    rows, numbers = tables[0], tables[4]
    lane_places = np.empty(4 * LANES, dtype=np.int64)
    _make_table(out, work, summands, entries, lane_places, keys, first, tables)
    _walk(work, summands, entries, lane_places, s, h, first, tables)
    failed = _divide(work, FRACTIONS, get(numbers, ROOT_TO_PLAIN))
    for k in range(FRACTIONS):
        value = get(work, _FRACTION + _GROUPS_OF_FRACTION * k)
        _store(out, rows[3][TABLE_FRACTIONS + k], len(keys), first, value)
    # A sum of equal points, which only the twin knows of, or really one that is the identity.
    for lane in range(LANES):
        if failed & (1 << lane):
            row = first + lane
            edwards_windows_rows.trace_rows(row, row + 1, out, keys, s, h, rows)


@njit(nogil=True, cache=True)
def trace_rows(start, stop, out, keys, s, h, tables):
    """As the twin: the values of products [start, stop) to their places in `out`."""
    if stop - start < LANES:
        edwards_windows_rows.trace_rows(start, stop, out, keys, s, h, tables[0])
        return
    work = aligned_rows(_GROUPS, WORK_WORDS)
    summands = np.empty((PLANES, LANES * (DIGITS + 1), 4), dtype=np.uint64)
    entries = np.empty((2, LANES * (DIGITS + 1), 4), dtype=np.uint64)
    for row in range(start, stop, LANES):
        # The last eight may begin among those before: rows done twice come out the same.
        first = min(row, stop - LANES)
        _trace_eight(first, out, work, summands, entries, keys, s, h, tables)
