"""The interpreter of `tape` on eight rows at once.

Work memory holds lane values in lane form: GROUPS of them a slot, then one for every scalar, with
the scalar in all lanes. Programs are those of `program`; `grouped` turns their element numbers
into group numbers.
"""

from numba import njit

from prover.kernels.aligned import zero_rows
from prover.kernels.lane_cells import load_groups
from prover.kernels.lane_memory import WORK_WORDS, get, load, load_one, put
from prover.kernels.lane_wide import add_product, clear_totals, read_total
from prover.kernels.lanes import LANES, fr_add, fr_mul, fr_sub, fr_to_lane_form
from prover.kernels.program import ADD, BLOCK, CLEAR, DOT, MUL, REDUCE, SUB
from prover.kernels.scalar import EVERY, FIRST
from prover.kernels.tape import load_state

GROUPS = BLOCK // LANES


@njit(nogil=True, cache=True)
def grouped(code, slots):
    """The same instructions over groups: scalars lie behind `slots` slots."""
    out = code.copy()
    base = slots * BLOCK
    for k in range(code.shape[0]):
        out[k, 1] = code[k, 1] // LANES
        for side in (2, 4):
            operand = code[k, side]
            if operand >= base:
                out[k, side] = slots * GROUPS + operand - base
            else:
                out[k, side] = operand // LANES
    return out


@njit(nogil=True, cache=True)
def run_groups(code, work, totals, groups):
    """Run all instructions of a `grouped` program over the first groups of every slot."""
    for k in range(code.shape[0]):
        op, target = code[k, 0], code[k, 1]
        left, left_stride, right, right_stride = code[k, 2], code[k, 3], code[k, 4], code[k, 5]
        if op == MUL:
            for g in range(groups):
                a, b = get(work, left + g * left_stride), get(work, right + g * right_stride)
                put(work, target + g, fr_mul(a, b))
        elif op == DOT:
            for g in range(groups):
                a, b = get(work, left + g * left_stride), get(work, right + g * right_stride)
                add_product(totals, target + g, a, b)
        elif op == ADD:
            for g in range(groups):
                a, b = get(work, left + g * left_stride), get(work, right + g * right_stride)
                put(work, target + g, fr_add(a, b))
        elif op == SUB:
            for g in range(groups):
                a, b = get(work, left + g * left_stride), get(work, right + g * right_stride)
                put(work, target + g, fr_sub(a, b))
        elif op == CLEAR:
            clear_totals(totals, target, groups)
        elif op == REDUCE:
            for g in range(groups):
                put(work, target + g, read_total(totals, left + g))
        else:
            for g in range(groups):
                put(work, target + g, get(work, left + g * left_stride))


@njit(nogil=True, cache=True)
def new_work(slots, scalars):
    """Return work memory for one block, with the scalars in place."""
    work = zero_rows(slots * GROUPS + scalars.shape[0], WORK_WORDS)
    for k in range(scalars.shape[0]):
        put(work, slots * GROUPS + k, fr_to_lane_form(load_one(scalars, k)))
    return work


@njit(nogil=True, cache=True)
def load_state_groups(work, target, rows, first, step, groups, full, state):
    """Fill the slots ROW (at target) and ACTIVE (behind it) for rows first, first + step, ...

    Shape: rows uint64[2 * BLOCK, 4], scratch memory.
    """
    load_state(rows, FIRST, first, step, groups * LANES, full, state)
    for g in range(groups):
        put(work, target + g, fr_to_lane_form(load(rows, g * LANES)))
        put(work, target + GROUPS + g, fr_to_lane_form(load(rows, BLOCK + g * LANES)))


@njit(nogil=True, cache=True)
def load_row_groups(work, rows, places, first, groups, full, state):
    """Fill the slots of the columns, ROW and ACTIVE with rows first ..."""
    columns = places.shape[0]
    for c in range(columns):
        load_groups(work, c * GROUPS, places[c, 0], places[c, 1], first, EVERY, groups)
    load_state_groups(work, columns * GROUPS, rows, first, EVERY, groups, full, state)
