"""Sums of pairs of affine points, eight at a time: the vector twin of `g1.add_pairs`.

A block of pairs shares one inversion: forward, the denominators x2 - x1 are multiplied up in each
lane, in two chains so that two products are always under way; the sixteen results are inverted
together; backward, each slope takes its inverse from the chain. Six multiplications a sum.

Nothing is tested on the way forward. Two points with equal x make their lane's product zero: the
whole block is then done pair by pair. A point at infinity (its y is all zero words, as for
no other point) has an ordinary denominator; its sums are put right one by one.

Scales: coordinates are x * 2^256 and a lane product divides by 2^260. Along a chain the powers of
two cancel, and the inverses come out as c / (d * 2^256) for the c that the chain starts with. With
c = 2^518 a slope is s * 2^258, its square is in stored form, and its product with 4 (x1 - x3) too.

Bounds in multiples of q, for loose operands (below 4 and a little; canonical ones are loose):
denominators are below 9.1 and chains below 3, so inverses are below 2.2, numerators below 17.1,
slopes below 2.5, 4 (x1 - x3) below 33.2: no product's operands exceed 84.
"""

import numpy as np
from numba import njit

from circuits.field import Q
from prover.kernels import g1, lanes, scalar
from prover.kernels import lane_memory as memory
from prover.kernels.lane_points import (
    flip,
    gather_x,
    gather_y,
    lift_5,
    lift_9,
    lift_17,
    prefetch_rows,
    raw_four_times,
    raw_sub,
    raw_twice,
    scatter_x,
    scatter_y,
    settle_5,
    settle_14,
    zero_words,
)
from prover.kernels.lanes import LANES

BLOCK = g1.BLOCK
# Pairs are done sixteen at a time.
GROUP = 2 * LANES
_GROUPS = BLOCK // LANES
# Lane values of the work array: x1 of each eight pairs, denominators, products of the chains.
_X, _D, _P = 0, _GROUPS, 2 * _GROUPS
WORK_WORDS = (3 * _GROUPS + 2) * memory.WORK_WORDS
# How many eights of pairs ahead points are asked for.
_AHEAD = 4
_LANE_ONE = np.array([scalar.limbs(2**260 % Q)], dtype=np.uint64)
_FIRST = np.int64(0)
_SCALE = scalar.limbs(2 ** (256 + 6) % Q)


@njit(nogil=True, cache=True, inline="always")
def add_pairs(count, out, targets, points, left, others, right, work, is_far):
    """out[targets[t]] = points[left[t]] + others[right[t]] for t below `count`.

    The interface of `g1.add_pairs`; what it writes is loose, not canonical.
    """
    inverses = np.empty((LANES, 4), dtype=np.uint64)
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        # The last pair again until the group is full: computed twice, written twice.
        stop, last = start + (size + GROUP - 1) // GROUP * GROUP, start + size - 1
        for t in range(start + size, stop):
            left[t], right[t], targets[t] = left[last], right[last], targets[last]
        _multiply_up(start, stop, inverses, points, left, others, right, work, is_far)
        if _invert(inverses):
            _add_up(start, stop, inverses, out, targets, points, left, others, right, work)
        else:
            _add_exactly(start, size, out, targets, points, left, others, right)


@njit(nogil=True, inline="always")
def _multiply_up(start, stop, total, points, left, others, right, work, is_far):
    run_a = memory.load_one(_LANE_ONE, 0)
    run_b = run_a
    group = 0
    for t in range(start, stop, GROUP):
        ahead = t + _AHEAD * LANES
        if is_far and ahead < stop:
            for each in range(ahead, ahead + GROUP, LANES):
                prefetch_rows(points, left, each)
                prefetch_rows(others, right, each)
        x1_a = gather_x(points, left, t)
        x1_b = gather_x(points, left, t + LANES)
        d_a = lift_5(raw_sub(gather_x(others, right, t), x1_a))
        d_b = lift_5(raw_sub(gather_x(others, right, t + LANES), x1_b))
        memory.put(work, _X + group, x1_a)
        memory.put(work, _X + group + 1, x1_b)
        memory.put(work, _D + group, d_a)
        memory.put(work, _D + group + 1, d_b)
        memory.put(work, _P + group, run_a)
        memory.put(work, _P + group + 1, run_b)
        run_a = lanes.fq_mul(run_a, d_a)
        run_b = lanes.fq_mul(run_b, d_b)
        group += 2
    memory.put(work, _P + group, run_a)
    memory.put(work, _P + group + 1, run_b)
    memory.fq_store(total, 0, lanes.fq_mul(run_a, run_b))


@njit(nogil=True, inline="always")
def _invert(rows):
    """Replace eight elements by their scaled inverses, unless one is zero: then return False."""
    before = np.empty((LANES, 4), dtype=np.uint64)
    running = scalar.FQ_ONE
    for k in range(LANES):
        scalar.store(before, k, running)
        running = scalar.fq_mul(running, scalar.load(rows, k))
    if scalar.is_zero(running):
        return False
    running = scalar.fq_mul(scalar.fq_inverse(running), _SCALE)
    for k in range(LANES - 1, -1, -1):
        element = scalar.load(rows, k)
        scalar.store(rows, k, scalar.fq_mul(running, scalar.load(before, k)))
        running = scalar.fq_mul(running, element)
    return True


@njit(nogil=True, inline="always")
def _add_up(start, stop, inverses, out, targets, points, left, others, right, work):
    group = (stop - start) // LANES
    both = memory.load(inverses, 0)
    run_a = lanes.fq_mul(both, memory.get(work, _P + group + 1))
    run_b = lanes.fq_mul(both, memory.get(work, _P + group))
    kept = np.empty((GROUP, 8), dtype=np.uint64)
    for t in range(stop - GROUP, start - 1, -GROUP):
        group -= 2
        d_a = memory.get(work, _D + group)
        d_b = memory.get(work, _D + group + 1)
        inverse_a = lanes.fq_mul(run_a, memory.get(work, _P + group))
        inverse_b = lanes.fq_mul(run_b, memory.get(work, _P + group + 1))
        run_a = lanes.fq_mul(run_a, d_a)
        run_b = lanes.fq_mul(run_b, d_b)
        y1_a = gather_y(points, left, t)
        y1_b = gather_y(points, left, t + LANES)
        y2_a = gather_y(others, right, t)
        y2_b = gather_y(others, right, t + LANES)
        infinite = np.int64(zero_words(y1_a) | zero_words(y2_a))
        infinite |= np.int64(zero_words(y1_b) | zero_words(y2_b)) << LANES
        if infinite:
            _keep_finite(kept, infinite, t, points, left, others, right)
        y1_a = flip(y1_a, left, t)
        y1_b = flip(y1_b, left, t + LANES)
        slope_a = lanes.fq_mul(lift_9(raw_sub(flip(y2_a, right, t), y1_a)), inverse_a)
        slope_b = lanes.fq_mul(lift_9(raw_sub(flip(y2_b, right, t + LANES), y1_b)), inverse_b)
        square_a = lanes.fq_mul(slope_a, slope_a)
        square_b = lanes.fq_mul(slope_b, slope_b)
        # A denominator is x2 - x1, five times q more: slope^2 - 2 x1 - d is x3 less that.
        x1_a = memory.get(work, _X + group)
        x1_b = memory.get(work, _X + group + 1)
        x3_a = settle_14(raw_sub(raw_sub(square_a, raw_twice(x1_a)), d_a))
        x3_b = settle_14(raw_sub(raw_sub(square_b, raw_twice(x1_b)), d_b))
        step_a = lanes.fq_mul(slope_a, lift_17(raw_four_times(raw_sub(x1_a, x3_a))))
        step_b = lanes.fq_mul(slope_b, lift_17(raw_four_times(raw_sub(x1_b, x3_b))))
        scatter_x(out, targets, t, x3_a)
        scatter_y(out, targets, t, settle_5(raw_sub(step_a, y1_a)))
        scatter_x(out, targets, t + LANES, x3_b)
        scatter_y(out, targets, t + LANES, settle_5(raw_sub(step_b, y1_b)))
        if infinite:
            for k in range(GROUP):
                if (infinite >> k) & 1:
                    row = targets[t + k] >> 1
                    scalar.store(out, 2 * row, scalar.load(kept, 2 * k))
                    scalar.store(out, 2 * row + 1, scalar.load(kept, 2 * k + 1))


@njit(nogil=True, cache=True)
def _keep_finite(kept, infinite, start, points, left, others, right):
    """Write the other operand of the sums that have one at infinity."""
    for k in range(GROUP):
        if (infinite >> k) & 1:
            x, y = g1.load_signed(points, left[start + k])
            if scalar.is_zero(y):
                x, y = g1.load_signed(others, right[start + k])
            scalar.store(kept, 2 * k, x)
            scalar.store(kept, 2 * k + 1, y)


@njit(nogil=True, cache=True)
def _add_exactly(start, size, out, targets, points, left, others, right):
    """Each sum on its own, with every case told apart: much slower, and for no honest bases."""
    total = np.empty((1, 16), dtype=np.uint64)
    for t in range(start, start + size):
        total[:] = np.uint64(0)
        x, y = g1.load_signed(points, left[t])
        g1.add_affine(total, _FIRST, x, y)
        x, y = g1.load_signed(others, right[t])
        g1.add_affine(total, _FIRST, x, y)
        g1.to_affine(out, np.int64(targets[t] >> 1), total, _FIRST)
