"""The kernels of `fr_rows` on eight elements at once: same names, arguments and results.

Rows that do not fill eight lanes are left to the scalar twin. Constants travel as one row of
uint64[1, 4] in stored form; `lane_memory` and `lanes` tell forms and bounds.
"""

import numpy as np
from numba import njit

from prover.kernels import fr_rows
from prover.kernels.lane_memory import (
    fr_store,
    load,
    load_one,
    load_scaled,
    load_small,
    load_strided,
)
from prover.kernels.lanes import (
    LANES,
    fr_add,
    fr_add_loose,
    fr_mul,
    fr_sub,
    fr_sub_loose,
    fr_to_lane_form,
)
from prover.kernels.scalar import FR_ONE, ZERO, store
from prover.kernels.scalar import fr_add as add_one
from prover.kernels.scalar import fr_mul as mul_one
from prover.kernels.scalar import fr_power as power_one
from prover.kernels.scalar import load as load_element


@njit(nogil=True, inline="always")
def _whole(start, stop):
    return stop - (stop - start) % LANES


@njit(nogil=True, cache=True)
def sum_lanes(value):
    """The sum of a lane value's elements, as a scalar element."""
    rows = np.empty((LANES, 4), dtype=np.uint64)
    fr_store(rows, np.int64(0), value)
    total = load_element(rows, np.int64(0))
    for lane in range(1, LANES):
        total = add_one(total, load_element(rows, lane))
    return total


@njit(nogil=True, cache=True)
def add(start, stop, out, a, b):
    last = _whole(start, stop)
    for i in range(start, last, LANES):
        fr_store(out, i, fr_add_loose(load(a, i), load(b, i)))
    fr_rows.add(last, stop, out, a, b)


@njit(nogil=True, cache=True)
def sub(start, stop, out, a, b):
    last = _whole(start, stop)
    for i in range(start, last, LANES):
        fr_store(out, i, fr_sub(load(a, i), load(b, i)))
    fr_rows.sub(last, stop, out, a, b)


@njit(nogil=True, cache=True)
def mul(start, stop, out, a, b):
    last = _whole(start, stop)
    for i in range(start, last, LANES):
        fr_store(out, i, fr_mul(load_scaled(a, i), load(b, i)))
    fr_rows.mul(last, stop, out, a, b)


@njit(nogil=True, cache=True)
def scale(start, stop, out, a, factor):
    weight = fr_to_lane_form(load_one(factor, np.int64(0)))
    last = _whole(start, stop)
    for i in range(start, last, LANES):
        fr_store(out, i, fr_mul(weight, load(a, i)))
    fr_rows.scale(last, stop, out, a, factor)


@njit(nogil=True, cache=True)
def accumulate(start, stop, accumulator, offset, values, factor):
    """Add factor * values to rows of the accumulator."""
    weight = fr_to_lane_form(load_one(factor, np.int64(0)))
    last = _whole(start, stop)
    for i in range(start, last, LANES):
        # Below 3 p + p.
        term = fr_mul(weight, load(values, i))
        fr_store(accumulator, offset + i, fr_add_loose(load(accumulator, offset + i), term))
    fr_rows.accumulate(last, stop, accumulator, offset, values, factor)


@njit(nogil=True, cache=True)
def accumulate_small(start, stop, accumulator, offset, values, factor):
    """Add factor * value where `factor` carries 2^512 and the values are plain integers."""
    weight = fr_to_lane_form(load_one(factor, np.int64(0)))
    last = _whole(start, stop)
    for i in range(start, last, LANES):
        term = fr_mul(weight, load_small(values, i))
        fr_store(accumulator, offset + i, fr_add_loose(load(accumulator, offset + i), term))
    fr_rows.accumulate_small(last, stop, accumulator, offset, values, factor)


@njit(nogil=True, cache=True)
def inner_product(start, stop, a, b):
    """Return the sum of a[i] * b[i]."""
    last = _whole(start, stop)
    tail = fr_rows.inner_product(last, stop, a, b)
    if last == start:
        return tail
    total = fr_mul(load_scaled(a, start), load(b, start))
    for i in range(start + LANES, last, LANES):
        total = fr_add(total, fr_mul(load_scaled(a, i), load(b, i)))
    return add_one(sum_lanes(total), tail)


@njit(nogil=True, cache=True)
def total(start, stop, a):
    """Return the sum of the rows."""
    last = _whole(start, stop)
    tail = fr_rows.total(last, stop, a)
    if last == start:
        return tail
    running = load(a, start)
    for i in range(start + LANES, last, LANES):
        running = fr_add(running, load(a, i))
    return add_one(sum_lanes(running), tail)


@njit(nogil=True, cache=True)
def powers(start, stop, out, base):
    """Write base^i to row i."""
    first = min(start + LANES, stop)
    fr_rows.powers(start, first, out, base)
    if first < start + LANES:
        return
    factor = load_element(base, np.int64(0))
    step = np.empty((1, 4), dtype=np.uint64)
    exponent = (np.uint64(LANES), np.uint64(0), np.uint64(0), np.uint64(0))
    store(step, np.int64(0), power_one(factor, exponent))
    weight = fr_to_lane_form(load_one(step, np.int64(0)))
    last = _whole(start, stop)
    running = load(out, start)
    for i in range(first, last, LANES):
        running = fr_mul(running, weight)
        fr_store(out, i, running)
    fr_rows.powers(last, stop, out, base)


@njit(nogil=True, cache=True)
def eq_step(start, stop, table, half, coordinate):
    """Double the table: row x + half takes the part of row x where the next bit is one."""
    r = fr_to_lane_form(load_one(coordinate, np.int64(0)))
    last = _whole(start, stop)
    for x in range(start, last, LANES):
        whole = load(table, x)
        upper = fr_mul(whole, r)
        fr_store(table, half + x, upper)
        fr_store(table, x, fr_sub(whole, upper))
    fr_rows.eq_step(last, stop, table, half, coordinate)


@njit(nogil=True, cache=True)
def fold(start, stop, out, f, challenge):
    """out[j] = f[2j] + challenge * (f[2j+1] - f[2j])."""
    rho = fr_to_lane_form(load_one(challenge, np.int64(0)))
    last = _whole(start, stop)
    for j in range(start, last, LANES):
        even = load_strided(f, 2 * j, 2)
        difference = fr_sub_loose(load_strided(f, 2 * j + 1, 2), even)
        fr_store(out, j, fr_add_loose(even, fr_mul(rho, difference)))
    fr_rows.fold(last, stop, out, f, challenge)


@njit(nogil=True, cache=True)
def evaluate(start, stop, f, point):
    """Return the rows' share of f(x): lane k takes the rows congruent to k modulo LANES."""
    count = (stop - start) // LANES * LANES
    tail = fr_rows.evaluate(start + count, stop, f, point)
    if count == 0:
        return tail
    x = load_element(point, np.int64(0))
    step = np.empty((1, 4), dtype=np.uint64)
    eight = (np.uint64(LANES), np.uint64(0), np.uint64(0), np.uint64(0))
    store(step, np.int64(0), power_one(x, eight))
    weight = fr_to_lane_form(load_one(step, np.int64(0)))
    running = load(f, start + count - LANES)
    for i in range(start + count - 2 * LANES, start - 1, -LANES):
        # Below 3 p + p.
        running = fr_add_loose(fr_mul(running, weight), load(f, i))
    rows = np.empty((LANES, 4), dtype=np.uint64)
    fr_store(rows, np.int64(0), running)
    total, power = ZERO, FR_ONE
    for lane in range(LANES):
        total = add_one(total, mul_one(load_element(rows, lane), power))
        power = mul_one(power, x)
    exponent = (np.uint64(start), np.uint64(0), np.uint64(0), np.uint64(0))
    return add_one(mul_one(total, power_one(x, exponent)), tail)
