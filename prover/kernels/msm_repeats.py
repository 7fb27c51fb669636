"""Scalars that occur again and again: their bases are added first, and multiplied once.

Columns of points that digits choose from a table hold few values often. Such a value times the
sum of its bases costs an addition a cell, where a scalar of full width costs twenty.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit

from prover.kernels import g1, msm_buckets
from prover.kernels.parallel import run_jobs, threads
from prover.kernels.scalar import FR_MODULUS, is_below, load, store

Piece = tuple[int, np.ndarray, int]

# A column shows by consecutive rows whether values repeat. Fewer rows are not worth the search.
_SAMPLE_ROWS = 128
_ROWS_MIN = 256
# One cell of so many has to repeat another of the sample.
_REPEATED_MIN = 8
_FULL_BITS = 254
# A value that does not find its place after so many looks stands for itself.
_LOOKS_MAX = 64
_PARTS_MAX = 4
BASES_MAX = 1 << 30
"""References to bases have a sign, and 32 bits."""
_MIXERS = tuple(np.uint64(odd) for odd in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F))
_NONE = np.int32(-1)


def merge_repeats(
    bases: np.ndarray, vectors: Sequence[Sequence[Piece]]
) -> tuple[np.ndarray, list[list[Piece]]]:
    """Bases and vectors of the same sums, with the repeated scalars of a vector in new pieces.

    New bases follow those that were given; pieces that went into new ones are left empty. One of
    narrow scalars, which are cheap, stays as it is, and so does one that `msm` has to refuse.
    Cost: an addition a repeated cell, and a look at every cell of its column.
    """
    merged: list[list[Piece]] = []
    jobs, owners = [], []
    for number, pieces in enumerate(vectors):
        repeated = [_repeats(array, width) for _, array, width in pieces]
        columns = [piece[:2] for piece, is_one in zip(pieces, repeated, strict=True) if is_one]
        merged.append(
            [
                (offset, array[:0] if is_one else array, width)
                for (offset, array, width), is_one in zip(pieces, repeated, strict=True)
            ]
        )
        if columns:
            # Few vectors leave threads without one.
            parts = min(threads(), _PARTS_MAX) if len(vectors) == 1 else 1
            values = np.concatenate([array for _, array in columns])
            rows = np.concatenate([np.arange(at, at + len(array)) for at, array in columns])
            jobs += [(bases, values, rows, part, parts) for part in range(parts)]
            owners += [number] * parts
    if not jobs:
        return bases, merged
    found = run_jobs(_merge, jobs)
    end = len(bases)
    size = end + sum(len(points) for _, points in found)
    if size > BASES_MAX:
        return bases, list(map(list, vectors))
    extended = g1.new_points(size)
    extended[:end] = bases
    for number, (scalars, points) in zip(owners, found, strict=True):
        merged[number].append((end, scalars, _FULL_BITS))
        extended[end : end + len(points)] = points
        end += len(points)
    return extended, merged


def warm() -> None:
    """Compile every kernel of this module, or load it from the cache."""
    column = np.zeros((1, 4), dtype=np.uint64)
    _all_below(column)
    _merge(np.zeros((1, 8), dtype=np.uint64), column, np.arange(1), 0, 1)


def _repeats(array: np.ndarray, width: int) -> bool:
    if array.ndim == 1 or width < _FULL_BITS or len(array) < _ROWS_MIN:
        return False
    middle = len(array) // 2
    sample = np.ascontiguousarray(array[middle : middle + _SAMPLE_ROWS])
    # Values below 2^64 have few digits to save.
    sample = sample[sample[:, 1:].any(axis=1)]
    distinct = len(np.unique(sample.view("V32")))
    return (len(sample) - distinct) * _REPEATED_MIN >= _SAMPLE_ROWS and bool(
        _all_below(np.ascontiguousarray(array))
    )


def _merge(
    bases: np.ndarray, values: np.ndarray, rows: np.ndarray, part: int, parts: int
) -> tuple[np.ndarray, np.ndarray]:
    """The distinct scalars of one part of all values, and the sum of the bases of each."""
    groups = np.empty(len(values), dtype=np.int32)
    chosen = np.empty(len(values), dtype=np.int32)
    places = np.full(2 << len(values).bit_length(), _NONE, dtype=np.int32)
    count = _group(values, groups, chosen, places, np.uint64(part), np.uint64(parts))
    counts, refs = _list(groups, rows, np.int64(count))
    points = msm_buckets.sum_lists(bases, refs, counts)
    _make_canonical(points)
    return values[chosen[:count]], points


@njit(nogil=True, cache=True)
def _all_below(values):
    above = 0
    for i in range(len(values)):
        above += not is_below(load(values, i), FR_MODULUS)
    return above == 0


@njit(nogil=True, cache=True)
def _group(values, groups, chosen, places, part, parts):
    """Number the distinct values of a part in order; return how many there are.

    groups[i] is the number of row i, or -1 for zero and for values of other parts; chosen[k] is the
    first row of number k. `places` is a hash table of numbers, as long as a power of two.
    """
    mask, count = np.uint64(len(places) - 1), np.int32(0)
    for i in range(len(values)):
        low, second, third, high = load(values, i)
        groups[i] = _NONE
        if not (low | second | third | high):
            continue
        mixed = low * _MIXERS[0] ^ second * _MIXERS[1]
        if (mixed >> np.uint64(56)) % parts != part:
            continue
        place = mixed >> np.uint64(24) & mask
        for _ in range(_LOOKS_MAX):
            number = places[place]
            if number < 0 or _is_row(values, chosen[number], low, second, third, high):
                break
            place = (place + np.uint64(1)) & mask
        number = places[place]
        if number < 0 or not _is_row(values, chosen[number], low, second, third, high):
            if number < 0:
                places[place] = count
            chosen[count] = i
            number, count = count, count + np.int32(1)
        groups[i] = number
    return count


@njit(nogil=True, inline="always")
def _is_row(values, row, low, second, third, high):
    a, b, c, d = load(values, row)
    return not ((a ^ low) | (b ^ second) | (c ^ third) | (d ^ high))


@njit(nogil=True, cache=True)
def _list(groups, rows, count):
    """How many rows each group has, and references to their bases, group by group."""
    counts = np.zeros(count, dtype=np.int32)
    for group in groups:
        if group >= 0:
            counts[group] += 1
    starts = np.empty(count, dtype=np.int32)
    total = np.int32(0)
    for group in range(count):
        starts[group] = total
        total += counts[group]
    refs = np.empty(total, dtype=np.int32)
    for i in range(len(groups)):
        group = groups[i]
        if group >= 0:
            refs[starts[group]] = 2 * rows[i]
            starts[group] += 1
    return counts, refs


@njit(nogil=True, cache=True)
def _make_canonical(points):
    for row in range(len(points)):
        x, y = g1.load_loose(points, row)
        store(points, 2 * row, x)
        store(points, 2 * row + 1, y)
