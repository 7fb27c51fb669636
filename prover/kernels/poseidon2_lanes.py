"""Poseidon2 permutations eight at a time, on lane values: the vector twin of `poseidon2_rows`.

Bounds, in multiples of the modulus (see `lane_sums`): an S-box takes less than 13.2 and gives
less than 3: 13.2 * 13.2 / 84 + 2 < 5, 5 * 5 / 84 + 2 < 3 and 3 * 13.2 / 84 + 2 < 3.
"""

from functools import cache

import numpy as np
from numba import njit

from circuits.field import R
from circuits.poseidon2 import INTERNAL_DIAGONAL, WIDTH
from prover.kernels import poseidon2_rows
from prover.kernels.lane_emission import SHIFT_BITS, limbs52
from prover.kernels.lane_memory import fr_store, get, load_strided, new_work
from prover.kernels.lane_sums import add2, add3, add4, fr_reduction
from prover.kernels.lanes import LANES, fr_mul, fr_to_lane_form, fr_to_stored_form
from prover.kernels.poseidon2_rows import (
    FIRST_HALF_START,
    PARTIAL_START,
    SBOX_COUNT,
    SECOND_HALF_START,
    constants_in_order,
)
from prover.kernels.scalar import load, store

# Groups of the work array behind the round constants: the diagonal, and 1 out of lane form.
_DIAGONAL = SBOX_COUNT
_PLAIN_ONE = SBOX_COUNT + WIDTH


@cache
def numbers() -> tuple[np.ndarray, ...]:
    """The numbers of the twin for its rows, and all of them once more as lane values."""
    work = new_work(_PLAIN_ONE + 1)
    values = [value * 2**SHIFT_BITS % R for value in (*constants_in_order(), *INTERNAL_DIAGONAL)]
    for group, value in enumerate([*values, 1]):
        work[group] = np.array(limbs52(value), dtype=np.uint64)[:, None]
    return *poseidon2_rows.numbers(), work


_below_24, _below_20, _below_12, _below_10 = map(fr_reduction, (24, 20, 12, 10))


@njit(nogil=True, inline="always")
def _fifth_power(a):
    square = fr_mul(a, a)
    return fr_mul(fr_mul(square, square), a)


@njit(nogil=True, inline="always")
def _small(a):
    """Below 12 from below 48."""
    return _below_12(_below_24(a))


@njit(nogil=True, inline="always")
def _twice(a):
    return add2(a, a)


@njit(nogil=True, cache=True)
def _external_linear(a, b, c, d):
    """Below 12 from below 3: the rows of the matrix sum to 16 at most."""
    upper = add2(a, b)
    lower = add2(c, d)
    upper_mixed = add3(b, b, lower)
    lower_mixed = add3(d, d, upper)
    fourth = add2(_twice(_twice(lower)), lower_mixed)
    second = add2(_twice(_twice(upper)), upper_mixed)
    first, third = add2(lower_mixed, second), add2(upper_mixed, fourth)
    return _small(first), _small(second), _small(third), _small(fourth)


@njit(nogil=True, inline="always")
def _keep(cells, place, value, work):
    fr_store(cells, place, fr_mul(value, get(work, _PLAIN_ONE)))


@njit(nogil=True, cache=True)
def _full_rounds(first, a, b, c, d, work, cells, row):
    rows = cells.shape[1]
    for number in range(first, first + PARTIAL_START, WIDTH):
        a = _fifth_power(add2(a, get(work, number)))
        b = _fifth_power(add2(b, get(work, number + 1)))
        c = _fifth_power(add2(c, get(work, number + 2)))
        d = _fifth_power(add2(d, get(work, number + 3)))
        if rows:
            _keep(cells, number * rows + row, a, work)
            _keep(cells, (number + 1) * rows + row, b, work)
            _keep(cells, (number + 2) * rows + row, c, work)
            _keep(cells, (number + 3) * rows + row, d, work)
        a, b, c, d = _external_linear(a, b, c, d)
    return a, b, c, d


@njit(nogil=True, cache=True)
def _permute_eight(i, out, states, work, cells):
    """Rows i .. i + 7."""
    rows = cells.shape[1]
    a, b, c, d = _external_linear(
        fr_to_lane_form(load_strided(states, 4 * i, 4)),
        fr_to_lane_form(load_strided(states, 4 * i + 1, 4)),
        fr_to_lane_form(load_strided(states, 4 * i + 2, 4)),
        fr_to_lane_form(load_strided(states, 4 * i + 3, 4)),
    )
    a, b, c, d = _full_rounds(FIRST_HALF_START, a, b, c, d, work, cells, i)
    for number in range(PARTIAL_START, SECOND_HALF_START):
        a = _fifth_power(add2(a, get(work, number)))
        if rows:
            _keep(cells, number * rows + i, a, work)
        # A lane is below 12 + 1/6, the sum of four hence below 40 and then 10; a product is below
        # 2 + 1/6, as the diagonal is below 1.
        total = _below_10(_below_20(add4(a, b, c, d)))
        a = add2(fr_mul(a, get(work, _DIAGONAL)), total)
        b = add2(fr_mul(b, get(work, _DIAGONAL + 1)), total)
        c = add2(fr_mul(c, get(work, _DIAGONAL + 2)), total)
        d = add2(fr_mul(d, get(work, _DIAGONAL + 3)), total)
    a, b, c, d = _full_rounds(SECOND_HALF_START, a, b, c, d, work, cells, i)
    by_lane = np.empty((WIDTH, LANES, 4), dtype=np.uint64)
    fr_store(by_lane, 0, fr_to_stored_form(a))
    fr_store(by_lane, LANES, fr_to_stored_form(b))
    fr_store(by_lane, 2 * LANES, fr_to_stored_form(c))
    fr_store(by_lane, 3 * LANES, fr_to_stored_form(d))
    for row in range(LANES):
        for lane in range(WIDTH):
            store(out, WIDTH * (i + row) + lane, load(by_lane, LANES * lane + row))


@njit(nogil=True, cache=True)
def permute_rows(start, stop, out, states, numbers, cells):
    """As the twin: out[i] = permuted states[i], and its S-box outputs to cells[:, i]."""
    if stop - start < LANES:
        poseidon2_rows.permute_rows(start, stop, out, states, numbers[:2], cells)
        return
    for i in range(start, stop, LANES):
        # The last eight may begin among those before: rows done twice come out the same.
        _permute_eight(min(i, stop - LANES), out, states, numbers[2], cells)
