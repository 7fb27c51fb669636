"""Poseidon2 permutations row by row, on elements as in `scalar`; `poseidon2` is the interface.

The numbers of the instance are arguments of the kernels and are not compiled into them.
"""

from functools import cache
from itertools import chain

import numpy as np
from numba import njit

from circuits.poseidon2 import (
    FULL_ROUND_CONSTANTS,
    FULL_ROUNDS,
    INTERNAL_DIAGONAL,
    PARTIAL_ROUND_CONSTANTS,
    PARTIAL_ROUNDS,
    WIDTH,
)
from prover.kernels import fr
from prover.kernels.scalar import PLAIN_ONE, fr_add, fr_mul, load, store

SBOX_COUNT = FULL_ROUNDS * WIDTH + PARTIAL_ROUNDS
HALF_ROUNDS = FULL_ROUNDS // 2
PARTIAL_START = HALF_ROUNDS * WIDTH
# Where the full rounds start; as variables, see `scalar.FIRST`.
FIRST_HALF_START = np.int64(0)
SECOND_HALF_START = np.int64(PARTIAL_START + PARTIAL_ROUNDS)


def constants_in_order() -> list[int]:
    """The round constant of every S-box, in the order of use."""
    return [
        *chain.from_iterable(FULL_ROUND_CONSTANTS[:HALF_ROUNDS]),
        *PARTIAL_ROUND_CONSTANTS,
        *chain.from_iterable(FULL_ROUND_CONSTANTS[HALF_ROUNDS:]),
    ]


@cache
def numbers() -> tuple[np.ndarray, ...]:
    """Round constants by S-box number and the internal diagonal."""
    return fr.from_ints(constants_in_order()), fr.from_ints(INTERNAL_DIAGONAL)


@njit(nogil=True, inline="always")
def _double(a):
    return fr_add(a, a)


@njit(nogil=True, inline="always")
def _fifth_power(a):
    square = fr_mul(a, a)
    return fr_mul(fr_mul(square, square), a)


@njit(nogil=True, inline="always")
def _external_linear(a, b, c, d):
    """The matrix of full rounds, as `circuits.poseidon2.external_linear` but reduced."""
    upper = fr_add(a, b)
    lower = fr_add(c, d)
    upper_mixed = fr_add(_double(b), lower)
    lower_mixed = fr_add(_double(d), upper)
    fourth = fr_add(_double(_double(lower)), lower_mixed)
    second = fr_add(_double(_double(upper)), upper_mixed)
    return fr_add(lower_mixed, second), second, fr_add(upper_mixed, fourth), fourth


@njit(nogil=True, inline="always")
def _keep(cells, place, value):
    store(cells, place, fr_mul(value, PLAIN_ONE))


@njit(nogil=True, cache=True)
def _full_rounds(first, a, b, c, d, constants, cells, row):
    """Four full rounds whose S-boxes are numbers first..first + 15."""
    rows = cells.shape[1]
    for number in range(first, first + PARTIAL_START, WIDTH):
        a = _fifth_power(fr_add(a, load(constants, number)))
        b = _fifth_power(fr_add(b, load(constants, number + 1)))
        c = _fifth_power(fr_add(c, load(constants, number + 2)))
        d = _fifth_power(fr_add(d, load(constants, number + 3)))
        if rows:
            _keep(cells, number * rows + row, a)
            _keep(cells, (number + 1) * rows + row, b)
            _keep(cells, (number + 2) * rows + row, c)
            _keep(cells, (number + 3) * rows + row, d)
        a, b, c, d = _external_linear(a, b, c, d)
    return a, b, c, d


@njit(nogil=True, cache=True)
def permute_rows(start, stop, out, states, numbers, cells):
    """out[i] = permuted states[i], and its S-box outputs to cells[:, i] if `cells` has rows."""
    constants, diagonal = numbers[0], numbers[1]
    rows = cells.shape[1]
    diagonal_a, diagonal_b = load(diagonal, 0), load(diagonal, 1)
    diagonal_c, diagonal_d = load(diagonal, 2), load(diagonal, 3)
    for i in range(start, stop):
        a, b, c, d = _external_linear(
            load(states, 4 * i),
            load(states, 4 * i + 1),
            load(states, 4 * i + 2),
            load(states, 4 * i + 3),
        )
        a, b, c, d = _full_rounds(FIRST_HALF_START, a, b, c, d, constants, cells, i)
        for number in range(PARTIAL_START, SECOND_HALF_START):
            a = _fifth_power(fr_add(a, load(constants, number)))
            if rows:
                _keep(cells, number * rows + i, a)
            total = fr_add(fr_add(b, c), fr_add(a, d))
            a = fr_add(fr_mul(a, diagonal_a), total)
            b = fr_add(fr_mul(b, diagonal_b), total)
            c = fr_add(fr_mul(c, diagonal_c), total)
            d = fr_add(fr_mul(d, diagonal_d), total)
        a, b, c, d = _full_rounds(SECOND_HALF_START, a, b, c, d, constants, cells, i)
        store(out, 4 * i, a)
        store(out, 4 * i + 1, b)
        store(out, 4 * i + 2, c)
        store(out, 4 * i + 3, d)
