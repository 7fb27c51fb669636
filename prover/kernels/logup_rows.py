"""Kernels of the helper columns; `logup` is the interface to them."""

import numpy as np
from numba import njit

from prover.kernels.program import BLOCK
from prover.kernels.scalar import (
    FR_ONE,
    PLAIN_ONE,
    ZERO,
    fr_add,
    fr_inverse,
    fr_mul,
    is_zero,
    load,
    store,
)
from prover.kernels.tape import load_rows, new_totals, new_work, run_code


@njit(nogil=True, cache=True)
def helper_rows(start, stop, out, places, program, full, state, group_ends):
    """Write rows start .. stop - 1 of the helper columns; False if a fingerprint is zero."""
    interactions = group_ends[-1] if group_ends.shape[0] else 0
    # Results lie in consecutive slots.
    result = program.results[0] if interactions else 0
    numerators = result + interactions * BLOCK
    rows = out.shape[1]
    work, totals = new_work(program.slots, program.scalars), new_totals(program.totals)
    prefix = np.empty((max(interactions, 1) * BLOCK, 4), dtype=np.uint64)
    for first in range(start, stop, BLOCK):
        count = min(BLOCK, stop - first)
        load_rows(work, places, first, count, full, state)
        run_code(program.code, work, totals, count)
        if not _divide(work, result, numerators, interactions, count, prefix):
            return False
        begin = 0
        for group in range(group_ends.shape[0]):
            for i in range(count):
                total = ZERO
                for j in range(begin, group_ends[group]):
                    total = fr_add(total, load(work, result + j * BLOCK + i))
                store(out, group * rows + first + i, fr_mul(total, PLAIN_ONE))
            begin = group_ends[group]
    return True


@njit(nogil=True, cache=True)
def _divide(work, denominators, numerators, interactions, count, prefix):
    """Replace denominators by numerator / denominator with one inversion for all of them.

    Where the numerator is zero the denominator is not looked at. False if another one is zero.
    """
    running = FR_ONE
    for j in range(interactions):
        for i in range(j * BLOCK, j * BLOCK + count):
            if not is_zero(load(work, numerators + i)):
                store(prefix, i, running)
                running = fr_mul(running, load(work, denominators + i))
    if is_zero(running):
        return False
    running = fr_inverse(running)
    for j in range(interactions - 1, -1, -1):
        for i in range(j * BLOCK + count - 1, j * BLOCK - 1, -1):
            numerator = load(work, numerators + i)
            if is_zero(numerator):
                store(work, denominators + i, ZERO)
            else:
                inverse = fr_mul(running, load(prefix, i))
                running = fr_mul(running, load(work, denominators + i))
                store(work, denominators + i, fr_mul(numerator, inverse))
    return True
