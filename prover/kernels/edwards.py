"""BabyJubJub in compiled kernels: complete extended arithmetic and windows.

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
from prover.kernels.scalar import (
    FR_ONE,
    MONTGOMERY_BITS,
    ZERO,
    fr_add,
    fr_mul,
    fr_sub,
    limbs,
    load,
    store,
)

# -a is a square. The other root would mirror all points, which no result shows.
ROOT = square_root(-A) or 0

_ROOT = limbs(ROOT * 2**MONTGOMERY_BITS % R)
_TWO_D = limbs(-2 * D * inverse(A) * 2**MONTGOMERY_BITS % R)

# Windows of the base point: a table of 42 * 32 summands, 168 KiB. The scalar is below 2^251.
# These numbers are not literals, for each of which a kernel would be compiled anew.
BASE_BITS = np.int64(6)
BASE_WINDOWS = np.int64(-(-SUBGROUP_ORDER.bit_length() // 6))
BASE_MULTIPLES = np.int64(32)
ONCE = np.int64(1)


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
def multiples(summands, first, count, point):
    """summands[first + k] = (k + 1) * point for k below `count`; the point is spent."""
    to_summand(summands, first, point)
    for k in range(1, count):
        add_multiple(point, summands, first, ONCE)
        to_summand(summands, first + k, point)


@njit(nogil=True, cache=True)
def recode(digits, scalars, row, bits):
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


@njit(nogil=True, cache=True)
def _fill_base_table(summands, x, y):
    """summands[32 w + k] = (k + 1) 2^(6w) (x, y)."""
    power = np.empty(16, dtype=np.uint64)
    enter(power, load(x, 0), load(y, 0))
    for window in range(BASE_WINDOWS):
        point = power.copy()
        multiples(summands, window * BASE_MULTIPLES, BASE_MULTIPLES, point)
        double(power, BASE_BITS)


@cache
def base_table() -> np.ndarray:
    """Summands uint64[42 * 32, 16]: (k + 1) 2^(6w) BASE8 at 32 w + k."""
    summands = np.empty((BASE_WINDOWS * BASE_MULTIPLES, 16), dtype=np.uint64)
    _fill_base_table(summands, fr.constant(BASE8[0]), fr.constant(BASE8[1]))
    return summands
