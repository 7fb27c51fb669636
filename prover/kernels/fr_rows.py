"""Compiled loops over rows of Fr elements; `fr` is the checked interface to them.

Kernels but `eq_table` take a row range [start, stop) first so that threads can split the rows.
Every element is canonical Montgomery, as `scalar` requires and returns, so no sum or product here
can overflow. Single field values travel as the one row of a uint64[1, 4] array.
"""

import numpy as np
from numba import njit

from prover.kernels.scalar import (
    FIRST,
    FR_MODULUS,
    FR_ONE,
    FR_R2,
    PLAIN_ONE,
    ZERO,
    fr_add,
    fr_inverse,
    fr_mul,
    fr_power,
    fr_sub,
    is_below,
    is_zero,
    load,
    store,
)
from prover.kernels.wide import dot_block

# Coefficients per step of Horner's rule.
_POWERS = np.int64(128)


@njit(nogil=True, cache=True)
def to_montgomery(start, stop, out, plain):
    """Convert rows; return the first row that is not below the modulus, or -1."""
    for i in range(start, stop):
        value = load(plain, i)
        if not is_below(value, FR_MODULUS):
            return i
        store(out, i, fr_mul(value, FR_R2))
    return -1


@njit(nogil=True, cache=True)
def from_montgomery(start, stop, out, a):
    for i in range(start, stop):
        store(out, i, fr_mul(load(a, i), PLAIN_ONE))


@njit(nogil=True, cache=True)
def from_small(start, stop, out, values):
    for i in range(start, stop):
        small = (values[i], np.uint64(0), np.uint64(0), np.uint64(0))
        store(out, i, fr_mul(small, FR_R2))


@njit(nogil=True, cache=True)
def add(start, stop, out, a, b):
    for i in range(start, stop):
        store(out, i, fr_add(load(a, i), load(b, i)))


@njit(nogil=True, cache=True)
def sub(start, stop, out, a, b):
    for i in range(start, stop):
        store(out, i, fr_sub(load(a, i), load(b, i)))


@njit(nogil=True, cache=True)
def mul(start, stop, out, a, b):
    for i in range(start, stop):
        store(out, i, fr_mul(load(a, i), load(b, i)))


@njit(nogil=True, cache=True)
def scale(start, stop, out, a, factor):
    weight = load(factor, 0)
    for i in range(start, stop):
        store(out, i, fr_mul(load(a, i), weight))


@njit(nogil=True, cache=True)
def batch_inverse(start, stop, out, a):
    """Invert rows with one inversion per range (Montgomery's trick); zero stays zero."""
    running = FR_ONE
    for i in range(start, stop):
        store(out, i, running)
        value = load(a, i)
        if not is_zero(value):
            running = fr_mul(running, value)
    running = fr_inverse(running)
    for i in range(stop - 1, start - 1, -1):
        value = load(a, i)
        if is_zero(value):
            store(out, i, ZERO)
        else:
            store(out, i, fr_mul(running, load(out, i)))
            running = fr_mul(running, value)


@njit(nogil=True, cache=True)
def inner_product(start, stop, a, b):
    total = ZERO
    for i in range(start, stop):
        total = fr_add(total, fr_mul(load(a, i), load(b, i)))
    return total


@njit(nogil=True, cache=True)
def powers(start, stop, out, base):
    """Write base^i to row i."""
    factor = load(base, 0)
    exponent = (np.uint64(start), np.uint64(0), np.uint64(0), np.uint64(0))
    running = fr_power(factor, exponent)
    for i in range(start, stop):
        store(out, i, running)
        running = fr_mul(running, factor)


@njit(nogil=True, cache=True)
def eq_step(start, stop, table, half, coordinate):
    """Double the table: row x + half takes the part of row x where the next bit is one."""
    r = load(coordinate, 0)
    for x in range(start, stop):
        whole = load(table, x)
        upper = fr_mul(whole, r)
        store(table, half + x, upper)
        store(table, x, fr_sub(whole, upper))


@njit(nogil=True, cache=True)
def eq_table(table, coordinates):
    """Fill the table of all coordinates, whose first row holds one."""
    for bit in range(coordinates.shape[0]):
        eq_step(FIRST, 1 << bit, table, 1 << bit, coordinates[bit : bit + 1])


@njit(nogil=True, cache=True)
def fold(start, stop, out, f, challenge):
    """out[j] = f[2j] + challenge * (f[2j+1] - f[2j])."""
    rho = load(challenge, 0)
    for j in range(start, stop):
        even = load(f, 2 * j)
        difference = fr_sub(load(f, 2 * j + 1), even)
        store(out, j, fr_add(even, fr_mul(rho, difference)))


@njit(nogil=True, cache=True)
def evaluate(start, stop, f, point):
    """Return the rows' share of f(x): Horner's rule over blocks, whose values are wide sums."""
    powers_of_x = np.empty((_POWERS, 4), dtype=np.uint64)
    powers(FIRST, _POWERS, powers_of_x, point)
    x = load(point, 0)
    jump = fr_mul(load(powers_of_x, _POWERS - 1), x)
    running = ZERO
    blocks = (stop - start + _POWERS - 1) // _POWERS
    for block in range(blocks - 1, -1, -1):
        first = start + block * _POWERS
        value = dot_block(f, first, powers_of_x, FIRST, min(_POWERS, stop - first))
        running = fr_add(fr_mul(running, jump), value)
    exponent = (np.uint64(start), np.uint64(0), np.uint64(0), np.uint64(0))
    return fr_mul(running, fr_power(x, exponent))
