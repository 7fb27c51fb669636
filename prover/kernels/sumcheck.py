"""One round of the first sumcheck over a chip's rows; see `plan` for what is added up.

A round looks at pairs of rows: 2j with the low variable at 0 and 2j + 1 with it at 1. Rows come
either from columns of any width, through a program that makes operands of them, or from the
operands of the round before. Either way they may first be folded by the last challenge; folding
and evaluation then happen in one pass over memory.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit

from circuits.field import R
from prover.kernels import fr
from prover.kernels.cells import CANONICAL, load_block, read_limbs, read_small
from prover.kernels.equality import SplitEquality
from prover.kernels.parallel import ROWS_MIN, row_ranges, run_jobs, run_rows, threads
from prover.kernels.program import BLOCK
from prover.kernels.scalar import (
    EVERY,
    EVERY_OTHER,
    FIRST,
    MONTGOMERY_BITS,
    SAME,
    ZERO,
    fr_add,
    fr_mul,
    fr_mul_small,
    fr_sub,
    load,
    store,
)
from prover.kernels.tape import copy_block, load_state, new_totals, new_work, run_code
from prover.kernels.wide import WIDE_ZERO, add_product, dot_block, load_wide, reduce_wide

# Places of the sums that `round_sums` returns; the classes' values at 0, 1, ... follow.
REST, HELPERS, CLASSES = 0, 2, 4
# How many totals, and where those of terms of low degree and of the others start.
_TOTALS = np.int64(3)
_LOW, _HIGH = np.int64(BLOCK), np.int64(2 * BLOCK)
# Weights of the even and of the odd row in the folded one, by the form of the cells.
CHALLENGE, _EVEN_SMALL, _ODD_SMALL, _EVEN_FULL, _ODD_FULL = range(5)


class Source(NamedTuple):
    """Columns that a round reads: `rows` of them, then `pads` in every missing odd row.

    Shape: places int64[columns, 2]; pads uint64[columns, 4]; factors uint64[5, 4], or [0, 4] when
    nothing is folded, see `fold_factors`.
    """

    places: np.ndarray
    rows: int
    pads: np.ndarray
    factors: np.ndarray


class Points(NamedTuple):
    """What is evaluated at every point of a pair, over work memory of `slots`.

    Slots ROW and ACTIVE come first; `origins` are the first elements of the operands that a round
    reads. `derive` makes the other operands of them. The operands from element `begin` on are
    extrapolated: up to `end_high` at points above `low_degree`, up to `end` at the others. `both`,
    `low` and `high` add the terms of low degree to total 1 and the others to total 2. `rest` and
    `helpers` are the elements of two linear sums, or -1.
    """

    slots: int
    scalars: np.ndarray
    origins: np.ndarray
    derive: np.ndarray
    both: np.ndarray
    low: np.ndarray
    high: np.ndarray
    begin: int
    end_high: int
    end: int
    low_degree: int
    rest: int
    helpers: int


class Linear(NamedTuple):
    """From columns to operands; without instructions the columns are the operands.

    Shape: targets int64[columns], first elements of the columns' slots, ROW and ACTIVE behind.
    """

    targets: np.ndarray
    code: np.ndarray
    scalars: np.ndarray
    slots: int
    results: np.ndarray


@lru_cache(maxsize=4)
def fold_factors(challenge: int) -> np.ndarray:
    """Weights of an even and an odd cell of any kind in the folded element."""
    one = 2**MONTGOMERY_BITS
    return fr.from_ints(
        [
            challenge,
            (1 - challenge) * 2**64 % R,
            challenge * 2**64 % R,
            (1 - challenge) * one % R,
            challenge * one % R,
        ]
    )


def bind_rows(rows: np.ndarray, challenge: int) -> np.ndarray:
    """Fold pairs of rows; a missing last row is zero. Shape: uint64[n, 4] -> [ceil(n / 2), 4]."""
    out = np.empty(((len(rows) + 1) // 2, 4), dtype=np.uint64)
    run_rows(_bind_rows, len(out), out, rows, fr.constant(challenge))
    return out


def half_sums(rows: np.ndarray, weights: SplitEquality) -> tuple[int, int]:
    """Weighted sums of all even and of all odd rows; pair j has weight j.

    Shape: rows uint64[n, 4].
    """
    pairs = (len(rows) + 1) // 2
    blocks = -(-pairs // len(weights.low))
    parts = threads() if pairs >= ROWS_MIN else 1
    ranges = row_ranges(blocks, parts) if blocks else []
    found = run_jobs(_half_sums, [(*each, rows, weights.low, weights.high) for each in ranges])
    values = fr.to_ints(np.array(found, dtype=np.uint64).reshape(-1, 4))
    return sum(values[0::2]) % R, sum(values[1::2]) % R


def product_values(a: np.ndarray, b: np.ndarray) -> list[int]:
    """Values at 0, 1, 2 of the sum over pairs of (a at t) * (b at t).

    Shape: a uint64[rows, 4], b uint64[rows or more, 4], of even length.
    """
    parts = run_rows(_products, (len(a) + 1) // 2, a, b)
    found = np.array(parts, dtype=np.uint64).reshape(-1, 4)
    values = fr.to_ints(found)
    return [sum(values[t::3]) % R for t in range(3)]


@njit(nogil=True, cache=True)
def _bind_rows(start, stop, out, rows, challenge):
    factor = load(challenge, 0)
    for j in range(start, stop):
        even = load(rows, 2 * j)
        odd = load(rows, 2 * j + 1) if 2 * j + 1 < rows.shape[0] else ZERO
        store(out, j, fr_add(even, fr_mul(factor, fr_sub(odd, even))))


@njit(nogil=True, cache=True)
def _half_sums(start, stop, rows, low, high):
    """Shares of the blocks of len(low) pairs start .. stop - 1."""
    at_0, at_1 = ZERO, ZERO
    pairs, step = (rows.shape[0] + 1) // 2, low.shape[0]
    for block in range(start, stop):
        even, odd = WIDE_ZERO, WIDE_ZERO
        for j in range(block * step, min(pairs, (block + 1) * step)):
            weight = load(low, j - block * step)
            even = add_product(even, load(rows, 2 * j), weight)
            if 2 * j + 1 < rows.shape[0]:
                odd = add_product(odd, load(rows, 2 * j + 1), weight)
        factor = load(high, block)
        at_0 = fr_add(at_0, fr_mul(reduce_wide(even), factor))
        at_1 = fr_add(at_1, fr_mul(reduce_wide(odd), factor))
    return at_0, at_1


@njit(nogil=True, cache=True)
def _products(start, stop, a, b):
    at_0, at_1, at_2 = ZERO, ZERO, ZERO
    for j in range(start, stop):
        a_0, b_0 = load(a, 2 * j), load(b, 2 * j)
        a_1 = load(a, 2 * j + 1) if 2 * j + 1 < a.shape[0] else ZERO
        b_1 = load(b, 2 * j + 1)
        at_0 = fr_add(at_0, fr_mul(a_0, b_0))
        at_1 = fr_add(at_1, fr_mul(a_1, b_1))
        a_2 = fr_add(a_1, fr_sub(a_1, a_0))
        b_2 = fr_add(b_1, fr_sub(b_1, b_0))
        at_2 = fr_add(at_2, fr_mul(a_2, b_2))
    return at_0, at_1, at_2


@njit(nogil=True, cache=True)
def fold_block(work, target, address, kind, first, step, count, rows, pad, factors):
    """Write rows first, first + step, ... of the folded column to work[target ...].

    Folded row r is (1 - challenge) row 2r + challenge row 2r + 1, with `pad` for a missing row.
    """
    # Only the very last pair can lack its odd row.
    whole = count
    if count and 2 * (first + (count - 1) * step) + 1 >= rows:
        whole = count - 1
    if kind < CANONICAL:
        even_weight, odd_weight = load(factors, _EVEN_SMALL), load(factors, _ODD_SMALL)
        for i in range(whole):
            row = 2 * (first + i * step)
            even = fr_mul_small(even_weight, read_small(address, kind, row))
            odd = fr_mul_small(odd_weight, read_small(address, kind, row + 1))
            store(work, target + i, fr_add(even, odd))
    elif kind == CANONICAL:
        even_weight, odd_weight = load(factors, _EVEN_FULL), load(factors, _ODD_FULL)
        for i in range(whole):
            row = 2 * (first + i * step)
            even = fr_mul(even_weight, read_limbs(address, row))
            odd = fr_mul(odd_weight, read_limbs(address, row + 1))
            store(work, target + i, fr_add(even, odd))
    else:
        challenge = load(factors, CHALLENGE)
        for i in range(whole):
            row = 2 * (first + i * step)
            even, odd = read_limbs(address, row), read_limbs(address, row + 1)
            store(work, target + i, fr_add(even, fr_mul(challenge, fr_sub(odd, even))))
    if whole < count:
        load_block(
            work, target + whole, address, kind, 2 * (first + whole * step), EVERY, count - whole
        )
        even = load(work, target + whole)
        difference = fr_mul(load(factors, CHALLENGE), fr_sub(pad, even))
        store(work, target + whole, fr_add(even, difference))


@njit(nogil=True, cache=True)
def _load_columns(work, targets, source, rows, first, side, count, pads):
    """Load one side of pairs first ...; rows from `rows` on are `pads`."""
    present = min(count, (rows - side + 1) // 2 - first)
    row, factors = 2 * first + side, source.factors
    for k in range(targets.shape[0]):
        target, address, kind = targets[k], source.places[k, 0], source.places[k, 1]
        if factors.shape[0]:
            pad = load(source.pads, k)
            fold_block(
                work, target, address, kind, row, EVERY_OTHER, present, source.rows, pad, factors
            )
        else:
            load_block(work, target, address, kind, row, EVERY_OTHER, present)
        copy_block(work, target + present, pads, k, SAME, count - present)
    return present


@njit(nogil=True, cache=True)
def _store_rows(out, work, origins, first, side, count):
    rows = out.shape[1]
    for k in range(out.shape[0]):
        place = k * rows + 2 * first + side
        for i in range(count):
            store(out, place + 2 * i, load(work, origins[k] + i))


@njit(nogil=True, cache=True)
def _add_difference(even, odd, begin, end, count):
    """even += odd, slot by slot: from the values at t and the differences to those at t + 1."""
    for slot in range(begin, end, BLOCK):
        for k in range(slot, slot + count):
            store(even, k, fr_add(load(even, k), load(odd, k)))


@njit(nogil=True, cache=True)
def _to_differences(even, odd, begin, end, count):
    for slot in range(begin, end, BLOCK):
        for k in range(slot, slot + count):
            store(odd, k, fr_sub(load(odd, k), load(even, k)))


@njit(nogil=True, cache=True)
def _add_weighted(sums, place, value, weight):
    store(sums, place, fr_add(load(sums, place), fr_mul(value, weight)))


@njit(nogil=True, cache=True)
def _weigh_totals(totals, first, low, offset, count):
    """Sum of reduced total i times low[offset + i]."""
    total = WIDE_ZERO
    for i in range(count):
        total = add_product(total, reduce_wide(load_wide(totals, first + i)), load(low, offset + i))
    return reduce_wide(total)


@njit(nogil=True, cache=True)
def _add_slot(sums, place, work, slot, count):
    total = load(sums, place)
    for i in range(count):
        total = fr_add(total, load(work, slot + i))
    store(sums, place, total)


@njit(nogil=True, cache=True)
def round_sums(start, stop, source, linear, points, full, state, next_pads, out, low, high, wanted):
    """Sums over pairs start .. stop - 1, weighted as in `equality.SplitEquality`.

    The first four places hold the rest's and the helpers' sums over even and over odd rows (those
    of the helpers without weights), then come the values of the low and of the high class at
    0, 1, ...: the low class up to its degree, the high one where `wanted`.
    Operands of this round's rows are written to `out` if it has rows.

    Shape: next_pads uint64[columns, 4], the values of missing rows of this round; out
    uint64[operands, rows, 4]; wanted bool[degree + 1]; result uint64[4 + 2 (degree + 1), 4].
    Assumes: no BLOCK pairs from `start` on cross the end of a low part.
    """
    degree_points = wanted.shape[0]
    rows = source.rows
    if source.factors.shape[0]:
        rows = (rows + 1) // 2
    sums = np.zeros((CLASSES + 2 * degree_points, 4), dtype=np.uint64)
    even, odd = new_work(points.slots, points.scalars), new_work(points.slots, points.scalars)
    columns = new_work(linear.slots, linear.scalars)
    state_slot = linear.targets.shape[0] * BLOCK
    totals = new_totals(_TOTALS)
    for first in range(start, stop, BLOCK):
        count = min(BLOCK, stop - first)
        for side in range(2):
            work, row = odd if side else even, 2 * first + side
            if linear.code.shape[0]:
                present = _load_columns(
                    columns, linear.targets, source, rows, first, side, count, next_pads
                )
                load_state(columns, state_slot, row, EVERY_OTHER, count, full, state)
                run_code(linear.code, columns, totals, count)
                for k in range(points.origins.shape[0]):
                    copy_block(work, points.origins[k], columns, linear.results[k], EVERY, count)
            else:
                present = _load_columns(
                    work, points.origins, source, rows, first, side, count, next_pads
                )
            if out.shape[1]:
                _store_rows(out, work, points.origins, first, side, present)
            load_state(work, FIRST, row, EVERY_OTHER, count, full, state)
            run_code(points.derive, work, totals, count)
            if points.helpers >= 0:
                _add_slot(sums, HELPERS + side, work, points.helpers, count)
        offset, weight = first % low.shape[0], load(high, first // low.shape[0])
        if points.rest >= 0:
            at_0 = dot_block(even, points.rest, low, offset, count)
            at_1 = dot_block(odd, points.rest, low, offset, count)
            _add_weighted(sums, np.int64(REST), at_0, weight)
            _add_weighted(sums, REST + 1, at_1, weight)
        _to_differences(even, odd, points.begin, points.end, count)
        for t in range(degree_points):
            is_low = t <= points.low_degree
            if t:
                end = points.end if is_low else points.end_high
                _add_difference(even, odd, points.begin, end, count)
            if is_low and wanted[t]:
                run_code(points.both, even, totals, count)
            elif is_low:
                run_code(points.low, even, totals, count)
            elif wanted[t]:
                run_code(points.high, even, totals, count)
            if is_low:
                value = _weigh_totals(totals, _LOW, low, offset, count)
                _add_weighted(sums, CLASSES + t, value, weight)
            if wanted[t]:
                value = _weigh_totals(totals, _HIGH, low, offset, count)
                _add_weighted(sums, CLASSES + degree_points + t, value, weight)
    return sums


def warm_round(kernel) -> None:
    """Compile a twin of `round_sums`, or load it from the cache."""
    weights = fr.eq_table([1, 2, 3])
    pairs = len(weights)
    source = Source(np.empty((0, 2), dtype=np.int64), 2 * pairs, fr.zeros(0), fr.zeros(0))
    code = np.empty((0, 6), dtype=np.int64)
    elements = np.empty(0, dtype=np.int64)
    linear = Linear(elements, code, fr.zeros(0), 0, elements)
    points = Points(2, fr.zeros(0), elements, code, code, code, code, 0, 0, 0, -1, -1, -1)
    out, wanted = np.empty((0, 0, 4), dtype=np.uint64), np.zeros(2, dtype=bool)
    state = fr.zeros(3)
    kernel(0, pairs, source, linear, points, 1, state, fr.zeros(0), out, weights, weights, wanted)


def warm() -> None:
    """Compile every kernel of this module, or load it from the cache."""
    rows = bind_rows(fr.from_ints([1, 2, 3, 4]), 5)
    product_values(rows, rows)
    half_sums(rows, SplitEquality.of([7]))
    warm_round(round_sums)
