"""The helper columns of `logup` on eight rows at once."""

import numpy as np
from numba import njit

from prover.kernels import logup_rows
from prover.kernels.aligned import aligned_rows
from prover.kernels.lane_memory import WORK_WORDS, fr_store, get, load, put
from prover.kernels.lane_wide import new_totals
from prover.kernels.lanes import (
    LANES,
    fr_add,
    fr_mul,
    fr_to_lane_form,
    fr_to_plain,
    fr_to_stored_form,
    fr_zero_lanes,
    select,
)
from prover.kernels.program import BLOCK
from prover.kernels.scalar import FR_ONE, fr_inverse, is_zero, store
from prover.kernels.scalar import fr_mul as mul_one
from prover.kernels.scalar import load as load_element
from prover.kernels.tape_lanes import GROUPS, grouped, load_row_groups, new_work, run_groups


def helper_rows(start, stop, out, places, program, full, state, group_ends):
    """As `logup_rows.helper_rows`, which takes the rows that do not fill the lanes."""
    whole = stop - (stop - start) % LANES
    arguments = (out, places, program, full, state, group_ends)
    return logup_rows.helper_rows(whole, stop, *arguments) and _helper_groups(
        start, whole, *arguments
    )


@njit(nogil=True, cache=True)
def _helper_groups(start, whole, out, places, program, full, state, group_ends):
    interactions = group_ends[-1] if group_ends.shape[0] else 0
    result = program.results[0] // LANES if interactions else 0
    numerators = result + interactions * GROUPS
    rows = out.shape[1]
    code = grouped(program.code, program.slots)
    work = new_work(program.slots, program.scalars)
    totals = new_totals(program.totals * GROUPS)
    scratch = np.empty((2 * BLOCK, 4), dtype=np.uint64)
    prefix = aligned_rows(max(interactions, 1) * GROUPS, WORK_WORDS)
    for first in range(start, whole, BLOCK):
        groups = min(GROUPS, (whole - first) // LANES)
        load_row_groups(work, scratch, places, first, groups, full, state)
        run_groups(code, work, totals, groups)
        if not _divide(work, result, numerators, interactions, groups, prefix, scratch):
            return False
        begin = 0
        for group in range(group_ends.shape[0]):
            for g in range(groups):
                total = get(work, result + begin * GROUPS + g)
                for j in range(begin + 1, group_ends[group]):
                    total = fr_add(total, get(work, result + j * GROUPS + g))
                fr_store(out, group * rows + first + g * LANES, fr_to_plain(total))
            begin = group_ends[group]
    return True


@njit(nogil=True, cache=True)
def _divide(work, denominators, numerators, interactions, groups, prefix, scratch):
    """Replace denominators by numerator / denominator, with one inversion for all of them.

    Where the numerator is zero a one takes the denominator's place. False if another is zero.
    """
    for lane in range(LANES):
        store(scratch, lane, FR_ONE)
    one = fr_to_lane_form(load(scratch, 0))
    running = one
    for j in range(interactions):
        for g in range(j * GROUPS, j * GROUPS + groups):
            is_idle = fr_zero_lanes(get(work, numerators + g))
            if is_idle:
                put(work, denominators + g, select(is_idle, one, get(work, denominators + g)))
            put(prefix, g, running)
            running = fr_mul(running, get(work, denominators + g))
    fr_store(scratch, 0, fr_to_stored_form(running))
    if not _invert_lanes(scratch):
        return False
    running = fr_to_lane_form(load(scratch, 0))
    for j in range(interactions - 1, -1, -1):
        for g in range(j * GROUPS + groups - 1, j * GROUPS - 1, -1):
            inverse = fr_mul(running, get(prefix, g))
            running = fr_mul(running, get(work, denominators + g))
            put(work, denominators + g, fr_mul(get(work, numerators + g), inverse))
    return True


@njit(nogil=True, cache=True)
def _invert_lanes(rows):
    """Invert the first LANES elements with one inversion; False if one is zero."""
    running = FR_ONE
    for lane in range(LANES):
        store(rows, LANES + lane, running)
        running = mul_one(running, load_element(rows, lane))
    if is_zero(running):
        return False
    running = fr_inverse(running)
    for lane in range(LANES - 1, -1, -1):
        value = load_element(rows, lane)
        store(rows, lane, mul_one(running, load_element(rows, LANES + lane)))
        running = mul_one(running, value)
    return True
