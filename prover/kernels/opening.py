"""Quotients of the opening (protocol 3.5) without intermediate polynomials.

A quotient's coefficients come from the highest down, each from the one before, so a range of them
needs the state above it. Such a state is a value of the higher coefficients at the divisor's
root: with several threads these are computed first, range by range, and joined.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from circuits.field import R
from prover.kernels import fr
from prover.kernels.cells import MONTGOMERY, place_of, read_limbs
from prover.kernels.parallel import row_ranges, run_jobs, threads
from prover.kernels.scalar import FIRST, ZERO, fr_add, fr_mul, load, store
from prover.kernels.wide import (
    WIDE_LIMBS,
    WIDE_ZERO,
    add_product,
    clear_block,
    load_wide,
    reduce_block,
    reduce_wide,
    store_wide,
)

# Coefficients whose wide sums stay in the first-level cache.
_STEP = 256
# Fewer coefficients than this are not worth a second thread.
_COEFFICIENTS_MIN = 1 << 12
# Low ranges lie in more polynomials than high ones: cut finer than the threads.
_RANGES_PER_THREAD = 4


@dataclass(frozen=True, slots=True)
class DividedPair:
    """plus * (f - f(root)) / (X - root) + minus * (f - f(-root)) / (X + root).

    Shape: f uint64[n, 4], elements, low coefficient first.
    """

    f: np.ndarray
    root: int
    plus: int
    minus: int


def divide_pairs(pairs: Sequence[DividedPair], length: int) -> np.ndarray:
    """The sum of all pairs, with `length` coefficients.

    With s = root^2 and E_j = f_{j+1} + s E_{j+2}, coefficient j of the two quotients is
    E_j +- root E_{j+1}: one recurrence serves both.

    Assumes: no f has more than `length` coefficients. Cost: 2 products a coefficient.
    """
    out = np.empty((length, 4), dtype=np.uint64)
    # Even ranges, so that a state is shifted by a whole power of s.
    ranges = [(2 * start, 2 * stop) for start, stop in _ranges((length + 1) // 2)]
    squares = [pair.root**2 % R for pair in pairs]
    borders: list[list[int]] = [[] for _ in ranges]
    for pair, s in zip(pairs, squares, strict=True):
        parts = [
            _values_in_ranges(pair.f, s, 2, [(start + side, stop + side) for start, stop in ranges])
            for side in (1, 2)
        ]
        even = odd = 0
        for place, (start, stop) in reversed(list(enumerate(ranges))):
            borders[place] += even, odd
            shift = pow(s, (stop - start) // 2, R)
            even, odd = (
                (p[place] + x * shift) % R for p, x in zip(parts, (even, odd), strict=True)
            )
    factors = fr.from_ints(
        factor
        for pair, s in zip(pairs, squares, strict=True)
        for factor in (s, (pair.plus + pair.minus) % R, (pair.plus - pair.minus) * pair.root % R)
    )
    spans = _spans([pair.f for pair in pairs])
    jobs = [
        (start, min(stop, length), out, spans, factors, fr.from_ints(border))
        for (start, stop), border in zip(ranges, borders, strict=True)
    ]
    run_jobs(_pair_rows, jobs)
    return out


def divide_sum(terms: Iterable[tuple[int, np.ndarray]], root: int) -> np.ndarray:
    """(g - g(root)) / (X - root) for g = sum of weight * polynomial.

    Shape: polynomials uint64[n, 4] of any length -> uint64[longest - 1, 4].
    Cost: a product a coefficient, and half a product for each polynomial that reaches it.
    """
    taken = list(terms)
    polynomials = [polynomial for _, polynomial in taken]
    length = max(len(polynomial) for polynomial in polynomials) - 1
    out = np.empty((length, 4), dtype=np.uint64)
    ranges = _ranges(length)
    sums = [0] * len(ranges)
    for weight, polynomial in taken:
        shifted = [(start + 1, stop + 1) for start, stop in ranges]
        for place, value in enumerate(_values_in_ranges(polynomial, root, 1, shifted)):
            sums[place] += weight * value
    borders, state = [0] * len(ranges), 0
    for place, (start, stop) in reversed(list(enumerate(ranges))):
        borders[place] = state
        state = (sums[place] + state * pow(root, stop - start, R)) % R
    spans, weights = _spans(polynomials), fr.from_ints(weight for weight, _ in taken)
    jobs = [
        (start, stop, out, spans, weights, fr.from_ints([root, border]))
        for (start, stop), border in zip(ranges, borders, strict=True)
    ]
    run_jobs(_sum_rows, jobs)
    return out


def _ranges(count: int) -> list[tuple[int, int]]:
    parts = _RANGES_PER_THREAD * threads() if threads() > 1 and count >= _COEFFICIENTS_MIN else 1
    return row_ranges(count, parts) if count else []


def _spans(polynomials: Sequence[np.ndarray]) -> np.ndarray:
    """Address and length of each. Shape: int64[polynomials, 2]."""
    spans = [(place_of(each, MONTGOMERY)[0], len(each)) for each in polynomials]
    return np.array(spans, dtype=np.int64).reshape(-1, 2)


def _values_in_ranges(
    f: np.ndarray, x: int, stride: int, ranges: Sequence[tuple[int, int]]
) -> list[int]:
    """sum_k f[start + k stride] x^k for start + k stride < stop, by range.

    The lowest range is left out as zero: nothing lies below it.
    """
    inside = [(start, min(stop, len(f))) for start, stop in ranges[1:] if start < len(f)]
    if not inside:
        return [0] * len(ranges)
    powers, jump = fr.powers(x, _STEP), fr.constant(pow(x, _STEP, R))
    jobs = [(start, stop, f, stride, powers, jump) for start, stop in inside]
    found = np.array(run_jobs(_value, jobs), dtype=np.uint64)
    return [0, *fr.to_ints(found), *[0] * (len(ranges) - 1 - len(inside))]


@njit(nogil=True, cache=True)
def _value(start, stop, f, stride, powers, jump):
    step, factor = stride * powers.shape[0], load(jump, 0)
    running = ZERO
    blocks = (stop - start + step - 1) // step
    for block in range(blocks - 1, -1, -1):
        first = start + block * step
        total = WIDE_ZERO
        for k in range((min(step, stop - first) + stride - 1) // stride):
            total = add_product(total, load(f, first + k * stride), load(powers, k))
        running = fr_add(reduce_wide(total), fr_mul(running, factor))
    return running


@njit(nogil=True, cache=True)
def _pair_rows(start, stop, out, spans, factors, borders):
    """Rows of `divide_pairs`; `borders` holds E_stop and E_{stop+1} of every polynomial."""
    states = borders.copy()
    totals = np.empty((_STEP, WIDE_LIMBS), dtype=np.uint64)
    values = np.empty((_STEP + 2, 4), dtype=np.uint64)
    top = stop
    while top > start:
        first = max(start, top - _STEP)
        count = top - first
        clear_block(totals, FIRST, count)
        for p in range(spans.shape[0]):
            address, length = spans[p, 0], spans[p, 1]
            # Where f_{j+1} and all above are missing the states are zero.
            if first + 1 < length:
                square = load(factors, 3 * p)
                same, crossed = load(factors, 3 * p + 1), load(factors, 3 * p + 2)
                store(values, count, load(states, 2 * p))
                store(values, count + 1, load(states, 2 * p + 1))
                for j in range(count - 1, -1, -1):
                    row = first + j + 1
                    own = read_limbs(address, row) if row < length else ZERO
                    store(values, j, fr_add(own, fr_mul(square, load(values, j + 2))))
                for j in range(count):
                    total = add_product(load_wide(totals, j), same, load(values, j))
                    store_wide(totals, j, add_product(total, crossed, load(values, j + 1)))
                store(states, 2 * p, load(values, 0))
                store(states, 2 * p + 1, load(values, 1))
        reduce_block(out, first, totals, FIRST, count)
        top = first


@njit(nogil=True, cache=True)
def _sum_rows(start, stop, out, spans, weights, root_and_border):
    """Rows of `divide_sum`; the border is row `stop`."""
    root, running = load(root_and_border, 0), load(root_and_border, 1)
    totals = np.empty((_STEP, WIDE_LIMBS), dtype=np.uint64)
    top = stop
    while top > start:
        first = max(start, top - _STEP)
        count = top - first
        clear_block(totals, FIRST, count)
        for p in range(spans.shape[0]):
            address, weight = spans[p, 0], load(weights, p)
            for j in range(min(count, spans[p, 1] - first - 1)):
                cell = read_limbs(address, first + j + 1)
                store_wide(totals, j, add_product(load_wide(totals, j), weight, cell))
        reduce_block(out, first, totals, FIRST, count)
        for row in range(top - 1, first - 1, -1):
            running = fr_add(load(out, row), fr_mul(root, running))
            store(out, row, running)
        top = first


def warm() -> None:
    """Compile every kernel of this module, or load it from the cache."""
    f = fr.from_ints([1, 2, 3])
    divide_pairs([DividedPair(f, 2, 3, 4)], 3)
    divide_sum([(1, f)], 2)
    _value(0, 3, f, 1, f, f)
