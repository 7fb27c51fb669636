"""Weighted sums of whole columns, and all columns of a chip at one point.

A weighted cell needs no conversion: its weight carries the powers of 2^256 that its form lacks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from circuits.field import R
from prover.kernels import fr
from prover.kernels.cells import CANONICAL, MONTGOMERY, read_limbs, read_small
from prover.kernels.equality import SplitEquality
from prover.kernels.parallel import ROWS_MIN, row_ranges, run_jobs, threads
from prover.kernels.scalar import FIRST, MONTGOMERY_BITS, ZERO, fr_add, fr_mul, load, store
from prover.kernels.wide import (
    WIDE_LIMBS,
    WIDE_ZERO,
    add_product,
    add_small_product,
    clear_block,
    load_wide,
    reduce_block,
    reduce_wide,
    store_wide,
)

# Rows whose wide sums stay in the first-level cache while many columns are added to them.
_SUMS = 256
# Column heights differ, so equal ranges of a chunk are unequal work: cut finer than the threads.
_PARTS_PER_THREAD = 4
_ONE = 2**MONTGOMERY_BITS % R


@dataclass(frozen=True, slots=True)
class Stacked:
    """Columns at their offsets in one array of cells, each with a weight.

    Shape: spans int64[pieces, 4] of offset, height, address and kind; factors uint64[pieces, 4].
    """

    spans: np.ndarray
    factors: np.ndarray

    @staticmethod
    def of(pieces: Iterable[tuple[int, int, tuple[int, int], int]]) -> "Stacked":
        """From (offset, height, place of the column, weight)."""
        taken = list(pieces)
        spans = [(offset, height, *place) for offset, height, place, _ in taken]
        return Stacked(
            np.array(spans, dtype=np.int64).reshape(-1, 4),
            _factors([place[1] for _, _, place, _ in taken], [weight for *_, weight in taken]),
        )


def add_stacked(out_rows: int, stacked: Stacked) -> np.ndarray:
    """The weighted sum of stacked columns as elements uint64[out_rows, 4].

    Assumes: every piece lies inside the rows.
    """
    out = np.empty((out_rows, 4), dtype=np.uint64)
    parts = _PARTS_PER_THREAD * threads() if out_rows >= ROWS_MIN else 1
    ranges = row_ranges(out_rows, parts) if out_rows else []
    run_jobs(_add_stacked, [(*each, out, stacked.spans, stacked.factors) for each in ranges])
    return out


def mix_columns(places: np.ndarray, height: int, weights: Sequence[int]) -> np.ndarray:
    """Row by row sum_j weights_j column_j.

    Shape: places int64[columns, 2], see `cells` -> uint64[height, 4].
    """
    pieces = [
        (0, height, (int(address), int(kind)), weight)
        for (address, kind), weight in zip(places, weights, strict=True)
    ]
    return add_stacked(height, Stacked.of(pieces))


def columns_at(places: np.ndarray, height: int, point: Sequence[int]) -> list[int]:
    """Every column's multilinear extension at a point of log2(rows) coordinates.

    Assumes: height <= 2^len(point). Cost: half a product per cell, less for narrow ones.
    """
    return weighted_sums(places, height, SplitEquality.of(point))


def weighted_sums(places: np.ndarray, height: int, weights: SplitEquality) -> list[int]:
    """Every column's sum over its rows, each times its weight."""
    if not height or not len(places):
        return [0] * len(places)
    blocks = -(-height // len(weights.low))
    parts = threads() if height * len(places) >= ROWS_MIN else 1
    found = run_jobs(
        _weighted_sums,
        [
            (start, stop, places, height, weights.low, weights.high)
            for start, stop in row_ranges(blocks, parts)
        ],
    )
    # A plain cell times an element has lost the element's factor; see `_column_block_at`.
    scales = [1 if kind == MONTGOMERY else _ONE for kind in places[:, 1]]
    return [
        sum(values) * scale % R
        for values, scale in zip(zip(*map(fr.to_ints, found), strict=True), scales, strict=True)
    ]


def _factors(kinds: Sequence[int], weights: Sequence[int]) -> np.ndarray:
    """Weights as limbs that make a wide sum of factor * cell reduce to an element."""
    return fr.from_ints(
        weight if kind == MONTGOMERY else weight * _ONE % R
        for kind, weight in zip(kinds, weights, strict=True)
    )


@njit(nogil=True, cache=True)
def add_weighted_block(totals, target, factor, address, kind, first, count):
    """Add factor * cell of rows first .. first + count - 1 to wide sums target ..."""
    if kind < CANONICAL:
        for i in range(count):
            value = read_small(address, kind, first + i)
            total = load_wide(totals, target + i)
            store_wide(totals, target + i, add_small_product(total, factor, value))
    else:
        for i in range(count):
            value = read_limbs(address, first + i)
            total = load_wide(totals, target + i)
            store_wide(totals, target + i, add_product(total, factor, value))


@njit(nogil=True, cache=True)
def _add_stacked(start, stop, out, spans, factors):
    totals = np.empty((_SUMS, WIDE_LIMBS), dtype=np.uint64)
    for first in range(start, stop, _SUMS):
        count = min(_SUMS, stop - first)
        clear_block(totals, FIRST, count)
        for piece in range(spans.shape[0]):
            offset = spans[piece, 0]
            begin, end = max(first, offset), min(first + count, offset + spans[piece, 1])
            if begin < end:
                add_weighted_block(
                    totals, begin - first, load(factors, piece), spans[piece, 2],
                    spans[piece, 3], begin - offset, end - begin,
                )  # fmt: skip
        reduce_block(out, first, totals, FIRST, count)


@njit(nogil=True, cache=True)
def _column_block_at(low, address, kind, first, count):
    """Sum of low[i] * cell(first + i), divided by 2^256."""
    total = WIDE_ZERO
    if kind < CANONICAL:
        for i in range(count):
            value = read_small(address, kind, first + i)
            if value:
                total = add_small_product(total, load(low, i), value)
    else:
        for i in range(count):
            total = add_product(total, load(low, i), read_limbs(address, first + i))
    return reduce_wide(total)


@njit(nogil=True, cache=True)
def _weighted_sums(start, stop, places, height, low, high):
    """The share of row blocks start .. stop - 1, of len(low) rows each, in every column's sum."""
    step = low.shape[0]
    sums = np.empty((places.shape[0], 4), dtype=np.uint64)
    for column in range(places.shape[0]):
        address, kind = places[column, 0], places[column, 1]
        total = ZERO
        for block in range(start, stop):
            first = block * step
            part = _column_block_at(low, address, kind, first, min(step, height - first))
            total = fr_add(total, fr_mul(part, load(high, block)))
        store(sums, column, total)
    return sums


def warm() -> None:
    """Compile every kernel of this module, or load it from the cache."""
    cells = np.ones(2, dtype=np.uint8)
    places = np.array([[cells.ctypes.data, 0]], dtype=np.int64)
    mix_columns(places, 2, [3])
    columns_at(places, 2, [5])
