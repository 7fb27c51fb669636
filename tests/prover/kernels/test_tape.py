"""The interpreter against the tape on plain integers, over more rows than one block."""

import numpy as np
import pytest

from circuits.air.describe import fingerprint_chip, seeded_point
from circuits.air.tape import ADD, EMIT, MUL, SUB, Tape, evaluate_tape
from circuits.field import R
from prover.kernels import fr
from prover.kernels.cells import MONTGOMERY, places_of
from prover.kernels.parallel import ROWS_MIN
from prover.kernels.program import BLOCK, value_program
from prover.kernels.tape import RowState, evaluate
from tests.support.toy_system import toy_system
from verifier.sumcheck import activity, row_number

CHIPS = [chip.name for chip in toy_system().chips]
PUBLICS = [11, 12, 13, 14]
CHALLENGES = list(range(100, 110))


def random_matrix(rng, columns, rows):
    cells = [[rng.randrange(R) for _ in range(rows)] for _ in range(columns)]
    flat = fr.from_ints(value for column in cells for value in column)
    return cells, flat.reshape(columns, rows, 4)


def run_rows(program, matrix, state):
    places = places_of(list(matrix), MONTGOMERY)
    return [fr.to_ints(each) for each in evaluate(program, places, matrix.shape[1], state)]


@pytest.mark.parametrize("name", CHIPS)
@pytest.mark.parametrize("rows", [1, BLOCK + 3])
def test_every_row_equals_the_tape_on_integers(name, rows, rng):
    tape = toy_system().chip(name).tape
    cells, matrix = random_matrix(rng, tape.columns, rows)
    state = RowState(rows - 2, 77, 5, 9)
    found = run_rows(value_program(tape, CHALLENGES, PUBLICS), matrix, state)
    for row in range(rows):
        active = 1 if row < rows - 2 else 77 if row == rows - 2 else 0
        expected = evaluate_tape(
            tape, [column[row] for column in cells], 5 + 9 * row, active, CHALLENGES, PUBLICS, R
        )
        assert [values[row] for values in found] == expected


@pytest.mark.parametrize("name", CHIPS)
def test_the_fingerprint_of_a_chip_is_reproduced(name):
    chip = toy_system().chip(name)
    tape = chip.tape
    count = tape.columns + 2 + tape.challenges + tape.publics + 1
    inputs = seeded_point(f"fingerprint/{name}", count, R)
    columns, (row, active, *rest) = inputs[: tape.columns], inputs[tape.columns :]
    challenges, publics = rest[: tape.challenges], rest[tape.challenges : -1]
    program = value_program(tape, challenges, publics)
    matrix = fr.from_ints(columns).reshape(-1, 1, 4)
    values = run_rows(program, matrix, RowState(0, active, row, 0))
    folded = sum(value * pow(rest[-1], i, R) for i, (value,) in enumerate(values)) % R
    assert folded == fingerprint_chip(chip, R)


def test_work_that_no_row_changes_is_done_once():
    # (c0 * c0 - public) * column, where only the last product depends on the row; then the
    # temporary is used again for a value of the row.
    tape = Tape(
        1, 0, 1, (5,), 1, 2,
        ((MUL, 0, 3, 3), (SUB, 0, 0 + 5, 4), (EMIT, 0, 5, 0), (MUL, 0, 5, 0), (ADD, 0, 5, 5),
         (EMIT, 1, 5, 0)),
    )  # fmt: skip
    program = value_program(tape, [], [3])
    assert len(program.program.code) == 3
    matrix = fr.from_ints([4]).reshape(1, 1, 4)
    assert run_rows(program, matrix, RowState.start(1)) == [[22], [176]]


def test_rows_are_the_same_on_any_number_of_threads(rng):
    # More rows than one thread takes: the row number shows where each thread began.
    tape = toy_system().chip("squares").tape
    rows = ROWS_MIN + 5
    _, matrix = random_matrix(rng, tape.columns, rows)
    program = value_program(tape, CHALLENGES, PUBLICS)
    whole = run_rows(program, matrix, RowState.start(rows))
    (last,) = (
        run_rows(program, np.ascontiguousarray(matrix[:, row : row + 1]), RowState(1, 0, row, 1))
        for row in [rows - 1]
    )
    assert [values[-1] for values in whole] == [values[0] for values in last]


def test_row_state_follows_the_extensions_of_the_verifier(rng):
    point = [rng.randrange(R) for _ in range(4)]
    for height in range(17):
        state = RowState.start(height)
        for bound, challenge in enumerate(point, 1):
            state = state.bind(challenge)
            for row in range(1 << (4 - bound)):
                rest = [row >> bit & 1 for bit in range(4 - bound)]
                active = 1 if row < state.full else state.partial if row == state.full else 0
                assert active == activity(height, point[:bound] + rest, R)
                assert (state.number_base + row * state.number_step) % R == row_number(
                    point[:bound] + rest, R
                )
