"""The constraint interpreter on the margin system's chip with the most operations."""

from __future__ import annotations

import numpy as np

from circuits.air.chip import CompiledChip
from circuits.air.tape import evaluate_tape
from circuits.chips.system import margin_system
from circuits.field import R
from prover.bench.field import random_elements
from prover.bench.measure import Measurement, StopWatch
from prover.kernels import fr
from prover.kernels.sumcheck import constraint_values
from prover.kernels.tape import Program, RowState, folded_program

STAGE = "interpret"
# The first row of the sumcheck is not evaluated at 0 and 1, where it is known; one other point is
# enough to measure.
_WANTED = np.array([False, False, True])
_POINT = 2
_CHECKED_ROWS = 6
_WEIGHT = 3
_CHALLENGE = 5


def biggest_chip() -> CompiledChip:
    """The chip whose rows take the most operations."""
    return max(margin_system().chips, key=lambda chip: chip.tape.operations)


def measure_tape(log_rows: int, repeat: int) -> Measurement:
    """One point of one sumcheck round over 2^log_rows random rows; a unit is an operation of a row.

    The same round over a few rows is compared with plain integers.
    """
    chip = biggest_chip()
    program = _program(chip)
    matrix = random_elements(chip.tape.columns << log_rows, 1).reshape(chip.tape.columns, -1, 4)
    verified = _round(program, matrix[:, :_CHECKED_ROWS].copy()) == _expected(
        chip, matrix[:, :_CHECKED_ROWS].copy()
    )
    runs = []
    for _ in range(repeat):
        watch = StopWatch()
        watch.begin(STAGE)
        _round(program, matrix)
        runs.append(watch.stop())
    operations = len(program.code) << log_rows - 1
    return Measurement(chip.name, "operation", operations, tuple(runs), verified)


def _publics(chip: CompiledChip) -> list[int]:
    return list(range(chip.tape.publics))


def _challenges(chip: CompiledChip) -> list[int]:
    return [_CHALLENGE] * chip.tape.challenges


def _weights(chip: CompiledChip) -> list[int]:
    return [pow(_WEIGHT, number, R) for number in range(chip.tape.constraints)]


def _program(chip: CompiledChip) -> Program:
    return folded_program(
        chip.tape, _challenges(chip), _publics(chip), _weights(chip), chip.zero_values
    )


def _round(program: Program, matrix: np.ndarray) -> int:
    """Sum over pairs of rows of the folded constraints at the point, with equality factors of 1."""
    rows = matrix.shape[1]
    ones = np.repeat(fr.constant(1), (rows + 1) // 2, axis=0)
    return constraint_values(matrix, program, RowState.start(rows), ones, _WANTED)[_POINT]


def _expected(chip: CompiledChip, matrix: np.ndarray) -> int:
    columns = [fr.to_ints(column) for column in matrix]
    total = 0
    for even in range(0, matrix.shape[1], 2):
        at_point = [
            (column[even] + _POINT * (column[even + 1] - column[even])) % R for column in columns
        ]
        values = evaluate_tape(
            chip.tape, at_point, even + _POINT, 1, _challenges(chip), _publics(chip), R
        )
        total += sum(w * v for w, v in zip(_weights(chip), values, strict=True))
    return total % R
