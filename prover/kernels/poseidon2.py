"""Many Poseidon2 permutations at once, on compiled field arithmetic.

A state is four elements as in `scalar`: canonical Montgomery limbs. The numbers of the instance
come from `circuits.poseidon2` as arguments of the kernels and are not compiled into them.
"""

from collections.abc import Sequence
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
    Lanes,
)
from prover.kernels import fr
from prover.kernels.parallel import run_rows
from prover.kernels.scalar import fr_add, fr_mul, load, store

SBOX_COUNT = FULL_ROUNDS * WIDTH + PARTIAL_ROUNDS
_HALF = FULL_ROUNDS // 2
_SECOND_HALF_START = _HALF * WIDTH + PARTIAL_ROUNDS
# A hundred permutations take about a millisecond, far more than the hand-over to a thread.
_ROWS_MIN = 100


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


@njit(nogil=True, cache=True)
def _full_rounds(first, a, b, c, d, constants, sbox, rows, row):
    """Four full rounds whose S-boxes are numbers first..first + 15."""
    for number in range(first, first + 4 * _HALF, 4):
        a = _fifth_power(fr_add(a, load(constants, number)))
        b = _fifth_power(fr_add(b, load(constants, number + 1)))
        c = _fifth_power(fr_add(c, load(constants, number + 2)))
        d = _fifth_power(fr_add(d, load(constants, number + 3)))
        store(sbox, number * rows + row, a)
        store(sbox, (number + 1) * rows + row, b)
        store(sbox, (number + 2) * rows + row, c)
        store(sbox, (number + 3) * rows + row, d)
        a, b, c, d = _external_linear(a, b, c, d)
    return a, b, c, d


@njit(nogil=True, cache=True)
def _permute(out, states, i, constants, diagonal, sbox, rows, row):
    """out[i] = permuted states[i]; S-box output k goes to element k * rows + row of `sbox`."""
    a, b, c, d = _external_linear(
        load(states, 4 * i),
        load(states, 4 * i + 1),
        load(states, 4 * i + 2),
        load(states, 4 * i + 3),
    )
    a, b, c, d = _full_rounds(0, a, b, c, d, constants, sbox, rows, row)
    diagonal_a, diagonal_b = load(diagonal, 0), load(diagonal, 1)
    diagonal_c, diagonal_d = load(diagonal, 2), load(diagonal, 3)
    for number in range(4 * _HALF, _SECOND_HALF_START):
        a = _fifth_power(fr_add(a, load(constants, number)))
        store(sbox, number * rows + row, a)
        total = fr_add(fr_add(b, c), fr_add(a, d))
        a = fr_add(fr_mul(a, diagonal_a), total)
        b = fr_add(fr_mul(b, diagonal_b), total)
        c = fr_add(fr_mul(c, diagonal_c), total)
        d = fr_add(fr_mul(d, diagonal_d), total)
    a, b, c, d = _full_rounds(_SECOND_HALF_START, a, b, c, d, constants, sbox, rows, row)
    store(out, 4 * i, a)
    store(out, 4 * i + 1, b)
    store(out, 4 * i + 2, c)
    store(out, 4 * i + 3, d)


@njit(nogil=True, cache=True)
def _permute_rows(start, stop, out, states, constants, diagonal):
    scratch = np.empty((constants.shape[0], 4), dtype=np.uint64)
    for i in range(start, stop):
        _permute(out, states, i, constants, diagonal, scratch, 1, 0)


@njit(nogil=True, cache=True)
def _trace_rows(start, stop, out, states, constants, diagonal, sbox):
    for i in range(start, stop):
        _permute(out, states, i, constants, diagonal, sbox, sbox.shape[1], i)


@cache
def _numbers() -> tuple[np.ndarray, np.ndarray]:
    """Round constants by S-box number and the internal diagonal."""
    constants = (
        *chain.from_iterable(FULL_ROUND_CONSTANTS[:_HALF]),
        *PARTIAL_ROUND_CONSTANTS,
        *chain.from_iterable(FULL_ROUND_CONSTANTS[_HALF:]),
    )
    return fr.from_ints(constants), fr.from_ints(INTERNAL_DIAGONAL)


def permute(states: np.ndarray) -> np.ndarray:
    """Permute every state.

    Shape: uint64[n, 4, 4] of states, lanes and limbs; so is the result.
    Cost: 488 multiplications a state, about 13 microseconds on one thread.
    """
    out = np.empty_like(_states(states))
    run_rows(_permute_rows, len(states), out, states, *_numbers(), rows_min=_ROWS_MIN)
    return out


def trace(states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Permute every state and keep what each S-box put out, in the order of use.

    Shape: states and permuted states uint64[n, 4, 4]; S-box outputs uint64[88, n, 4].
    """
    out = np.empty_like(_states(states))
    sbox = np.empty((SBOX_COUNT, len(states), 4), dtype=np.uint64)
    run_rows(_trace_rows, len(states), out, states, *_numbers(), sbox, rows_min=_ROWS_MIN)
    return out, sbox


def from_lanes(states: Sequence[Lanes]) -> np.ndarray:
    """States of integers in [0, r) as uint64[n, 4, 4]. Raises: ValueError outside."""
    return fr.from_ints(chain.from_iterable(states)).reshape(-1, WIDTH, 4)


def to_lanes(states: np.ndarray) -> list[Lanes]:
    """The states uint64[n, 4, 4] as integers in [0, r)."""
    lanes = iter(fr.to_ints(_states(states).reshape(-1, 4)))
    return list(zip(lanes, lanes, lanes, lanes, strict=True))


def permute_many(states: Sequence[Lanes]) -> list[Lanes]:
    """`circuits.poseidon2.permute` of every state, which must be canonical.

    Raises: ValueError for a lane that is not in [0, r).
    Cost: about 3 microseconds a state to convert, beside the permutation.
    """
    return to_lanes(permute(from_lanes(states)))


def warm() -> None:
    """Compile every kernel of this module, or load it from the cache."""
    trace(permute(from_lanes([(0, 1, 2, 3)])))


def _states(states: np.ndarray) -> np.ndarray:
    if states.dtype != np.uint64 or states.shape[1:] != (WIDTH, 4) or not states.flags.c_contiguous:
        raise TypeError(
            f"expected a C-contiguous uint64 array [n, 4, 4], "
            f"got {states.dtype} {list(states.shape)}"
        )
    return states
