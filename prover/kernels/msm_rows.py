"""Compiled loops of the multi-scalar multiplication; `msm` plans and calls them.

A *row* is one non-zero scalar: a magnitude (one or four plain 64-bit limbs) and a reference
2 * base + sign. Small magnitudes are below 2^62 and wide ones at most (r-1)/2 < 2^253, so adding
the digit bias of `add_bias` (below the magnitude's own power of two) never overflows its limbs.
"""

import numpy as np
from numba import njit

from circuits.field import R
from prover.kernels import g1
from prover.kernels.scalar import ZERO, fr_sub, limbs, load, store

SMALL_BITS = 62
WIDE_BITS = 253
_ORDER = limbs(R)
_HALF_ORDER = limbs((R - 1) // 2)
# Numba compiles a function anew for every literal argument: indices come from variables instead.
_FIRST = np.int64(0)


@njit(nogil=True, inline="always")
def _is_above(a, b):
    for k in (3, 2, 1, 0):
        if a[k] != b[k]:
            return a[k] > b[k]
    return False


@njit(nogil=True, inline="always")
def _bit_length(a):
    for k in (3, 2, 1, 0):
        if a[k]:
            length = 64 * k + 1
            rest = a[k]
            for step in (32, 16, 8, 4, 2, 1):
                if rest >> np.uint64(step):
                    rest >>= np.uint64(step)
                    length += step
            return length
    return 0


@njit(nogil=True, cache=True)
def collect(values, offset, width, small, small_refs, wide, wide_refs, lengths, counts):
    """Append the non-zero rows of uint64[h, 1] or uint64[h, 4] to the small or wide rows.

    `lengths` counts magnitudes by bit length, `counts` holds the rows used so far. Returns the
    first row with a scalar that is not below r or has more than `width` bits, or -1.
    """
    is_single = values.shape[1] == 1
    for i in range(values.shape[0]):
        if is_single:
            magnitude = (values[i, 0], ZERO[0], ZERO[0], ZERO[0])
        else:
            magnitude = load(values, i)
        length = _bit_length(magnitude)
        if length == 0:
            continue
        if length > width:
            return i
        reference = 2 * (offset + i)
        if length >= WIDE_BITS and _is_above(magnitude, _HALF_ORDER):
            if not _is_above(_ORDER, magnitude):
                return i
            magnitude = fr_sub(ZERO, magnitude)
            length = _bit_length(magnitude)
            reference += 1
        lengths[length] += 1
        if length <= SMALL_BITS:
            small[counts[0], 0] = magnitude[0]
            small_refs[counts[0]] = reference
            counts[0] += 1
        else:
            store(wide, counts[1], magnitude)
            wide_refs[counts[1]] = reference
            counts[1] += 1
    return -1


@njit(nogil=True, cache=True)
def add_bias(start, stop, values, bias):
    """Add one multi-limb integer to every row, so that signed digits need no carries later."""
    for i in range(start, stop):
        carry = np.uint64(0)
        for k in range(values.shape[1]):
            total = values[i, k] + bias[k]
            overflow = np.uint64(total < bias[k])
            values[i, k] = total + carry
            carry = overflow | np.uint64(values[i, k] < carry)


@njit(nogil=True, inline="always")
def _digit(values, i, position, mask, half):
    word = position >> 6
    shift = np.uint64(position & 63)
    bits = values[i, word] >> shift
    if shift and word + 1 < values.shape[1]:
        bits |= values[i, word + 1] << (np.uint64(64) - shift)
    return np.int64(bits & mask) - half


@njit(nogil=True, cache=True)
def count_digits(counts, values, start, stop, position, mask, half):
    """Count rows [start, stop) by the absolute value of their digit at a bit position."""
    for i in range(start, stop):
        counts[abs(_digit(values, i, position, mask, half))] += 1


@njit(nogil=True, cache=True)
def place_digits(sorted_refs, cursors, values, refs, start, stop, position, mask, half):
    """Write the references of rows with a non-zero digit in the order of their buckets."""
    for i in range(start, stop):
        digit = _digit(values, i, position, mask, half)
        if digit:
            bucket = abs(digit)
            sorted_refs[cursors[bucket]] = refs[i] ^ np.int32(digit < 0)
            cursors[bucket] += 1


@njit(nogil=True, inline="always")
def _pair_up(counts, left, right):
    """Pair list positions inside each bucket and halve the counts; return the pairs made."""
    slot, position = _FIRST, _FIRST
    for bucket in range(counts.shape[0]):
        count = counts[bucket]
        for _ in range(count >> 1):
            left[slot] = position
            right[slot] = position + 1
            position += 2
            slot += 1
        if count & 1:
            left[slot] = position
            right[slot] = -1
            position += 1
            slot += 1
        counts[bucket] = (count + 1) >> 1
    return slot


@njit(nogil=True, cache=True)
def sum_window(total, bases, sorted_refs, counts):
    """total[0] = sum over buckets b of (b + 1) times the sum of the bucket's points.

    `counts[b]` references of bucket b follow each other in `sorted_refs`; counts are consumed.
    """
    slots, largest = _FIRST, _FIRST
    for bucket in range(counts.shape[0]):
        slots += (counts[bucket] + 1) >> 1
        largest = max(largest, counts[bucket])
    left = np.empty(slots, dtype=np.int32)
    right = np.empty(slots, dtype=np.int32)
    front = np.empty((slots, 8), dtype=np.uint64)
    back = np.empty((slots, 8), dtype=np.uint64)
    made = _pair_up(counts, left, right)
    for slot in range(made):
        left[slot] = sorted_refs[left[slot]]
        if right[slot] >= 0:
            right[slot] = sorted_refs[right[slot]]
    g1.add_pairs(_FIRST, made, front, bases, left, bases, right)
    largest = (largest + 1) >> 1
    while largest > 1:
        made = _pair_up(counts, left, right)
        for slot in range(made):
            left[slot] *= 2
            right[slot] *= 2
        g1.add_pairs(_FIRST, made, back, front, left, front, right)
        front, back = back, front
        largest = (largest + 1) >> 1
    running = np.zeros((1, 16), dtype=np.uint64)
    for bucket in range(counts.shape[0] - 1, -1, -1):
        if counts[bucket]:
            made -= 1
            g1.add_affine(running, _FIRST, load(front, 2 * made), load(front, 2 * made + 1))
        g1.add(total, _FIRST, running, _FIRST)


@njit(nogil=True, cache=True)
def join_windows(out, sums, windows, bits):
    """out[0] = sum of 2^(bits * windows[j]) sums[j], as an affine point."""
    result = np.zeros((1, 16), dtype=np.uint64)
    for window in range(windows.max(), -1, -1):
        for _ in range(bits):
            g1.double(result, _FIRST)
        for job in range(windows.shape[0]):
            if windows[job] == window:
                g1.add(result, _FIRST, sums, job)
    g1.to_affine(out, _FIRST, result, _FIRST)
