"""Compiled sums of many lists of points, and what makes lists of buckets.

Lists are halved by adjacent pairs. Parts of the work that fit the second-level cache go through
several halvings at once, in place: after k of them a list's points stand 2^k rows apart. A part
stops early, with several points a list, when too few pairs are left to share an inversion; what
is left of all parts makes the next round.

Points that are not the caller's are loose where a twin of `add_pairs` makes them so; see `g1`.
"""

import numpy as np
from numba import njit

from prover.kernels import g1
from prover.kernels.aligned import aligned_rows, aligned_words
from prover.kernels.g1_pairs import ROOM, WORK_WORDS, add_pairs
from prover.kernels.scalar import ZERO, fq_sub, load, store

# Points that are halved together.
PART = 8192
# A part with fewer pairs than this stops, unless it is alone.
_PAIRS_MIN = 96
# Numba compiles a function anew for every literal argument: these come from variables instead.
_FIRST = np.int64(0)
_NEAR, _FAR = np.uint8(0), np.uint8(1)


@njit(nogil=True, cache=True)
def sum_lists(points, refs, counts):
    """Return the sums of lists as rows uint64[.., 8], one for each list that is not empty.

    counts[k] references of list k follow each other in `refs`; afterwards counts are 0 or 1.
    """
    filled = _FIRST
    for count in counts:
        filled += np.int64(count > 0)
    parts = refs.shape[0] // (PART - 1) + 1
    # What a list leaves of its parts, and what a part leaves that stops early.
    room = min((refs.shape[0] + filled) // 2 + parts, filled + parts * (1 + 2 * _PAIRS_MIN))
    rest = aligned_rows(room, 8)
    rows = aligned_rows(PART, 8)
    pairs = np.empty((3, PART + ROOM), dtype=np.int32)
    lists = np.empty((3, PART), dtype=np.int32)
    work = aligned_words(WORK_WORDS)
    source, distance = points, _FAR
    while True:
        used = _halve_all(rest, source, refs, counts, rows, pairs, lists, work, distance)
        if used == filled:
            return rest[:used]
        refs = np.empty(used, dtype=np.int32)
        for row in range(used):
            refs[row] = 2 * row
        source, distance = rest, _NEAR


@njit(nogil=True, inline="always")
def _halve_all(out, points, refs, counts, rows, pairs, lists, work, distance):
    """Halve every list at least once, part by part; return the rows used in `out`.

    `out` may be `points` when the references are rows 0, 1, ...: no part writes behind its reads.
    """
    bucket, remaining, position, used = np.int64(-1), _FIRST, _FIRST, _FIRST
    while position < refs.shape[0]:
        first, made, slots, pair_count, odd_count = position, _FIRST, _FIRST, _FIRST, _FIRST
        while position < refs.shape[0] and position - first < PART:
            while remaining == 0:
                bucket += 1
                remaining = np.int64(counts[bucket])
                counts[bucket] = 0
            taken = min(remaining, PART - (position - first))
            # One point of a pair here and one in the next part would never meet.
            if taken == 1 and remaining > 1:
                break
            remaining -= taken
            lists[0, made], lists[1, made], lists[2, made] = bucket, slots, (taken + 1) >> 1
            made += 1
            for _ in range(taken >> 1):
                pairs[0, pair_count] = refs[position]
                pairs[1, pair_count] = refs[position + 1]
                pairs[2, pair_count] = 2 * slots
                position += 2
                pair_count += 1
                slots += 1
            if taken & 1:
                # For later, at the free end of the pairs: side by side they are fetched at once.
                odd_count += 1
                pairs[0, PART - odd_count], pairs[1, PART - odd_count] = refs[position], slots
                position += 1
                slots += 1
        for k in range(PART - odd_count, PART):
            _copy_signed(rows, pairs[1, k], points, pairs[0, k])
        pairs_min = 1 if position - first == refs.shape[0] else _PAIRS_MIN
        stride, source, far = np.int64(1), points, distance
        while True:
            add_pairs(pair_count, rows, pairs[2], source, pairs[0], source, pairs[1], work, far)
            pair_count = _FIRST
            for each in range(made):
                pair_count += lists[2, each] >> 1
            if pair_count < pairs_min:
                break
            _pair_rows(pairs, lists, made, stride)
            stride, source, far = 2 * stride, rows, _NEAR
        for each in range(made):
            counts[lists[0, each]] += lists[2, each]
            for k in range(lists[2, each]):
                _copy(out, used, rows, lists[1, each] + k * stride)
                used += 1
    return used


@njit(nogil=True, inline="always")
def _pair_rows(pairs, lists, made, stride):
    """Pair up rows `stride` apart in each list, the sum to take the place of the first one."""
    slot = _FIRST
    for each in range(made):
        row = np.int64(lists[1, each])
        for _ in range(lists[2, each] >> 1):
            pairs[0, slot] = pairs[2, slot] = 2 * row
            pairs[1, slot] = 2 * (row + stride)
            row += 2 * stride
            slot += 1
        lists[2, each] = (lists[2, each] + 1) >> 1


@njit(nogil=True, inline="always")
def _copy(out, row, points, source):
    store(out, 2 * row, load(points, 2 * source))
    store(out, 2 * row + 1, load(points, 2 * source + 1))


@njit(nogil=True, inline="always")
def _copy_signed(out, row, points, reference):
    """Copy a referenced point; one with a sign is the caller's own and canonical."""
    _copy(out, row, points, reference >> 1)
    if reference & 1:
        store(out, 2 * row + 1, fq_sub(ZERO, load(out, 2 * row + 1)))


@njit(nogil=True, cache=True)
def split_weights(filled, sizes, low, counts):
    """Make lists of weighted points by the low and by the high bits of their weights.

    Group g has sizes[g] buckets for the weights 1, 2, ...; `filled` says which hold a point, and
    the points' rows follow each other. A group's lists are one for each value but zero of the
    `low` lowest bits, then one for each of the others. Fills their counts, which start as zero,
    and returns references to the rows, list by list.
    """
    lows = (1 << low) - 1
    lists = counts.shape[0] // sizes.shape[0]
    keys = np.full((filled.shape[0], 2), -1, dtype=np.int32)
    bucket, rows = _FIRST, _FIRST
    for group in range(sizes.shape[0]):
        for weight in range(1, sizes[group] + 1):
            if filled[bucket]:
                if weight & lows:
                    keys[rows, 0] = group * lists + (weight & lows) - 1
                    counts[keys[rows, 0]] += 1
                if weight >> low:
                    keys[rows, 1] = group * lists + lows + (weight >> low) - 1
                    counts[keys[rows, 1]] += 1
                rows += 1
            bucket += 1
    places = np.empty(counts.shape[0], dtype=np.int32)
    total = np.int32(0)
    for each in range(counts.shape[0]):
        places[each] = total
        total += counts[each]
    refs = np.empty(total, dtype=np.int32)
    for row in range(rows):
        for half in range(2):
            key = keys[row, half]
            if key >= 0:
                refs[places[key]] = 2 * row
                places[key] += 1
    return refs


@njit(nogil=True, cache=True)
def join(out, row, points, positions):
    """out[row] = sum of 2^positions[k] points[k], for descending positions; canonical."""
    result = np.zeros((1, 16), dtype=np.uint64)
    k = _FIRST
    highest = positions[0] if positions.shape[0] else np.int64(-1)
    for position in range(highest, -1, -1):
        g1.double(result, _FIRST)
        while k < positions.shape[0] and positions[k] == position:
            x, y = g1.load_loose(points, k)
            g1.add_affine(result, _FIRST, x, y)
            k += 1
    g1.to_affine(out, row, result, _FIRST)
