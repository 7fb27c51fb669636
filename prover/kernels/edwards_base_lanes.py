"""Multiples of the base point eight at a time: the vector twin of `edwards_base_rows`."""

from functools import cache

import numpy as np
from numba import njit

from prover.kernels import edwards_base_rows
from prover.kernels.aligned import aligned_rows
from prover.kernels.edwards_base_rows import MULTIPLES, WINDOWS
from prover.kernels.edwards_lanes import (
    FROM_ROOT,
    NO_T,
    NOTHING,
    ONE,
    TO_STORED,
    add,
    affine_planes,
    choose,
    constants,
    invert_lanes,
    set_affine,
)
from prover.kernels.lane_memory import WORK_WORDS, fr_store, get, put
from prover.kernels.lanes import LANES, fr_mul
from prover.kernels.scalar import load, store

# Entries of a window of the table here, where digit 0 has one too.
_ENTRIES = MULTIPLES + 1
# Groups of eight rows' points: X, Y, Z, and the product of the Z before. One T serves them all.
_GROUPS = np.int64(4)


@cache
def tables() -> tuple[np.ndarray, ...]:
    """What `multiply_rows` takes last: the table of its twin, its planes, and numbers."""
    table = edwards_base_rows.tables()
    return table, affine_planes(table, int(WINDOWS)), constants()


@njit(nogil=True, cache=True)
def _multiply_eight(work, point, t, digits, first, planes, places, numbers):
    """The products with digits[first] .. digits[first + 7] to the group `point`."""
    set_affine(work, point, t, get(numbers, NOTHING), get(numbers, ONE), numbers)
    for window in range(WINDOWS):
        for lane in range(LANES):
            digit = np.int64(digits[first + lane, window])
            choose(places, lane, planes, window * _ENTRIES + digit, digit)
        add(work, point, t, planes, places, point, t if window < WINDOWS - 1 else NO_T)


@njit(nogil=True, cache=True)
def _store_eight(out, first, x, y):
    """x and y of rows first .. first + 7, from values in stored form."""
    words = np.empty((2 * LANES, 4), dtype=np.uint64)
    fr_store(words, 0, x)
    fr_store(words, LANES, y)
    for lane in range(LANES):
        store(out, 2 * (first + lane), load(words, lane))
        store(out, 2 * (first + lane) + 1, load(words, LANES + lane))


@njit(nogil=True, cache=True)
def multiply_rows(start, stop, out, digits, tables):
    """As the twin: out[i] = x, y of the product with digits[i], by one inversion for all rows."""
    if stop - start < LANES:
        edwards_base_rows.multiply_rows(start, stop, out, digits, tables[0])
        return
    planes, numbers = tables[1], tables[2]
    blocks = (stop - start + LANES - 1) // LANES
    work = aligned_rows(_GROUPS * blocks + 1, WORK_WORDS)
    places = np.empty(4 * LANES, dtype=np.int64)
    running = get(numbers, ONE)
    for block in range(blocks):
        # The last eight may begin among those before: rows done twice come out the same.
        first = min(start + block * LANES, stop - LANES)
        point = _GROUPS * block
        _multiply_eight(work, point, _GROUPS * blocks, digits, first, planes, places, numbers)
        put(work, point + 3, running)
        running = fr_mul(running, get(work, point + 2))
    running = fr_mul(invert_lanes(running), get(numbers, TO_STORED))
    for block in range(blocks - 1, -1, -1):
        first = min(start + block * LANES, stop - LANES)
        point = _GROUPS * block
        depth_inverse = fr_mul(running, get(work, point + 3))
        running = fr_mul(running, get(work, point + 2))
        x = fr_mul(fr_mul(get(work, point), get(numbers, FROM_ROOT)), depth_inverse)
        _store_eight(out, first, x, fr_mul(get(work, point + 1), depth_inverse))
