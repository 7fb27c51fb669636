"""BabyJubJub in compiled kernels: complete extended arithmetic, windows, batched verification.

Kernels work on the isomorphic curve -x^2 + y^2 = 1 + d' x^2 y^2, which saves a multiplication by
the coefficient of x^2: x there is ROOT times x here and y is the same, with ROOT^2 = -a. As -1 is
a square and d' is not, addition stays complete: no case of it is special.

A *point* is one row of uint64[n, 16]: X, Y, Z, T with x = X/Z, y = Y/Z, T = XY/Z. A *summand* is
one row of uint64[n, 16]: Y + X, Y - X, 2 d' T, 2 Z, ready to be added. All elements are canonical
Montgomery, so nothing overflows; for points on the curve Z is never 0.

Source: formulas add-2008-hwcd-3 and dbl-2008-hwcd of ePrint 2008/522 for a = -1.
"""

from functools import cache

import numpy as np
from numba import njit

from circuits.edwards import BASE8, SUBGROUP_ORDER, A, D
from circuits.field import R, inverse, square_root
from prover.kernels import fr
from prover.kernels.parallel import run_rows
from prover.kernels.scalar import (
    FR_ONE,
    MONTGOMERY_BITS,
    ZERO,
    equal,
    fr_add,
    fr_mul,
    fr_sub,
    is_zero,
    limbs,
    load,
    store,
)

# The smaller root; the other one mirrors all points, which no result shows.
ROOT = square_root(-A)

# What `verify` says of a row.
HOLDS, OFF_CURVE, SMALL_ORDER, EQUATION = 0, 1, 2, 3

_ROOT = limbs((ROOT or 0) * 2**MONTGOMERY_BITS % R)
_MINUS_ROOT = limbs(-(ROOT or 0) * 2**MONTGOMERY_BITS % R)
_D = limbs(-D * inverse(A) * 2**MONTGOMERY_BITS % R)
_TWO_D = limbs(-2 * D * inverse(A) * 2**MONTGOMERY_BITS % R)
_COFACTOR_BITS = 3

# Windows of the base point: a table of 42 * 32 summands, 168 KiB. The scalar is below 2^251.
_BASE_BITS = 6
_BASE_WINDOWS = -(-SUBGROUP_ORDER.bit_length() // _BASE_BITS)
_BASE_MULTIPLES = 1 << _BASE_BITS - 1
# Windows of a key, whose 16 multiples are made for each signature. The scalar is below 2^254.
_KEY_BITS = 5
_KEY_WINDOWS = -(-R.bit_length() // _KEY_BITS)
_KEY_MULTIPLES = 1 << _KEY_BITS - 1
# A few signatures take about a millisecond, far more than the hand-over to a thread.
_ROWS_MIN = 16


@njit(nogil=True, inline="always")
def _set(points, row, x, y):
    store(points, 4 * row, x)
    store(points, 4 * row + 1, y)
    store(points, 4 * row + 2, FR_ONE)
    store(points, 4 * row + 3, fr_mul(x, y))


@njit(nogil=True, cache=True)
def double(points, row, with_t):
    """points[row] = 2 points[row]; T is not read, and written only if asked for."""
    x, y, z = load(points, 4 * row), load(points, 4 * row + 1), load(points, 4 * row + 2)
    x_square = fr_mul(x, x)
    y_square = fr_mul(y, y)
    z_square = fr_mul(z, z)
    both = fr_add(x, y)
    height = fr_add(x_square, y_square)
    cross = fr_sub(height, fr_mul(both, both))
    plus = fr_sub(x_square, y_square)
    minus = fr_add(fr_add(z_square, z_square), plus)
    store(points, 4 * row, fr_mul(cross, minus))
    store(points, 4 * row + 1, fr_mul(plus, height))
    store(points, 4 * row + 2, fr_mul(minus, plus))
    if with_t:
        store(points, 4 * row + 3, fr_mul(cross, height))


@njit(nogil=True, cache=True)
def add(points, row, summands, summand, negative):
    """points[row] += summands[summand], or -= it. Cost: 8 multiplications."""
    x, y = load(points, 4 * row), load(points, 4 * row + 1)
    other_plus, other_minus = load(summands, 4 * summand), load(summands, 4 * summand + 1)
    if negative:
        other_plus, other_minus = other_minus, other_plus
    left = fr_mul(fr_sub(y, x), other_minus)
    right = fr_mul(fr_add(y, x), other_plus)
    t = fr_mul(load(points, 4 * row + 3), load(summands, 4 * summand + 2))
    z = fr_mul(load(points, 4 * row + 2), load(summands, 4 * summand + 3))
    if negative:
        t = fr_sub(ZERO, t)
    cross, height = fr_sub(right, left), fr_add(right, left)
    minus, plus = fr_sub(z, t), fr_add(z, t)
    store(points, 4 * row, fr_mul(cross, minus))
    store(points, 4 * row + 1, fr_mul(plus, height))
    store(points, 4 * row + 2, fr_mul(minus, plus))
    store(points, 4 * row + 3, fr_mul(cross, height))


@njit(nogil=True, cache=True)
def to_summand(summands, summand, points, row):
    """summands[summand] = points[row]."""
    x, y, z = load(points, 4 * row), load(points, 4 * row + 1), load(points, 4 * row + 2)
    store(summands, 4 * summand, fr_add(y, x))
    store(summands, 4 * summand + 1, fr_sub(y, x))
    store(summands, 4 * summand + 2, fr_mul(load(points, 4 * row + 3), _TWO_D))
    store(summands, 4 * summand + 3, fr_add(z, z))


@njit(nogil=True, cache=True)
def _multiples(summands, first, count, points, row):
    """summands[first + k] = (k + 1) points[row] for k below `count`; the point is spent."""
    to_summand(summands, first, points, row)
    for k in range(1, count):
        add(points, row, summands, first, False)
        to_summand(summands, first + k, points, row)


@njit(nogil=True, cache=True)
def _recode(digits, scalars, row, bits):
    """Digits of scalar `row`, lowest first, each in [-2^(bits-1), 2^(bits-1)].

    Assumes: the scalar fits bits * len(digits) bits and its highest digit, with the carry into
    it, is at most 2^(bits-1); else the carry out of it would be lost.
    """
    half, base = 1 << (bits - 1), 1 << bits
    carry = 0
    for window in range(len(digits)):
        limb, shift = (window * bits) >> 6, (window * bits) & 63
        chunk = scalars[row, limb] >> np.uint64(shift)
        if shift + bits > 64 and limb < 3:
            chunk |= scalars[row, limb + 1] << np.uint64(64 - shift)
        digit = np.int64(chunk & np.uint64(base - 1)) + carry
        carry = np.int64(digit > half)
        digits[window] = digit - base * carry


@njit(nogil=True, cache=True)
def _add_digit(points, row, summands, first, digit):
    """points[row] += digit * P where summands[first + k] = (k + 1) P."""
    if digit > 0:
        add(points, row, summands, first + digit - 1, False)
    elif digit < 0:
        add(points, row, summands, first - digit - 1, True)


@njit(nogil=True, inline="always")
def _is_on_curve(x, y):
    x_square, y_square = fr_mul(x, x), fr_mul(y, y)
    product = fr_mul(fr_mul(x_square, y_square), _D)
    return equal(fr_sub(y_square, x_square), fr_add(FR_ONE, product))


@njit(nogil=True, cache=True)
def _has_small_order(points, row, x, y):
    """True if 8 (x, y) is the identity. points[row] is spent."""
    _set(points, row, x, y)
    for _ in range(_COFACTOR_BITS):
        double(points, row, False)
    is_identity = is_zero(load(points, 4 * row))
    return is_identity and equal(load(points, 4 * row + 1), load(points, 4 * row + 2))


@njit(nogil=True, cache=True)
def _multiply(point, summands, digits):
    """point[0] = sum of digits[w] 2^(5w) times point[0]; `summands` is scratch."""
    _multiples(summands, 0, _KEY_MULTIPLES, point, 0)
    _set(point, 0, ZERO, FR_ONE)
    for window in range(_KEY_WINDOWS - 1, -1, -1):
        for doubling in range(_KEY_BITS):
            double(point, 0, doubling == _KEY_BITS - 1)
        _add_digit(point, 0, summands, 0, digits[window])


@njit(nogil=True, cache=True)
def _verify_rows(start, stop, out, points, s, h, base):
    """out[i] = what is wrong with R, K = points[i] and the scalars s[i], h[i]."""
    point = np.empty((1, 16), dtype=np.uint64)
    summands = np.empty((_KEY_MULTIPLES, 16), dtype=np.uint64)
    base_digits = np.empty(_BASE_WINDOWS, dtype=np.int64)
    key_digits = np.empty(_KEY_WINDOWS, dtype=np.int64)
    for i in range(start, stop):
        r_x, r_y = fr_mul(load(points, 4 * i), _ROOT), load(points, 4 * i + 1)
        # -K, so that the product can be added to S * BASE8 and compared with R.
        key_x, key_y = fr_mul(load(points, 4 * i + 2), _MINUS_ROOT), load(points, 4 * i + 3)
        if not _is_on_curve(r_x, r_y):
            out[i] = OFF_CURVE
            continue
        if _has_small_order(point, 0, r_x, r_y):
            out[i] = SMALL_ORDER
            continue
        if not _is_on_curve(key_x, key_y):
            out[i] = EQUATION
            continue
        _recode(key_digits, h, i, _KEY_BITS)
        _set(point, 0, key_x, key_y)
        _multiply(point, summands, key_digits)
        _recode(base_digits, s, i, _BASE_BITS)
        for window in range(_BASE_WINDOWS):
            _add_digit(point, 0, base, window * _BASE_MULTIPLES, base_digits[window])
        z = load(point, 2)
        is_x_equal = equal(load(point, 0), fr_mul(r_x, z))
        is_equal = is_x_equal and equal(load(point, 1), fr_mul(r_y, z))
        out[i] = HOLDS if is_equal else EQUATION


@njit(nogil=True, cache=True)
def _fill_base_table(summands, points, x, y):
    """Summands k * 2^(6w) BASE8 at 32 w + k - 1; points uint64[2, 16] is scratch."""
    _set(points, 0, fr_mul(load(x, 0), _ROOT), load(y, 0))
    for window in range(_BASE_WINDOWS):
        points[1] = points[0]
        _multiples(summands, window * _BASE_MULTIPLES, _BASE_MULTIPLES, points, 1)
        for _ in range(_BASE_BITS):
            double(points, 0, True)


@cache
def _base_table() -> np.ndarray:
    summands = np.empty((_BASE_WINDOWS * _BASE_MULTIPLES, 16), dtype=np.uint64)
    scratch = np.empty((2, 16), dtype=np.uint64)
    _fill_base_table(summands, scratch, fr.constant(BASE8[0]), fr.constant(BASE8[1]))
    summands.flags.writeable = False
    return summands


def verify(points: np.ndarray, s: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Check S * BASE8 = R + h * K on the curve; say of each row HOLDS or the first fault.

    OFF_CURVE and SMALL_ORDER speak of R. A key off the curve is an EQUATION that does not hold;
    a key on it may be any.

    Shape: points uint64[n, 4, 4], the coordinates of R and K in Montgomery form; s and h
    uint64[n, 4], plain integers below the subgroup order and below r; result uint8[n].
    Cost: about 2,600 multiplications a row.
    """
    out = np.empty(len(points), dtype=np.uint8)
    run_rows(_verify_rows, len(points), out, points, s, h, _base_table(), rows_min=_ROWS_MIN)
    return out


def warm() -> None:
    """Compile every kernel of this module, or load it from the cache."""
    points = fr.from_ints([*BASE8, *BASE8]).reshape(1, 4, 4)
    one = np.array([[1, 0, 0, 0]], dtype=np.uint64)
    verify(points, one, one)
