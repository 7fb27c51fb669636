"""BN254 G1 points in compiled kernels: exact addition of affine points and accumulators.

An affine point is one row of uint64[n, 8]: x then y, canonical Montgomery Fq elements; (0, 0) is
the point at infinity (it is not on y^2 = x^3 + 3). No point of G1 has y = 0, because the group
order is odd. A *loose* coordinate is any number below 2^256 that is congruent to it; a point that
is not at infinity stays different from zero words that way. An *accumulator* is one row of
uint64[n, 16]: X, Y, ZZ, ZZZ with x = X / ZZ,
y = Y / ZZZ, ZZ^3 = ZZZ^2, and ZZ = 0 for infinity.

Source: formulas madd-2008-s, mdbl-2008-s-1 and dbl-2008-s-1 of the Explicit-Formulas
Database for a = 0. Equal, opposite and infinite operands are told apart before they are used.
"""

import numpy as np
from numba import njit

from circuits.field import Q
from prover.kernels.scalar import (
    FQ_ONE,
    FQ_R2,
    PLAIN_ONE,
    ZERO,
    equal,
    fq_add,
    fq_inverse,
    fq_mul,
    fq_sub,
    is_below,
    is_zero,
    limbs,
    load,
    prefetch,
    store,
)

# Additions that share one inversion: few enough that their operands stay in the second-level
# cache, enough that the inversion (50 multiplications) disappears.
BLOCK = 1024
WORK_WORDS = 4 * BLOCK
# How many sums ahead the operands are asked for: bases are read in random order.
_AHEAD = 6
_COPY_LEFT, _COPY_RIGHT, _ADD, _DOUBLE, _INFINITY = 0, 1, 2, 3, 4
_CURVE_B = limbs(3 * 2**256 % Q)
_MODULUS = limbs(Q)
_LINE_BYTES = 64
_LARGE_PAGE_BYTES = 1 << 21


def new_points(count: int) -> np.ndarray:
    """Return uint64[count, 8], not set, whose rows are lines of the cache.

    Bases that were read into such an array are fetched in half as many pieces as others. Numpy asks
    the system for large pages where they fit, and many points begin with one: sums of a million
    points that are fetched at random take a tenth longer on small pages.
    """
    aligned = _LARGE_PAGE_BYTES if 64 * count >= _LARGE_PAGE_BYTES else _LINE_BYTES
    words = np.empty(8 * count + aligned // 8 - 1, dtype=np.uint64)
    first = -words.ctypes.data % aligned // words.itemsize
    return words[first : first + 8 * count].reshape(count, 8)


@njit(nogil=True, inline="always")
def _set_infinity(accumulator, row):
    for k in range(4):
        store(accumulator, 4 * row + k, ZERO)


@njit(nogil=True, cache=True)
def double_affine(accumulator, row, x, y):
    """accumulator[row] = 2 (x, y); the point is not infinity."""
    u = fq_add(y, y)
    v = fq_mul(u, u)
    w = fq_mul(u, v)
    s = fq_mul(x, v)
    square = fq_mul(x, x)
    m = fq_add(fq_add(square, square), square)
    x3 = fq_sub(fq_mul(m, m), fq_add(s, s))
    store(accumulator, 4 * row, x3)
    store(accumulator, 4 * row + 1, fq_sub(fq_mul(m, fq_sub(s, x3)), fq_mul(w, y)))
    store(accumulator, 4 * row + 2, v)
    store(accumulator, 4 * row + 3, w)


@njit(nogil=True, cache=True)
def add_affine(accumulator, row, x, y):
    """accumulator[row] += (x, y)."""
    if is_zero(x) and is_zero(y):
        return
    zz = load(accumulator, 4 * row + 2)
    if is_zero(zz):
        store(accumulator, 4 * row, x)
        store(accumulator, 4 * row + 1, y)
        store(accumulator, 4 * row + 2, FQ_ONE)
        store(accumulator, 4 * row + 3, FQ_ONE)
        return
    x1 = load(accumulator, 4 * row)
    y1 = load(accumulator, 4 * row + 1)
    zzz = load(accumulator, 4 * row + 3)
    p = fq_sub(fq_mul(x, zz), x1)
    r = fq_sub(fq_mul(y, zzz), y1)
    if is_zero(p):
        if is_zero(r):
            double_affine(accumulator, row, x, y)
        else:
            _set_infinity(accumulator, row)
        return
    pp = fq_mul(p, p)
    ppp = fq_mul(p, pp)
    q = fq_mul(x1, pp)
    x3 = fq_sub(fq_sub(fq_mul(r, r), ppp), fq_add(q, q))
    store(accumulator, 4 * row, x3)
    store(accumulator, 4 * row + 1, fq_sub(fq_mul(r, fq_sub(q, x3)), fq_mul(y1, ppp)))
    store(accumulator, 4 * row + 2, fq_mul(zz, pp))
    store(accumulator, 4 * row + 3, fq_mul(zzz, ppp))


@njit(nogil=True, cache=True)
def double(accumulator, row):
    """accumulator[row] = 2 accumulator[row]; infinity stays infinity because ZZ stays zero."""
    y = load(accumulator, 4 * row + 1)
    zz = load(accumulator, 4 * row + 2)
    zzz = load(accumulator, 4 * row + 3)
    double_affine(accumulator, row, load(accumulator, 4 * row), y)
    store(accumulator, 4 * row + 2, fq_mul(load(accumulator, 4 * row + 2), zz))
    store(accumulator, 4 * row + 3, fq_mul(load(accumulator, 4 * row + 3), zzz))


@njit(nogil=True, cache=True)
def to_affine(out, out_row, accumulator, row):
    """Write accumulator[row] as an affine point; infinity becomes (0, 0)."""
    # 1/ZZZ alone is enough: ZZ/ZZZ = 1/Z, so its square is 1/ZZ.
    inverse = fq_inverse(load(accumulator, 4 * row + 3))
    z_inverse = fq_mul(load(accumulator, 4 * row + 2), inverse)
    zz_inverse = fq_mul(z_inverse, z_inverse)
    store(out, 2 * out_row, fq_mul(load(accumulator, 4 * row), zz_inverse))
    store(out, 2 * out_row + 1, fq_mul(load(accumulator, 4 * row + 1), inverse))


@njit(nogil=True, inline="always")
def load_loose(points, row):
    """Return the canonical coordinates of a row that may be loose. Cost: two multiplications."""
    # The second factor of a product may be anything below 2^256.
    return fq_mul(FQ_ONE, load(points, 2 * row)), fq_mul(FQ_ONE, load(points, 2 * row + 1))


@njit(nogil=True, inline="always")
def load_signed(points, reference):
    """The same for a reference 2 * row + sign: negated when the sign bit is set."""
    x, y = load_loose(points, reference >> 1)
    if reference & 1:
        y = fq_sub(ZERO, y)
    return x, y


@njit(nogil=True, inline="always")
def _load_signed(points, reference):
    row = reference >> 1
    y = load(points, 2 * row + 1)
    if reference & 1:
        y = fq_sub(ZERO, y)
    return load(points, 2 * row), y


@njit(nogil=True, inline="always")
def _classify(x1, y1, x2, y2):
    """Return the kind of an addition and the denominator of its slope."""
    if is_zero(x2) and is_zero(y2):
        return _COPY_LEFT, FQ_ONE
    if is_zero(x1) and is_zero(y1):
        return _COPY_RIGHT, FQ_ONE
    difference = fq_sub(x2, x1)
    if not is_zero(difference):
        return _ADD, difference
    if equal(y1, y2):
        return _DOUBLE, fq_add(y1, y1)
    return _INFINITY, FQ_ONE


@njit(nogil=True, inline="always")
def _finish_addition(out, row, kind, x1, y1, x2, y2, inverse):
    if kind == _ADD:
        slope = fq_mul(fq_sub(y2, y1), inverse)
    else:
        square = fq_mul(x1, x1)
        slope = fq_mul(fq_add(fq_add(square, square), square), inverse)
    x3 = fq_sub(fq_sub(fq_mul(slope, slope), x1), x2)
    _set_point(out, row, x3, fq_sub(fq_mul(slope, fq_sub(x1, x3)), y1))


@njit(nogil=True, inline="always")
def _set_point(out, row, x, y):
    store(out, 2 * row, x)
    store(out, 2 * row + 1, y)


@njit(nogil=True, cache=True, inline="always")
def add_pairs(count, out, targets, points, left, others, right, work, is_far):
    """out[targets[t]] = points[left[t]] + others[right[t]] for t below `count`, exactly.

    References and targets are 2 * row + sign in int32 arrays (targets without a sign) that have
    room for `count` rounded up to a multiple of 8; their order may change, and what is behind
    `count` is overwritten. A target may be the left operand's row and no other's. `work` is
    uint64[WORK_WORDS]; `is_far` (uint8) says that the operands are in main memory. Cost: six
    multiplications a sum.
    """
    kinds = np.empty(BLOCK, dtype=np.uint8)
    for first in range(0, count, BLOCK):
        last = min(first + BLOCK, count)
        running = FQ_ONE
        for t in range(first, last):
            if is_far:
                ahead = min(t + _AHEAD, count - 1)
                prefetch(points, left[ahead] & -2)
                prefetch(others, right[ahead] & -2)
            x1, y1 = _load_signed(points, left[t])
            x2, y2 = _load_signed(others, right[t])
            kind, denominator = _classify(x1, y1, x2, y2)
            if kind >= _ADD:
                store(work, t - first, running)
                running = fq_mul(running, denominator)
            kinds[t - first] = kind
        running = fq_inverse(running)
        for t in range(last - 1, first - 1, -1):
            kind = kinds[t - first]
            row = targets[t] >> 1
            x1, y1 = _load_signed(points, left[t])
            x2, y2 = _load_signed(others, right[t])
            if kind == _COPY_RIGHT:
                _set_point(out, row, x2, y2)
            elif kind == _COPY_LEFT:
                _set_point(out, row, x1, y1)
            elif kind == _INFINITY:
                _set_point(out, row, ZERO, ZERO)
            else:
                denominator = fq_sub(x2, x1) if kind == _ADD else fq_add(y1, y1)
                inverse = fq_mul(running, load(work, t - first))
                running = fq_mul(running, denominator)
                _finish_addition(out, row, kind, x1, y1, x2, y2, inverse)


@njit(nogil=True, cache=True)
def first_off_curve(start, stop, points):
    """Return the first row that is neither canonical on y^2 = x^3 + 3 nor (0, 0), or -1."""
    for i in range(start, stop):
        x, y = load(points, 2 * i), load(points, 2 * i + 1)
        if not (is_below(x, _MODULUS) and is_below(y, _MODULUS)):
            return i
        if is_zero(x) and is_zero(y):
            continue
        if not equal(fq_mul(y, y), fq_add(fq_mul(fq_mul(x, x), x), _CURVE_B)):
            return i
    return -1


@njit(nogil=True, cache=True)
def to_montgomery(start, stop, out, plain):
    for i in range(2 * start, 2 * stop):
        store(out, i, fq_mul(load(plain, i), FQ_R2))


@njit(nogil=True, cache=True)
def from_montgomery(start, stop, out, points):
    for i in range(2 * start, 2 * stop):
        store(out, i, fq_mul(load(points, i), PLAIN_ONE))
