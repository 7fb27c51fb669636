"""Sums of pairs of affine points, eight at a time: the vector twin of `g1.add_pairs`.

A block of pairs shares one inversion: forward, the denominators x2 - x1 are multiplied up in each
lane, every other group of eight in a second chain so that products overlap; the sixteen results are
inverted together; backward, each slope takes its inverse from the chain. Six multiplications a sum.

Nothing is tested on the way forward. Two points with equal x make their lane's product zero: they
are then looked for, added on their own, and the block starts again without them. A point at
infinity (its y is all zero words, as for no other point) has an ordinary denominator; its sums are
put right one by one.

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
_GROUPS = BLOCK // LANES
# Groups that go through the steps of an addition together: enough for a step's product to be done
# when the next step wants it, few enough to stay in the first-level cache.
_WAVE = 8
# Lane values of the work array: for each group x1, y1, numerator and denominator of the slope, and
# the product before it in its chain (with the two ends behind); the chains on their way back; for
# each group of a wave its slope, and what the slope is multiplied with.
_X1, _Y1, _N, _D, _P = range(0, 5 * _GROUPS, _GROUPS)
_RUN = _P + _GROUPS + 2
_SLOPE = _RUN + 2
_FACTOR = _SLOPE + _WAVE
WORK_WORDS = (_FACTOR + _WAVE) * memory.WORK_WORDS
# How many groups ahead points are asked for.
_AHEAD = _WAVE
_LANE_ONE = np.array([scalar.limbs(2**260 % Q)], dtype=np.uint64)
_FIRST = np.int64(0)
_SCALE = scalar.limbs(2 ** (256 + 6) % Q)


@njit(nogil=True, cache=True)
def add_pairs(count, out, targets, points, left, others, right, work, is_far):
    """out[targets[t]] = points[left[t]] + others[right[t]] for t below `count`.

    The interface of `g1.add_pairs`; what it writes is loose, not canonical.
    """
    inverses = np.empty((LANES, 4), dtype=np.uint64)
    infinite = np.empty(_GROUPS, dtype=np.uint8)
    kept = np.empty((BLOCK, 8), dtype=np.uint64)
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        while size > 0:
            groups = (size + LANES - 1) // LANES
            # The last pair again until the group is full: computed twice, written twice.
            last = start + size - 1
            for t in range(start + size, start + groups * LANES):
                left[t], right[t], targets[t] = left[last], right[last], targets[last]
            found = _multiply_up(
                start, groups, inverses, infinite, points, left, others, right, work, is_far
            )
            if _invert(inverses):
                if found:
                    _keep_finite(kept, infinite[:groups], start, points, left, others, right)
                _add_up(start, groups, inverses, out, targets, work)
                if found:
                    _put_back(out, targets, start, infinite[:groups], kept)
                break
            size = _set_apart(start, size, out, targets, points, left, others, right)


@njit(nogil=True, inline="always")
def _multiply_up(start, groups, total, infinite, points, left, others, right, work, is_far):
    """Take all that a block needs of its points, and multiply the denominators up.

    A point is touched once: to find its page costs most. Sets the bits of the lanes with a point at
    infinity in a byte for each group; returns whether there are any.
    """
    one = memory.load_one(_LANE_ONE, 0)
    memory.put(work, _P, one)
    memory.put(work, _P + 1, one)
    found = np.uint8(0)
    for first in range(0, groups, _WAVE):
        stop = min(first + _WAVE, groups)
        for group in range(first, stop):
            t = start + group * LANES
            if is_far and group + _AHEAD < groups:
                prefetch_rows(points, left, t + _AHEAD * LANES)
                prefetch_rows(others, right, t + _AHEAD * LANES)
            x1 = gather_x(points, left, t)
            memory.put(work, _X1 + group, x1)
            memory.put(work, _D + group, lift_5(raw_sub(gather_x(others, right, t), x1)))
            y1, y2 = gather_y(points, left, t), gather_y(others, right, t)
            infinite[group] = zero_words(y1) | zero_words(y2)
            found |= infinite[group]
            y1 = flip(y1, left, t)
            memory.put(work, _Y1 + group, y1)
            memory.put(work, _N + group, lift_9(raw_sub(flip(y2, right, t), y1)))
        _multiply(work, _P + first, _D + first, _P + first + 2, stop - first)
    ends = lanes.fq_mul(memory.get(work, _P + groups), memory.get(work, _P + groups + 1))
    memory.fq_store(total, 0, ends)
    return found != 0


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
def _add_up(start, groups, inverses, out, targets, work):
    both = memory.load(inverses, 0)
    # Each chain's own inverse is that of both times the other chain.
    for chain in range(2):
        other = memory.get(work, _P + groups + 1 - chain)
        memory.put(work, _RUN + ((groups + chain) & 1), lanes.fq_mul(both, other))
    for stop in range(groups, 0, -_WAVE):
        first = max(0, stop - _WAVE)
        size = stop - first
        for group in range(stop - 1, first - 1, -1):
            run = memory.get(work, _RUN + (group & 1))
            inverse = lanes.fq_mul(run, memory.get(work, _P + group))
            memory.put(work, _SLOPE + group - first, inverse)
            run = lanes.fq_mul(run, memory.get(work, _D + group))
            memory.put(work, _RUN + (group & 1), run)
        _multiply(work, _SLOPE, _N + first, _SLOPE, size)
        _multiply(work, _SLOPE, _SLOPE, _FACTOR, size)
        for k in range(size):
            x1 = memory.get(work, _X1 + first + k)
            # A denominator is x2 - x1 and 5 q: slope^2 - 2 x1 less that is x3 less 5 q.
            below = raw_sub(memory.get(work, _FACTOR + k), raw_twice(x1))
            x3 = settle_14(raw_sub(below, memory.get(work, _D + first + k)))
            scatter_x(out, targets, start + (first + k) * LANES, x3)
            memory.put(work, _FACTOR + k, lift_17(raw_four_times(raw_sub(x1, x3))))
        _multiply(work, _SLOPE, _FACTOR, _FACTOR, size)
        for k in range(size):
            below = raw_sub(memory.get(work, _FACTOR + k), memory.get(work, _Y1 + first + k))
            scatter_y(out, targets, start + (first + k) * LANES, settle_5(below))


@njit(nogil=True, cache=True)
def _multiply(work, a, b, out, size):
    """Nothing but products: the processor then sees the next one while it is at the last."""
    for k in range(size):
        product = lanes.fq_mul(memory.get(work, a + k), memory.get(work, b + k))
        memory.put(work, out + k, product)


@njit(nogil=True, cache=True)
def _keep_finite(kept, infinite, start, points, left, others, right):
    """Write the other operand of the sums that have one at infinity, before sums take its place."""
    for k in range(LANES * infinite.shape[0]):
        if (infinite[k // LANES] >> (k % LANES)) & 1:
            x, y = g1.load_signed(points, left[start + k])
            if scalar.is_zero(y):
                x, y = g1.load_signed(others, right[start + k])
            scalar.store(kept, 2 * k, x)
            scalar.store(kept, 2 * k + 1, y)


@njit(nogil=True, cache=True)
def _put_back(out, targets, start, infinite, kept):
    for k in range(LANES * infinite.shape[0]):
        if (infinite[k // LANES] >> (k % LANES)) & 1:
            place = np.int64(targets[start + k] >> 1)
            scalar.store(out, 2 * place, scalar.load(kept, 2 * k))
            scalar.store(out, 2 * place + 1, scalar.load(kept, 2 * k + 1))


@njit(nogil=True, cache=True)
def _set_apart(start, size, out, targets, points, left, others, right):
    """Add the pairs of a block that have equal x, and close the gaps; return how many are left."""
    total = np.empty((1, 16), dtype=np.uint64)
    t = start
    while t < start + size:
        x1, y1 = g1.load_signed(points, left[t])
        x2, y2 = g1.load_signed(others, right[t])
        if not scalar.equal(x1, x2):
            t += 1
            continue
        total[:] = np.uint64(0)
        g1.add_affine(total, _FIRST, x1, y1)
        g1.add_affine(total, _FIRST, x2, y2)
        g1.to_affine(out, np.int64(targets[t] >> 1), total, _FIRST)
        size -= 1
        last = start + size
        left[t], right[t], targets[t] = left[last], right[last], targets[last]
    return size
