"""BabyJubJub in compiled kernels: complete extended arithmetic, windows, batched verification.

Kernels work on the isomorphic curve -x^2 + y^2 = 1 + d' x^2 y^2, which saves a multiplication by
the coefficient of x^2: x there is ROOT times x here and y is the same, with ROOT^2 = -a. As -1 is
a square and d' is not, addition stays complete: no case of it is special.

A *point* is a uint64[16]: X, Y, Z, T with x = X/Z, y = Y/Z, T = XY/Z. A *summand* is one row of
uint64[n, 16]: Y + X, Y - X, 2 d' T, 2 Z, ready to be added. All elements are canonical Montgomery,
so nothing overflows; for points on the curve Z is never 0.

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

# -a is a square. The other root would mirror all points, which no result shows.
ROOT = square_root(-A) or 0

# What `verify` says of a row.
HOLDS, OFF_CURVE, SMALL_ORDER, EQUATION = 0, 1, 2, 3

_ROOT = limbs(ROOT * 2**MONTGOMERY_BITS % R)
_MINUS_ROOT = limbs(-ROOT * 2**MONTGOMERY_BITS % R)
_D = limbs(-D * inverse(A) * 2**MONTGOMERY_BITS % R)
_TWO_D = limbs(-2 * D * inverse(A) * 2**MONTGOMERY_BITS % R)

# Windows of the base point: a table of 42 * 32 summands, 168 KiB. The scalar is below 2^251.
# These numbers are not literals, for each of which a kernel would be compiled anew.
_BASE_BITS = np.int64(6)
_BASE_WINDOWS = np.int64(-(-SUBGROUP_ORDER.bit_length() // 6))
_BASE_MULTIPLES = np.int64(32)
# Windows of a key, whose 16 multiples are made for each signature. The scalar is below 2^254.
_KEY_BITS = np.int64(5)
_KEY_WINDOWS = np.int64(-(-R.bit_length() // 5))
_KEY_MULTIPLES = np.int64(16)
_COFACTOR_BITS = np.int64(3)
FIRST = np.int64(0)
ONCE = np.int64(1)
# A few signatures take about a millisecond, far more than the hand-over to a thread.
_ROWS_MIN = 16


@njit(nogil=True, inline="always")
def set_affine(point, x, y):
    """point = (x, y)."""
    store(point, 0, x)
    store(point, 1, y)
    store(point, 2, FR_ONE)
    store(point, 3, fr_mul(x, y))


@njit(nogil=True, inline="always")
def enter(point, x, y):
    """point = the image of (x, y) of the original curve."""
    set_affine(point, fr_mul(x, _ROOT), y)


@njit(nogil=True, cache=True)
def double(point, times):
    """point = 2^times * point. Cost: 7 multiplications each and one at the end."""
    x, y, z = load(point, 0), load(point, 1), load(point, 2)
    for number in range(times):
        x_square = fr_mul(x, x)
        y_square = fr_mul(y, y)
        z_square = fr_mul(z, z)
        both = fr_add(x, y)
        height = fr_add(x_square, y_square)
        cross = fr_sub(height, fr_mul(both, both))
        plus = fr_sub(x_square, y_square)
        minus = fr_add(fr_add(z_square, z_square), plus)
        x = fr_mul(cross, minus)
        y = fr_mul(plus, height)
        z = fr_mul(minus, plus)
        if number == times - 1:
            store(point, 3, fr_mul(cross, height))
    store(point, 0, x)
    store(point, 1, y)
    store(point, 2, z)


@njit(nogil=True, cache=True)
def add_multiple(point, summands, first, digit):
    """point += digit * P where summands[first + k] = (k + 1) P. Cost: 8 multiplications."""
    if digit == 0:
        return
    summand = first + abs(digit) - 1
    plus, minus = load(summands, 4 * summand), load(summands, 4 * summand + 1)
    t = fr_mul(load(point, 3), load(summands, 4 * summand + 2))
    if digit < 0:
        plus, minus, t = minus, plus, fr_sub(ZERO, t)
    x, y = load(point, 0), load(point, 1)
    left = fr_mul(fr_sub(y, x), minus)
    right = fr_mul(fr_add(y, x), plus)
    z = fr_mul(load(point, 2), load(summands, 4 * summand + 3))
    cross, height = fr_sub(right, left), fr_add(right, left)
    low, high = fr_sub(z, t), fr_add(z, t)
    store(point, 0, fr_mul(cross, low))
    store(point, 1, fr_mul(high, height))
    store(point, 2, fr_mul(low, high))
    store(point, 3, fr_mul(cross, height))


@njit(nogil=True, cache=True)
def to_summand(summands, summand, point):
    """summands[summand] = point."""
    x, y, z = load(point, 0), load(point, 1), load(point, 2)
    store(summands, 4 * summand, fr_add(y, x))
    store(summands, 4 * summand + 1, fr_sub(y, x))
    store(summands, 4 * summand + 2, fr_mul(load(point, 3), _TWO_D))
    store(summands, 4 * summand + 3, fr_add(z, z))


@njit(nogil=True, cache=True)
def _multiples(summands, first, count, point):
    """summands[first + k] = (k + 1) * point for k below `count`; the point is spent."""
    to_summand(summands, first, point)
    for k in range(1, count):
        add_multiple(point, summands, first, ONCE)
        to_summand(summands, first + k, point)


@njit(nogil=True, cache=True)
def _recode(digits, scalars, row, bits):
    """Digits of scalar `row`, lowest first, each in [-2^(bits-1), 2^(bits-1)].

    Assumes: the scalar fits bits * len(digits) bits and its highest digit, with the carry into
    it, is at most 2^(bits-1); else the carry out of it would be lost.
    """
    half, base = 1 << (bits - 1), 1 << bits
    carry = np.int64(0)
    for window in range(len(digits)):
        limb, shift = (window * bits) >> 6, (window * bits) & 63
        chunk = scalars[row, limb] >> np.uint64(shift)
        if shift + bits > 64 and limb < 3:
            chunk |= scalars[row, limb + 1] << np.uint64(64 - shift)
        digit = np.int64(chunk & np.uint64(base - 1)) + carry
        carry = np.int64(digit > half)
        digits[window] = digit - base * carry


@njit(nogil=True, inline="always")
def _is_on_curve(x, y):
    x_square, y_square = fr_mul(x, x), fr_mul(y, y)
    product = fr_mul(fr_mul(x_square, y_square), _D)
    return equal(fr_sub(y_square, x_square), fr_add(FR_ONE, product))


@njit(nogil=True, cache=True)
def _has_small_order(point, x, y):
    """True if 8 (x, y) is the identity; `point` is scratch."""
    set_affine(point, x, y)
    double(point, _COFACTOR_BITS)
    return is_zero(load(point, 0)) and equal(load(point, 1), load(point, 2))


@njit(nogil=True, cache=True)
def _multiply(point, summands, digits):
    """point = sum over w of digits[w] 2^(5w) * point; `summands` is scratch."""
    _multiples(summands, FIRST, _KEY_MULTIPLES, point)
    set_affine(point, ZERO, FR_ONE)
    for window in range(_KEY_WINDOWS - 1, -1, -1):
        double(point, _KEY_BITS)
        add_multiple(point, summands, FIRST, digits[window])


@njit(nogil=True, cache=True)
def _verify_rows(start, stop, out, points, s, h, base):
    """out[i] = what is wrong with R, K = points[i] and the scalars s[i], h[i]."""
    point = np.empty(16, dtype=np.uint64)
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
        if _has_small_order(point, r_x, r_y):
            out[i] = SMALL_ORDER
            continue
        if not _is_on_curve(key_x, key_y):
            out[i] = EQUATION
            continue
        _recode(key_digits, h, i, _KEY_BITS)
        set_affine(point, key_x, key_y)
        _multiply(point, summands, key_digits)
        _recode(base_digits, s, i, _BASE_BITS)
        for window in range(_BASE_WINDOWS):
            add_multiple(point, base, window * _BASE_MULTIPLES, base_digits[window])
        z = load(point, 2)
        is_x_equal = equal(load(point, 0), fr_mul(r_x, z))
        is_equal = is_x_equal and equal(load(point, 1), fr_mul(r_y, z))
        out[i] = HOLDS if is_equal else EQUATION


@njit(nogil=True, cache=True)
def _fill_base_table(summands, x, y):
    """summands[32 w + k] = (k + 1) 2^(6w) (x, y)."""
    power = np.empty(16, dtype=np.uint64)
    enter(power, load(x, 0), load(y, 0))
    for window in range(_BASE_WINDOWS):
        point = power.copy()
        _multiples(summands, window * _BASE_MULTIPLES, _BASE_MULTIPLES, point)
        double(power, _BASE_BITS)


@cache
def base_table() -> np.ndarray:
    """Summands uint64[42 * 32, 16]: (k + 1) 2^(6w) BASE8 at 32 w + k."""
    summands = np.empty((_BASE_WINDOWS * _BASE_MULTIPLES, 16), dtype=np.uint64)
    _fill_base_table(summands, fr.constant(BASE8[0]), fr.constant(BASE8[1]))
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
    run_rows(_verify_rows, len(points), out, points, s, h, base_table(), rows_min=_ROWS_MIN)
    return out


def warm() -> None:
    """Compile every kernel of this module, or load it from the cache."""
    points = fr.from_ints([*BASE8, *BASE8]).reshape(1, 4, 4)
    one = np.array([[1, 0, 0, 0]], dtype=np.uint64)
    verify(points, one, one)
