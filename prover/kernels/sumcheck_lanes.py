"""A round of the first sumcheck on eight pairs of rows at once: the vector twin of `round_sums`."""

import numpy as np
from numba import njit

from prover.kernels import sumcheck
from prover.kernels.aligned import zero_rows
from prover.kernels.choice import KERNELS, Kernels
from prover.kernels.lane_cells import fold_groups, load_groups
from prover.kernels.lane_memory import (
    WORK_WORDS,
    fr_store_strided,
    get,
    load,
    load_one,
    put,
    sum_lanes,
)
from prover.kernels.lane_wide import new_totals, read_total
from prover.kernels.lanes import LANES, fr_add, fr_mul, fr_sub, fr_to_lane_form, fr_to_stored_form
from prover.kernels.program import BLOCK
from prover.kernels.scalar import EVERY_OTHER, FIRST, FR_ONE, store
from prover.kernels.scalar import fr_add as add_one
from prover.kernels.scalar import fr_sub as sub_one
from prover.kernels.scalar import load as load_element
from prover.kernels.sumcheck import CHALLENGE, CLASSES, HELPERS, REST
from prover.kernels.tape_lanes import GROUPS, grouped, load_state_groups, new_work, run_groups

# Where the totals of terms of low degree and of the others start.
_LOW, _HIGH = np.int64(GROUPS), np.int64(2 * GROUPS)


@njit(nogil=True, cache=True)
def _fold_weights(factors):
    """1 - challenge and challenge, in lane form."""
    pair = np.empty((2, 4), dtype=np.uint64)
    challenge = load_element(factors, CHALLENGE)
    store(pair, 0, sub_one(FR_ONE, challenge))
    store(pair, 1, challenge)
    return fr_to_lane_form(load_one(pair, 0)), fr_to_lane_form(load_one(pair, 1))


@njit(nogil=True, cache=True)
def _load_columns(work, targets, source, first, side, groups, even_weight, odd_weight):
    """Load one side of the pairs first ... of every column."""
    row = 2 * first + side
    for k in range(targets.shape[0]):
        target, address, kind = targets[k], source.places[k, 0], source.places[k, 1]
        if source.factors.shape[0]:
            fold_groups(
                work, target, address, kind, row, EVERY_OTHER, groups, even_weight, odd_weight
            )
        else:
            load_groups(work, target, address, kind, row, EVERY_OTHER, groups)


@njit(nogil=True, cache=True)
def _store_rows(out, work, origins, first, side, groups):
    rows = out.shape[1]
    for k in range(out.shape[0]):
        for g in range(groups):
            place = k * rows + 2 * (first + g * LANES) + side
            fr_store_strided(out, place, 2, fr_to_stored_form(get(work, origins[k] + g)))


@njit(nogil=True, cache=True)
def _weigh_slot(sums, place, work, slot, low, offset, weight, groups):
    """Add weight times the sum of the slot's rows times low[offset ...], in stored form."""
    total = fr_mul(get(work, slot), load(low, offset))
    for g in range(1, groups):
        total = fr_add(total, fr_mul(get(work, slot + g), load(low, offset + g * LANES)))
    put(sums, place, fr_add(get(sums, place), fr_mul(total, weight)))


@njit(nogil=True, cache=True)
def _weigh_totals(sums, place, totals, first, low, offset, weight, groups):
    """The same for totals."""
    total = fr_mul(read_total(totals, first), load(low, offset))
    for g in range(1, groups):
        value = fr_mul(read_total(totals, first + g), load(low, offset + g * LANES))
        total = fr_add(total, value)
    put(sums, place, fr_add(get(sums, place), fr_mul(total, weight)))


@njit(nogil=True, cache=True)
def _add_slot(sums, place, work, slot, groups):
    total = get(sums, place)
    for g in range(groups):
        total = fr_add(total, get(work, slot + g))
    put(sums, place, total)


@njit(nogil=True, cache=True)
def _add_difference(even, odd, begin, end, groups):
    """even += odd, slot by slot."""
    for slot in range(begin, end, GROUPS):
        for k in range(slot, slot + groups):
            put(even, k, fr_add(get(even, k), get(odd, k)))


@njit(nogil=True, cache=True)
def _to_differences(even, odd, begin, end, groups):
    for slot in range(begin, end, GROUPS):
        for k in range(slot, slot + groups):
            put(odd, k, fr_sub(get(odd, k), get(even, k)))


def round_sums(start, stop, source, linear, points, full, state, next_pads, out, low, high, wanted):
    """As `sumcheck.round_sums`, word for word.

    Pairs that do not fill the lanes, or lack a row, are left to it; a call from here rather than
    from compiled code, so that its code is not compiled again into this one's.
    """
    complete = source.rows // 4 if source.factors.shape[0] else source.rows // 2
    whole = start + max(min(stop, complete) - start, 0) // LANES * LANES
    sums = sumcheck.round_sums(
        whole, stop, source, linear, points, full, state, next_pads, out, low, high, wanted
    )
    if whole > start:
        _add_groups(sums, start, whole, source, linear, points, full, state, out, low, high, wanted)
    return sums


@njit(nogil=True, cache=True)
def _add_groups(result, start, whole, source, linear, points, full, state, out, low, high, wanted):
    """Add the sums over pairs start .. whole - 1 to `result`."""
    degree_points = wanted.shape[0]
    sums = zero_rows(result.shape[0], WORK_WORDS)
    even, odd = new_work(points.slots, points.scalars), new_work(points.slots, points.scalars)
    columns = new_work(linear.slots, linear.scalars)
    column_targets = linear.targets // LANES
    origins = points.origins // LANES
    made = linear.results // LANES
    linear_code = grouped(linear.code, linear.slots)
    derive, both = grouped(points.derive, points.slots), grouped(points.both, points.slots)
    low_code, high_code = grouped(points.low, points.slots), grouped(points.high, points.slots)
    begin, end, end_high = points.begin // LANES, points.end // LANES, points.end_high // LANES
    totals = new_totals(3 * GROUPS)
    scratch = np.empty((2 * BLOCK, 4), dtype=np.uint64)
    even_weight = odd_weight = get(sums, 0)
    if source.factors.shape[0]:
        even_weight, odd_weight = _fold_weights(source.factors)
    for first in range(start, whole, BLOCK):
        groups = min(GROUPS, (whole - first) // LANES)
        for side in range(2):
            work = odd if side else even
            row = 2 * first + side
            if linear_code.shape[0]:
                _load_columns(
                    columns, column_targets, source, first, side, groups, even_weight, odd_weight
                )
                place = column_targets.shape[0] * GROUPS
                load_state_groups(columns, place, scratch, row, EVERY_OTHER, groups, full, state)
                run_groups(linear_code, columns, totals, groups)
                for k in range(origins.shape[0]):
                    for g in range(groups):
                        put(work, origins[k] + g, get(columns, made[k] + g))
            else:
                _load_columns(work, origins, source, first, side, groups, even_weight, odd_weight)
            if out.shape[1]:
                _store_rows(out, work, origins, first, side, groups)
            load_state_groups(work, FIRST, scratch, row, EVERY_OTHER, groups, full, state)
            run_groups(derive, work, totals, groups)
            if points.helpers >= 0:
                _add_slot(sums, HELPERS + side, work, points.helpers // LANES, groups)
        offset, weight = (
            first % low.shape[0],
            fr_to_lane_form(load_one(high, first // low.shape[0])),
        )
        if points.rest >= 0:
            slot = points.rest // LANES
            _weigh_slot(sums, np.int64(REST), even, slot, low, offset, weight, groups)
            _weigh_slot(sums, REST + 1, odd, slot, low, offset, weight, groups)
        _to_differences(even, odd, begin, end, groups)
        for t in range(degree_points):
            is_low = t <= points.low_degree
            if t:
                _add_difference(even, odd, begin, end if is_low else end_high, groups)
            if is_low and wanted[t]:
                run_groups(both, even, totals, groups)
            elif is_low:
                run_groups(low_code, even, totals, groups)
            elif wanted[t]:
                run_groups(high_code, even, totals, groups)
            if is_low:
                _weigh_totals(sums, CLASSES + t, totals, _LOW, low, offset, weight, groups)
            if wanted[t]:
                place = CLASSES + degree_points + t
                _weigh_totals(sums, place, totals, _HIGH, low, offset, weight, groups)
    for place in range(result.shape[0]):
        total = get(sums, place)
        if HELPERS <= place < HELPERS + 2:
            total = fr_to_stored_form(total)
        store(result, place, add_one(load_element(result, place), sum_lanes(total)))


def warm() -> None:
    """Compile the kernels of both twins that this process uses, or load them from the cache."""
    sumcheck.warm()
    if KERNELS is not Kernels.SCALAR:
        sumcheck.warm_round(round_sums)
