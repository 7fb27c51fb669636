"""The windowed product row by row, on elements as in `scalar`; see `edwards_windows`."""

import numpy as np
from numba import njit

from circuits.edwards import BASE8, Point, multiply
from circuits.field import R, inverse
from prover.kernels import fr
from prover.kernels.edwards import ONCE, ROOT, add_multiple, double, set_affine, to_summand
from prover.kernels.scalar import (
    FIRST,
    MONTGOMERY_BITS,
    PLAIN_ONE,
    fr_add,
    fr_inverse,
    fr_mul,
    fr_sub,
    is_zero,
    limbs,
    load,
    store,
)

# What one product makes, in the order of the result's blocks: columns of each block, and rows.
BLOCKS = ((4, 4), (2, 16), (24, 8), (2, 8), (2, 1), (2, 1))
_TABLE_SLOPES, _MULTIPLES, _SLOPES, _STARTS, _ENDS, _RESULTS = range(len(BLOCKS))
VALUES = sum(columns * rows for columns, rows in BLOCKS)

# Arguments of kernels are not literals, for each of which a kernel would be compiled anew.
DIGITS = np.int64(16)
DIGIT_BITS = np.int64(4)
BASE_ENTRIES = np.int64(256)
WINDOWS = np.int64(16)
WINDOWS_PER_ROW = np.int64(2)
HALF_BITS = np.int64(128)
_STEP = DIGITS  # where the summand and the image of N are, behind those of T + j*N
# Fractions of the table: u and v of each entry and the slope to the next. Then those of the
# product: u, v and the slopes of each row, and at the end u, v, x and y.
PER_ENTRY = np.int64(3)
TABLE_FRACTIONS = np.int64(PER_ENTRY * DIGITS)
FRACTIONS = np.int64(VALUES - TABLE_FRACTIONS)

_INVERSE_ROOT = inverse(ROOT)
_FROM_ROOT = limbs(_INVERSE_ROOT * 2**MONTGOMERY_BITS % R)
_FROM_ROOT_SQUARE = limbs(_INVERSE_ROOT**2 * 2**MONTGOMERY_BITS % R)
_TWICE_FROM_ROOT_SQUARE = limbs(2 * _INVERSE_ROOT**2 * 2**MONTGOMERY_BITS % R)
# What an inverse is multiplied by so that quotients come out ROOT times as large: as elements, or
# as plain numbers.
_AS_ELEMENTS = limbs(ROOT * 2**MONTGOMERY_BITS % R)
_AS_PLAIN = limbs(ROOT)


def value_places() -> np.ndarray:
    """Where the result has each fraction of product k, as the three numbers of a place.

    Value (a, b, c) of k among n products is element a n + b k + c.
    Shape: int64[VALUES, 3], the fractions of the table before those of the product.
    """
    sizes = [columns * rows for columns, rows in BLOCKS]

    def place(block: int, column: int, row: int) -> tuple[int, int, int]:
        rows = BLOCKS[block][1]
        return sum(sizes[:block]) + rows * column, rows, row

    places = []
    slopes_per_row = BLOCKS[_TABLE_SLOPES][0]
    for j in range(BLOCKS[_MULTIPLES][1]):
        places += [place(_MULTIPLES, axis, j) for axis in range(2)]
        row, column = divmod(j, slopes_per_row)
        places.append(place(_TABLE_SLOPES, column, row))
    columns, rows = BLOCKS[_SLOPES]
    for row in range(rows):
        places += [place(_STARTS, axis, row) for axis in range(2)]
        places += [place(_SLOPES, column, row) for column in range(columns)]
    places += [place(block, axis, 0) for block in (_ENDS, _RESULTS) for axis in range(2)]
    return np.array(places, dtype=np.int64)


def images(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """u and v / ROOT of the points x/z, y/z of the kernels' curve; zeros where there is none.

    Shape: all uint64[n, 4] in Montgomery form.
    """
    plus, minus = fr.add(z, y), fr.sub(z, y)
    both_inverse = fr.mul(plus, fr.batch_inverse(fr.mul(minus, x)))
    return fr.mul(x, both_inverse), fr.mul(z, both_inverse)


def tables(offset: Point, start: Point) -> tuple[np.ndarray, ...]:
    """What `trace_rows` takes last: base entries as summands and images, T and the start, places.

    The entries are T + i * 2^128 * B, and T + i*B behind them.
    Shape: uint64[512, 16], uint64[512, 2, 4], uint64[2, 16], int64[VALUES, 3].
    """
    points = np.stack([_extended(point) for point in (offset, start)])
    summands = np.empty((2 * BASE_ENTRIES, 16), dtype=np.uint64)
    for half, step in enumerate((multiply(BASE8, 1 << int(HALF_BITS)), BASE8)):
        entries = summands[half * BASE_ENTRIES : (half + 1) * BASE_ENTRIES]
        _fill_base(entries, points[0].copy(), _extended(step))
    plus, minus, _, two_z = (summands[:, 4 * k : 4 * k + 4].copy() for k in range(4))
    entries = np.stack(images(fr.sub(plus, minus), fr.add(plus, minus), two_z), axis=1)
    return summands, entries, points, value_places()


def _extended(point: Point) -> np.ndarray:
    x, y = point[0] * ROOT % R, point[1]
    return fr.from_ints((x, y, 1, x * y % R)).reshape(16)


@njit(nogil=True, cache=True)
def _fill_base(summands, point, step):
    """summands[i] = point + i * step; the point is spent."""
    steps = np.empty((1, 16), dtype=np.uint64)
    to_summand(steps, FIRST, step)
    for i in range(len(summands)):
        to_summand(summands, i, point)
        add_multiple(point, steps, FIRST, ONCE)


@njit(nogil=True, inline="always")
def byte_of(scalars, row, window, lowest):
    """Byte `window` from the top of the 128 bits of a scalar that begin with bit `lowest`."""
    shift = lowest + 8 * (WINDOWS - 1 - window)
    return np.int64((scalars[row, shift >> 6] >> np.uint64(shift & 63)) & np.uint64(255))


@njit(nogil=True, inline="always")
def _set(target, source):
    for k in range(4):
        store(target, k, load(source, k))


@njit(nogil=True, cache=True)
def _put(fractions, k, numerator, denominator):
    """Fraction k, and behind it the product of all denominators so far: fractions come in order.

    Shape: fractions uint64[n + 1, 12] with numerator, denominator, and that product before it.
    """
    store(fractions, 3 * k, numerator)
    store(fractions, 3 * k + 1, denominator)
    store(fractions, 3 * k + 5, fr_mul(load(fractions, 3 * k + 2), denominator))


@njit(nogil=True, cache=True)
def _put_image(fractions, k, point):
    """u and v of a point as fractions k and k + 1."""
    x, y, z = load(point, 0), load(point, 1), load(point, 2)
    plus, minus = fr_add(z, y), fr_sub(z, y)
    _put(fractions, k, fr_mul(plus, _FROM_ROOT), minus)
    _put(fractions, k + 1, fr_mul(plus, z), fr_mul(minus, x))


@njit(nogil=True, cache=True)
def _put_tangent(fractions, k, point):
    """The slope at a point as fraction k. Cost: 7 multiplications."""
    x, y, z = load(point, 0), load(point, 1), load(point, 2)
    product = fr_mul(fr_add(z, y), fr_sub(z, y))
    rest = fr_mul(fr_mul(fr_mul(x, x), y), _TWICE_FROM_ROOT_SQUARE)
    _put(fractions, k, fr_add(fr_mul(z, product), rest), fr_mul(x, product))


@njit(nogil=True, cache=True)
def _put_chord(fractions, k, point, entries, entry):
    """The slope from a point to one of the images as fraction k. Cost: 6 multiplications."""
    x, y, z = load(point, 0), load(point, 1), load(point, 2)
    u, v = load(entries, 2 * entry), load(entries, 2 * entry + 1)
    plus, minus = fr_add(z, y), fr_sub(z, y)
    numerator = fr_sub(fr_mul(plus, z), fr_mul(v, fr_mul(minus, x)))
    denominator = fr_mul(x, fr_sub(plus, fr_mul(u, minus)))
    if is_zero(numerator) and is_zero(denominator):
        _put_tangent(fractions, k, point)
    else:
        _put(fractions, k, numerator, denominator)


@njit(nogil=True, cache=True)
def _divide(fractions, count, factor):
    """numerator = quotient * factor for every fraction, with one inversion.

    Returns the factor over the product that stood before all denominators. One of them being
    zero, all quotients and what is returned are.
    """
    running = fr_mul(fr_inverse(load(fractions, 3 * count + 2)), factor)
    for k in range(count - 1, -1, -1):
        single = fr_mul(running, load(fractions, 3 * k + 2))
        running = fr_mul(running, load(fractions, 3 * k + 1))
        store(fractions, 3 * k, fr_mul(load(fractions, 3 * k), single))
    return running


@njit(nogil=True, cache=True)
def _make_table(out, fractions, summands, entries, point, keys, row, tables):
    """T + j*N as summands and images, and N behind them, with all that the result has of them.

    Returns zero where a sum was the identity.
    """
    points, places = tables[2], tables[3]
    set_affine(point, load(keys, 4 * row), load(keys, 4 * row + 1))
    to_summand(summands, _STEP, point)
    for axis in range(2):
        store(entries, 2 * _STEP + axis, load(keys, 4 * row + 2 + axis))
    # N without an image has zeros there, and then everything is.
    store(fractions, 2, load(keys, 4 * row + 2))
    _set(point, points[0])
    for j in range(DIGITS):
        to_summand(summands, j, point)
        _put_image(fractions, PER_ENTRY * j, point)
        _put_chord(fractions, PER_ENTRY * j + 2, point, entries, _STEP)
        add_multiple(point, summands, _STEP, ONCE)
    sound = _divide(fractions, TABLE_FRACTIONS, _AS_ELEMENTS)
    for j in range(DIGITS):
        store(entries, 2 * j, load(fractions, 3 * PER_ENTRY * j))
        store(entries, 2 * j + 1, fr_mul(load(fractions, 3 * PER_ENTRY * j + 3), _FROM_ROOT))
    for k in range(TABLE_FRACTIONS):
        place = places[k, 0] * len(keys) + places[k, 1] * row + places[k, 2]
        store(out, place, fr_mul(load(fractions, 3 * k), PLAIN_ONE))
    return sound


@njit(nogil=True, cache=True)
def _walk(fractions, summands, entries, point, s, h, row, tables):
    """The fractions of the product, in their order."""
    base, base_entries = tables[0], tables[1]
    _set(point, tables[2][1])
    k = FIRST
    for window in range(WINDOWS):
        if window % WINDOWS_PER_ROW == 0:
            _put_image(fractions, k, point)
            k += 2
        octet = byte_of(h, row, window, FIRST)
        for digit in (octet >> DIGIT_BITS, octet & DIGITS - 1):
            for _ in range(DIGIT_BITS):
                _put_tangent(fractions, k, point)
                double(point, ONCE)
                k += 1
            _put_chord(fractions, k, point, entries, digit)
            add_multiple(point, summands, digit, ONCE)
            k += 1
        for half in range(2):
            octet = byte_of(s, row, window, HALF_BITS * (1 - half))
            entry = BASE_ENTRIES * half + octet
            _put_chord(fractions, k, point, base_entries, entry)
            add_multiple(point, base, entry, ONCE)
            k += 1
    _put_image(fractions, k, point)
    x, y, z = load(point, 0), load(point, 1), load(point, 2)
    _put(fractions, k + 2, fr_mul(x, _FROM_ROOT_SQUARE), z)
    _put(fractions, k + 3, fr_mul(y, _FROM_ROOT), z)


@njit(nogil=True, cache=True)
def trace_rows(start, stop, out, keys, s, h, tables):
    """The values of products [start, stop) to their places in `out`, as `value_places` says.

    Shape: out uint64[VALUES n, 4]; keys uint64[n, 4, 4] with x and y of N on the kernels' curve
    and its `images`.
    """
    point = np.empty(16, dtype=np.uint64)
    summands = np.empty((DIGITS + 1, 16), dtype=np.uint64)
    entries = np.empty((DIGITS + 1, 2, 4), dtype=np.uint64)
    fractions = np.empty((FRACTIONS + 1, 12), dtype=np.uint64)
    places = tables[3]
    for row in range(start, stop):
        sound = _make_table(out, fractions, summands, entries, point, keys, row, tables)
        # Nothing is divided by what failed.
        store(fractions, 2, sound)
        _walk(fractions, summands, entries, point, s, h, row, tables)
        _divide(fractions, FRACTIONS, _AS_PLAIN)
        for k in range(FRACTIONS):
            place = places[TABLE_FRACTIONS + k]
            target = place[0] * len(keys) + place[1] * row + place[2]
            store(out, target, load(fractions, 3 * k))
