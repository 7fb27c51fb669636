"""The interpreter: one compiled kernel runs any program over blocks of rows, see `program`."""

from dataclasses import dataclass

import numpy as np
from numba import njit

from circuits.air import tape as air_tape
from circuits.air.tape import Tape
from circuits.field import R
from prover.kernels import fr
from prover.kernels.cells import load_block, places_of
from prover.kernels.parallel import run_rows
from prover.kernels.program import (
    ADD,
    BLOCK,
    CLEAR,
    DOT,
    MUL,
    REDUCE,
    SUB,
    RowProgram,
    value_program,
)
from prover.kernels.scalar import (
    EVERY,
    FR_ONE,
    ZERO,
    fr_add,
    fr_from_small,
    fr_mul,
    fr_sub,
    load,
    store,
)
from prover.kernels.wide import (
    WIDE_LIMBS,
    add_product,
    clear_block,
    load_wide,
    reduce_block,
    store_wide,
)


@dataclass(frozen=True, slots=True)
class RowState:
    """ROW and ACTIVE after some low variables are bound, as functions of the remaining row.

    ROW is number_base + number_step * row. ACTIVE is 1 for rows below `full`, `partial` on row
    `full` and 0 beyond.
    """

    full: int
    partial: int
    number_base: int
    number_step: int

    @staticmethod
    def start(height: int) -> "RowState":
        return RowState(height, 0, 0, 1)

    def bind(self, challenge: int) -> "RowState":
        """State after the lowest remaining variable is bound."""
        odd = self.full & 1
        partial = odd * (1 - challenge) + self.partial * (challenge if odd else 1 - challenge)
        return RowState(
            self.full >> 1,
            partial % R,
            (self.number_base + challenge * self.number_step) % R,
            2 * self.number_step % R,
        )

    def scalars(self) -> np.ndarray:
        """What kernels take beside `full`. Shape: uint64[3, 4]."""
        return fr.from_ints([self.partial, self.number_base, self.number_step])


def evaluate(program: RowProgram, places: np.ndarray, height: int, state: RowState) -> np.ndarray:
    """Every result on every row.

    Shape: places int64[columns, 2], see `cells` -> uint64[results, height, 4].
    """
    out = np.empty((len(program.program.results), height, 4), dtype=np.uint64)
    read = np.ascontiguousarray(places[program.columns])
    run_rows(_evaluate, height, out, read, program.program, state.full, state.scalars())
    return out


@njit(nogil=True, cache=True)
def multiply_block(work, target, left, left_stride, right, right_stride, count):
    for i in range(count):
        a, b = load(work, left + i * left_stride), load(work, right + i * right_stride)
        store(work, target + i, fr_mul(a, b))


@njit(nogil=True, cache=True)
def add_block(work, target, left, left_stride, right, right_stride, count):
    for i in range(count):
        a, b = load(work, left + i * left_stride), load(work, right + i * right_stride)
        store(work, target + i, fr_add(a, b))


@njit(nogil=True, cache=True)
def subtract_block(work, target, left, left_stride, right, right_stride, count):
    for i in range(count):
        a, b = load(work, left + i * left_stride), load(work, right + i * right_stride)
        store(work, target + i, fr_sub(a, b))


@njit(nogil=True, cache=True)
def copy_block(work, target, source, first, stride, count):
    """Copy elements of `source` to work[target ...]; with stride 0 one element to all places."""
    for i in range(count):
        store(work, target + i, load(source, first + i * stride))


@njit(nogil=True, cache=True)
def add_products_block(totals, target, work, left, left_stride, right, right_stride, count):
    """Add left * right to wide sums target ..."""
    for i in range(count):
        a, b = load(work, left + i * left_stride), load(work, right + i * right_stride)
        store_wide(totals, target + i, add_product(load_wide(totals, target + i), a, b))


@njit(nogil=True, cache=True)
def run_code(code, work, totals, count):
    """Run all instructions over the first `count` rows of the block in `work`."""
    for k in range(code.shape[0]):
        op, target = code[k, 0], code[k, 1]
        left, left_stride, right, right_stride = code[k, 2], code[k, 3], code[k, 4], code[k, 5]
        if op == MUL:
            multiply_block(work, target, left, left_stride, right, right_stride, count)
        elif op == DOT:
            add_products_block(totals, target, work, left, left_stride, right, right_stride, count)
        elif op == ADD:
            add_block(work, target, left, left_stride, right, right_stride, count)
        elif op == SUB:
            subtract_block(work, target, left, left_stride, right, right_stride, count)
        elif op == CLEAR:
            clear_block(totals, target, count)
        elif op == REDUCE:
            reduce_block(work, target, totals, left, count)
        else:
            copy_block(work, target, work, left, left_stride, count)


@njit(nogil=True, cache=True)
def new_work(slots, scalars):
    """Return work memory for one block, with the scalars in place."""
    work = np.zeros((slots * BLOCK + scalars.shape[0], 4), dtype=np.uint64)
    for k in range(scalars.shape[0]):
        store(work, slots * BLOCK + k, load(scalars, k))
    return work


@njit(nogil=True, cache=True)
def new_totals(totals):
    """Return memory for this many totals of one block."""
    return np.zeros((totals * BLOCK, WIDE_LIMBS), dtype=np.uint64)


@njit(nogil=True, cache=True)
def load_state(work, target, first, step, count, full, state):
    """Fill the slots ROW (at target) and ACTIVE (behind it) for rows first, first + step, ...

    `state` holds RowState.scalars().
    """
    slope = load(state, 2)
    start = fr_mul(fr_from_small(np.uint64(first)), slope)
    rise = fr_mul(fr_from_small(np.uint64(step)), slope)
    number = fr_add(load(state, 1), start)
    partial = load(state, 0)
    for i in range(count):
        store(work, target + i, number)
        number = fr_add(number, rise)
        row = first + i * step
        active = FR_ONE if row < full else partial if row == full else ZERO
        store(work, target + BLOCK + i, active)


@njit(nogil=True, cache=True)
def load_rows(work, places, first, count, full, state):
    """Fill the slots of the columns, ROW and ACTIVE with rows first .. first + count - 1."""
    columns = places.shape[0]
    for c in range(columns):
        load_block(work, c * BLOCK, places[c, 0], places[c, 1], first, EVERY, count)
    load_state(work, columns * BLOCK, first, EVERY, count, full, state)


@njit(nogil=True, cache=True)
def _evaluate(start, stop, out, places, program, full, state):
    work, totals = new_work(program.slots, program.scalars), new_totals(program.totals)
    rows = out.shape[1]
    for first in range(start, stop, BLOCK):
        count = min(BLOCK, stop - first)
        load_rows(work, places, first, count, full, state)
        run_code(program.code, work, totals, count)
        for e in range(out.shape[0]):
            copy_block(out, e * rows + first, work, program.results[e], EVERY, count)


def sample_tape() -> Tape:
    """The square of column 0, for compiling kernels."""
    return Tape(1, 0, 0, (), 1, 1, ((air_tape.MUL, 0, 0, 0), (air_tape.EMIT, 0, 3, 0)))


def warm() -> None:
    """Compile the interpreter, or load it from the cache."""
    cells = np.ones(1, dtype=np.uint8)
    program = value_program(sample_tape(), [], [])
    evaluate(program, places_of([cells]), 1, RowState.start(1))
