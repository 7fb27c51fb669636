"""The interpreter against the tape on plain integers, over more rows than one block."""

import numpy as np
import pytest

from circuits.air.describe import fingerprint_chip, seeded_point
from circuits.air.tape import ADD, EMIT, MUL, SUB, Tape, evaluate_tape
from circuits.field import R
from prover.kernels import fr
from prover.kernels.cells import MONTGOMERY, places_of
from prover.kernels.tape import (
    BLOCK,
    MULTIPLY_ADD,
    RowState,
    evaluate_rows,
    folded_program,
    round_sums,
    value_program,
)
from tests.support.toy_system import toy_system
from verifier.sumcheck import activity, row_number

CHIPS = [chip.name for chip in toy_system().chips]
PUBLICS = [11, 12, 13, 14]
CHALLENGES = list(range(100, 110))


def random_matrix(rng, columns, rows):
    cells = [[rng.randrange(R) for _ in range(rows)] for _ in range(columns)]
    flat = fr.from_ints(value for column in cells for value in column)
    return cells, flat.reshape(columns, rows, 4)


def run_rows(program, matrix, results, state):
    out = np.empty((results, matrix.shape[1], 4), dtype=np.uint64)
    evaluate_rows(
        0, matrix.shape[1], out, places_of(list(matrix), MONTGOMERY), program.columns,
        program.code, program.scalars, program.slots, program.result, state.full, state.scalars(),
    )  # fmt: skip
    return [fr.to_ints(each) for each in out]


@pytest.mark.parametrize("name", CHIPS)
def test_every_row_equals_the_tape_on_integers(name, rng):
    tape = toy_system().chip(name).tape
    rows = BLOCK + 3
    cells, matrix = random_matrix(rng, tape.columns, rows)
    state = RowState(rows - 2, 77, 5, 9)
    found = run_rows(value_program(tape, CHALLENGES, PUBLICS), matrix, tape.constraints, state)
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
    powers = [pow(rest[-1], i, R) for i in range(tape.constraints)]
    program = folded_program(tape, challenges, publics, powers, [0] * tape.constraints)
    matrix = fr.from_ints(columns).reshape(-1, 1, 4)
    ((value,),) = run_rows(program, matrix, 1, RowState(0, active, row, 0))
    assert value == fingerprint_chip(chip, R)


def test_work_that_no_row_changes_is_done_once():
    # (c0 * c0 - public) * column, where only the last product depends on the row; then the
    # temporary is used again for a value of the row.
    tape = Tape(
        1, 0, 1, (5,), 1, 2,
        ((MUL, 0, 3, 3), (SUB, 0, 0 + 5, 4), (EMIT, 0, 5, 0), (MUL, 0, 5, 0), (ADD, 0, 5, 5),
         (EMIT, 1, 5, 0)),
    )  # fmt: skip
    program = value_program(tape, [], [3])
    assert len(program.code) == 4
    matrix = fr.from_ints([4]).reshape(1, 1, 4)
    assert run_rows(program, matrix, 2, RowState.start(1)) == [[22], [176]]


def test_folding_subtracts_the_padding_value_where_rows_are_inactive(rng):
    chip = toy_system().chip("step")
    weights = [rng.randrange(R) for _ in chip.zero_values]
    assert any(chip.zero_values)
    program = folded_program(chip.tape, CHALLENGES, PUBLICS, weights, chip.zero_values)
    assert (program.code[:, 0] == MULTIPLY_ADD).sum() == len(weights) + 1
    columns = chip.tape.columns
    zeros = np.zeros((columns, 2, 4), dtype=np.uint64)
    assert run_rows(program, zeros, 1, RowState(0, 0, 0, 1)) == [[0, 0]]


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


def test_round_sums_extend_each_pair_to_the_wanted_points(rng):
    chip = toy_system().chip("step")
    rows = 2 * BLOCK + 5
    pairs = (rows + 1) // 2
    cells, matrix = random_matrix(rng, chip.tape.columns, rows)
    equality = [rng.randrange(R) for _ in range(pairs)]
    weights = [rng.randrange(R) for _ in chip.zero_values]
    program = folded_program(chip.tape, CHALLENGES, PUBLICS, weights, chip.zero_values)
    state, wanted = RowState(rows - 1, 6, 3, 2), np.array([True, False, False, True])
    sums = fr.to_ints(
        round_sums(
            0, pairs, matrix, program.columns, program.code, program.scalars, program.slots,
            program.result, state.full, state.scalars(), fr.from_ints(equality), wanted,
        )
    )  # fmt: skip
    extended = [[*column, 0] for column in cells]
    active = [1] * (rows - 1) + [6, 0]
    for t in range(4):
        expected = 0
        for j in range(pairs):
            at_t = [c[2 * j] + t * (c[2 * j + 1] - c[2 * j]) for c in (*extended, active)]
            values = evaluate_tape(
                chip.tape, at_t[:-1], 3 + 2 * (2 * j + t), at_t[-1], CHALLENGES, PUBLICS, R
            )
            folded = sum(
                w * (value - (1 - at_t[-1]) * zero)
                for w, value, zero in zip(weights, values, chip.zero_values, strict=True)
            )
            expected += equality[j] * folded
        assert sums[t] == (expected % R if wanted[t] else 0)
