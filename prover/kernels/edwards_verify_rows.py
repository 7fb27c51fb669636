"""Signatures verified row by row, on elements as in `scalar`; `edwards_verify` is the interface."""

import numpy as np
from numba import njit

from circuits.edwards import A, D
from circuits.field import R, inverse
from prover.kernels.edwards import (
    BASE_BITS,
    BASE_MULTIPLES,
    BASE_WINDOWS,
    ROOT,
    add_multiple,
    base_table,
    double,
    multiples,
    recode,
    set_affine,
)
from prover.kernels.scalar import (
    FIRST,
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
)

# What is said of a row.
HOLDS, OFF_CURVE, SMALL_ORDER, EQUATION = 0, 1, 2, 3

CHALLENGE_BITS = 128
# Windows of a key, whose 16 multiples are made for each signature. The highest has three bits, so
# with the carry into it no digit is lost.
KEY_BITS = np.int64(5)
KEY_WINDOWS = np.int64(-(-CHALLENGE_BITS // 5))
KEY_MULTIPLES = np.int64(16)
COFACTOR_BITS = np.int64(3)

_ROOT = limbs(ROOT * 2**MONTGOMERY_BITS % R)
_MINUS_ROOT = limbs(-ROOT * 2**MONTGOMERY_BITS % R)
_D = limbs(-D * inverse(A) * 2**MONTGOMERY_BITS % R)

tables = base_table
"""What `verify_rows` takes last."""


@njit(nogil=True, inline="always")
def _is_on_curve(x, y):
    x_square, y_square = fr_mul(x, x), fr_mul(y, y)
    product = fr_mul(fr_mul(x_square, y_square), _D)
    return equal(fr_sub(y_square, x_square), fr_add(FR_ONE, product))


@njit(nogil=True, cache=True)
def _has_small_order(point, x, y):
    """True if 8 (x, y) is the identity; `point` is scratch."""
    set_affine(point, x, y)
    double(point, COFACTOR_BITS)
    return is_zero(load(point, 0)) and equal(load(point, 1), load(point, 2))


@njit(nogil=True, cache=True)
def _multiply(point, summands, digits):
    """point = sum over w of digits[w] 2^(5w) * point; `summands` is scratch."""
    multiples(summands, FIRST, KEY_MULTIPLES, point)
    set_affine(point, ZERO, FR_ONE)
    for window in range(KEY_WINDOWS - 1, -1, -1):
        double(point, KEY_BITS)
        add_multiple(point, summands, FIRST, digits[window])


@njit(nogil=True, cache=True)
def verify_rows(start, stop, out, points, s, h, base):
    """out[i] = what is wrong with R, K = points[i] and the scalars s[i], h[i]."""
    point = np.empty(16, dtype=np.uint64)
    summands = np.empty((KEY_MULTIPLES, 16), dtype=np.uint64)
    base_digits = np.empty(BASE_WINDOWS, dtype=np.int64)
    key_digits = np.empty(KEY_WINDOWS, dtype=np.int64)
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
        recode(key_digits, h, i, KEY_BITS)
        set_affine(point, key_x, key_y)
        _multiply(point, summands, key_digits)
        recode(base_digits, s, i, BASE_BITS)
        for window in range(BASE_WINDOWS):
            add_multiple(point, base, window * BASE_MULTIPLES, base_digits[window])
        z = load(point, 2)
        is_x_equal = equal(load(point, 0), fr_mul(r_x, z))
        is_equal = is_x_equal and equal(load(point, 1), fr_mul(r_y, z))
        out[i] = HOLDS if is_equal else EQUATION
