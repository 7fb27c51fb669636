"""The constraint interpreter: one compiled kernel runs any tape over blocks of rows.

A `Program` is a tape prepared for one proof. What does not depend on the row (constants,
challenges, public words, and every operation among them) is computed once in plain integers; the
rest becomes instructions over *slots*. A slot is BLOCK consecutive elements, one per row of the
block; slots come in the order columns, ROW, ACTIVE, temporaries, results. Behind the slots lie
the scalars. An operand is the number of its first element and a stride, 1 in a slot and 0 for a
scalar, so the interpreter does not ask what an operand is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from circuits.air import tape as air_tape
from circuits.air.tape import Tape
from circuits.field import R
from prover.kernels import fr
from prover.kernels.cells import load_block, places_of
from prover.kernels.scalar import (
    FR_ONE,
    FR_R2,
    ZERO,
    fr_add,
    fr_mul,
    fr_sub,
    load,
    store,
)

# Rows per block: long enough to hide the dispatch, short enough that a chip of two hundred
# operands stays in the second-level cache.
BLOCK = 64
ADD, SUB, MUL, MULTIPLY_ADD, COPY = 0, 1, 2, 3, 4
_ARITHMETIC = {
    air_tape.ADD: lambda a, b: (a + b) % R,
    air_tape.SUB: lambda a, b: (a - b) % R,
    air_tape.MUL: lambda a, b: a * b % R,
}


@dataclass(frozen=True, slots=True)
class Program:
    """Instructions (op, target, left, left stride, right, right stride) over elements.

    Shape: code int64[k, 6]; scalars uint64[s, 4].
    """

    code: np.ndarray
    scalars: np.ndarray
    columns: int
    slots: int
    result: int  # first element of the result slots


class _Assembler:
    """Tells row-dependent operands from scalars while a tape is read in order."""

    def __init__(self, tape: Tape, challenges: Sequence[int], publics: Sequence[int]) -> None:
        self._tape = tape
        self._known = dict(
            enumerate((*tape.constants, *challenges, *publics), start=tape.constant_base)
        )
        self.columns = tape.columns + 2
        self.result_slot = self.columns + tape.temporaries
        self.scalars: list[int] = []
        self._scalar_number: dict[int, int] = {}
        self._code: list[tuple[int, int, tuple[int, int], tuple[int, int]]] = []

    def scalar(self, value: int) -> tuple[int, int]:
        """Operand of a value; -1 - number until the count of slots is known."""
        number = self._scalar_number.setdefault(value % R, len(self.scalars))
        if number == len(self.scalars):
            self.scalars.append(value % R)
        return (-1 - number, 0)

    def operand(self, number: int) -> tuple[int, int]:
        if number in self._known:
            return self.scalar(self._known[number])
        if number >= self._tape.temporary_base:
            number += self.columns - self._tape.temporary_base
        return (number * BLOCK, 1)

    def compute(self, op: int, target: int, left: int, right: int) -> None:
        """One operation of the tape, done now when both operands are scalars."""
        number = self._tape.temporary_base + target
        if left in self._known and right in self._known:
            self._known[number] = _ARITHMETIC[op](self._known[left], self._known[right])
            return
        operands = self.operand(left), self.operand(right)
        self._known.pop(number, None)
        self.write((ADD, SUB, MUL)[op], self.operand(number)[0], *operands)

    def write(
        self, op: int, target: int, left: tuple[int, int], right: tuple[int, int] = (0, 0)
    ) -> None:
        self._code.append((op, target, left, right))

    def finish(self, results: int) -> Program:
        slots = self.result_slot + results
        base = slots * BLOCK

        def place(operand: tuple[int, int]) -> tuple[int, int]:
            number, stride = operand
            return (number if number >= 0 else base - 1 - number, stride)

        rows = [(op, target, *place(a), *place(b)) for op, target, a, b in self._code]
        code = np.array(rows, dtype=np.int64).reshape(-1, 6)
        return Program(
            code, fr.from_ints(self.scalars), self._tape.columns, slots, self.result_slot * BLOCK
        )


def value_program(tape: Tape, challenges: Sequence[int], publics: Sequence[int]) -> Program:
    """Program whose result slot i holds the value of constraint i."""
    assembler = _Assembler(tape, challenges, publics)
    for op, target, left, right in tape.code:
        if op == air_tape.EMIT:
            place = (assembler.result_slot + target) * BLOCK
            assembler.write(COPY, place, assembler.operand(left))
        else:
            assembler.compute(op, target, left, right)
    return assembler.finish(tape.constraints)


def folded_program(
    tape: Tape,
    challenges: Sequence[int],
    publics: Sequence[int],
    weights: Sequence[int],
    zero_values: Sequence[int],
) -> Program:
    """Program whose one result is sum_i weights_i (C_i - (1 - ACTIVE) zero_values_i)."""
    assembler = _Assembler(tape, challenges, publics)
    total = assembler.result_slot * BLOCK
    zero = sum(w * z for w, z in zip(weights, zero_values, strict=True)) % R
    assembler.write(COPY, total, assembler.scalar(-zero))
    assembler.write(
        MULTIPLY_ADD, total, assembler.operand(tape.active_operand), assembler.scalar(zero)
    )
    for op, target, left, right in tape.code:
        if op == air_tape.EMIT:
            weight = assembler.scalar(weights[target])
            assembler.write(MULTIPLY_ADD, total, assembler.operand(left), weight)
        else:
            assembler.compute(op, target, left, right)
    return assembler.finish(1)


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
        return fr.from_ints([self.partial, self.number_base, self.number_step])


@njit(nogil=True, cache=True)
def run_code(code, work, count):
    """Run all instructions over the first `count` rows of the block in `work`."""
    for k in range(code.shape[0]):
        op, target = code[k, 0], code[k, 1]
        left, left_stride, right, right_stride = code[k, 2], code[k, 3], code[k, 4], code[k, 5]
        if op == MUL:
            for i in range(count):
                a, b = load(work, left + i * left_stride), load(work, right + i * right_stride)
                store(work, target + i, fr_mul(a, b))
        elif op == ADD:
            for i in range(count):
                a, b = load(work, left + i * left_stride), load(work, right + i * right_stride)
                store(work, target + i, fr_add(a, b))
        elif op == SUB:
            for i in range(count):
                a, b = load(work, left + i * left_stride), load(work, right + i * right_stride)
                store(work, target + i, fr_sub(a, b))
        elif op == MULTIPLY_ADD:
            for i in range(count):
                a, b = load(work, left + i * left_stride), load(work, right + i * right_stride)
                store(work, target + i, fr_add(load(work, target + i), fr_mul(a, b)))
        else:
            for i in range(count):
                store(work, target + i, load(work, left + i * left_stride))


@njit(nogil=True, cache=True)
def new_work(slots, scalars):
    """Return work memory for one block, with the scalars in place."""
    work = np.zeros((slots * BLOCK + scalars.shape[0], 4), dtype=np.uint64)
    for k in range(scalars.shape[0]):
        store(work, slots * BLOCK + k, load(scalars, k))
    return work


@njit(nogil=True, inline="always")
def _activity(row, full, partial):
    if row < full:
        return FR_ONE
    if row == full:
        return partial
    return ZERO


@njit(nogil=True, cache=True)
def load_rows(work, places, columns, first, count, full, state):
    """Fill the column, ROW and ACTIVE slots with rows first .. first + count - 1.

    `state` holds RowState.scalars(); `places` see `cells`.
    """
    for c in range(columns):
        load_block(work, c * BLOCK, places[c, 0], places[c, 1], first, 1, count)
    step = load(state, 2)
    origin = (np.uint64(first), np.uint64(0), np.uint64(0), np.uint64(0))
    number = fr_add(load(state, 1), fr_mul(fr_mul(origin, FR_R2), step))
    for i in range(count):
        store(work, columns * BLOCK + i, number)
        number = fr_add(number, step)
        store(work, (columns + 1) * BLOCK + i, _activity(first + i, full, load(state, 0)))


@njit(nogil=True, cache=True)
def load_pairs(work, delta, matrix, columns, first, count, full, state):
    """Fill the slots with even rows 2j and `delta` with odd minus even, for `count` pairs.

    A missing last odd row is padding: zero in all columns.
    """
    rows = matrix.shape[1]
    for c in range(columns):
        for i in range(count):
            row = 2 * (first + i)
            even = load(matrix, c * rows + row)
            odd = load(matrix, c * rows + row + 1) if row + 1 < rows else ZERO
            store(work, c * BLOCK + i, even)
            store(delta, c * BLOCK + i, fr_sub(odd, even))
    step = load(state, 2)
    origin = (np.uint64(2 * first), np.uint64(0), np.uint64(0), np.uint64(0))
    number = fr_add(load(state, 1), fr_mul(fr_mul(origin, FR_R2), step))
    for i in range(count):
        store(work, columns * BLOCK + i, number)
        store(delta, columns * BLOCK + i, step)
        number = fr_add(fr_add(number, step), step)
        row = 2 * (first + i)
        even = _activity(row, full, load(state, 0))
        odd = _activity(row + 1, full, load(state, 0))
        store(work, (columns + 1) * BLOCK + i, even)
        store(delta, (columns + 1) * BLOCK + i, fr_sub(odd, even))


@njit(nogil=True, cache=True)
def evaluate_rows(start, stop, out, places, columns, code, scalars, slots, result, full, state):
    """Write result slot e of every row to out[e, row].

    Shape: places int64[columns or more, 2]; out uint64[results, rows, 4].
    """
    work = new_work(slots, scalars)
    rows = out.shape[1]
    for first in range(start, stop, BLOCK):
        count = min(BLOCK, stop - first)
        load_rows(work, places, columns, first, count, full, state)
        run_code(code, work, count)
        for e in range(out.shape[0]):
            for i in range(count):
                store(out, e * rows + first + i, load(work, result + e * BLOCK + i))


@njit(nogil=True, cache=True)
def round_sums(
    start, stop, matrix, columns, code, scalars, slots, result, full, state, equality, wanted
):
    """Return q(t) = sum over pairs j of equality[j] * result(pair j at t) where wanted[t].

    A pair at t is even + t (odd - even) in every column.

    Shape: equality uint64[pairs or more, 4]; wanted bool[points]; result uint64[points, 4].
    """
    work = new_work(slots, scalars)
    variable = (columns + 2) * BLOCK
    delta = np.empty((variable, 4), dtype=np.uint64)
    sums = np.zeros((wanted.shape[0], 4), dtype=np.uint64)
    for first in range(start, stop, BLOCK):
        count = min(BLOCK, stop - first)
        load_pairs(work, delta, matrix, columns, first, count, full, state)
        for t in range(wanted.shape[0]):
            if t > 0:
                for slot in range(0, variable, BLOCK):
                    for k in range(slot, slot + count):
                        store(work, k, fr_add(load(work, k), load(delta, k)))
            if wanted[t]:
                run_code(code, work, count)
                total = load(sums, t)
                for i in range(count):
                    value = fr_mul(load(equality, first + i), load(work, result + i))
                    total = fr_add(total, value)
                store(sums, t, total)
    return sums


def sample_program(*, folded: bool) -> Program:
    """The square of column 0, for compiling kernels."""
    tape = Tape(1, 0, 0, (), 1, 1, ((air_tape.MUL, 0, 0, 0), (air_tape.EMIT, 0, 3, 0)))
    return folded_program(tape, [], [], [1], [0]) if folded else value_program(tape, [], [])


def warm() -> None:
    """Compile the interpreter, or load it from the cache."""
    program, state = sample_program(folded=False), RowState.start(1)
    out, cells = np.empty((1, 1, 4), dtype=np.uint64), np.ones(1, dtype=np.uint8)
    evaluate_rows(
        0, 1, out, places_of([cells]), program.columns, program.code,
        program.scalars, program.slots, program.result, state.full, state.scalars(),
    )  # fmt: skip
