"""Array steps of a sumcheck round against plain integers; missing odd rows count as zero."""

import numpy as np
import pytest

from circuits.field import R
from prover.kernels import fr
from prover.kernels.parallel import ROWS_MIN
from prover.kernels.sumcheck import (
    bind_columns,
    constraint_values,
    even_and_odd_sum,
    halve_equality,
    product_values,
)
from prover.kernels.tape import RowState, round_sums, sample_program


def random_cells(rng, *counts):
    values = [rng.randrange(R) for _ in range(int(np.prod(counts)))]
    return values, fr.from_ints(values).reshape(*counts, 4)


@pytest.mark.parametrize("rows", [0, 1, 2, 7, ROWS_MIN + 1])
def test_bind_columns(rng, rows):
    cells, matrix = random_cells(rng, 3, rows)
    challenge = rng.randrange(R)
    bound = bind_columns(matrix, challenge)
    assert bound.shape == (3, (rows + 1) // 2, 4)
    for column in range(3):
        padded = [*cells[column * rows : (column + 1) * rows], 0]
        assert fr.to_ints(bound[column]) == [
            (padded[j] + challenge * (padded[j + 1] - padded[j])) % R for j in range(0, rows, 2)
        ]


def test_halve_equality_drops_the_lowest_coordinate(rng):
    point = [rng.randrange(R) for _ in range(4)]
    table = halve_equality(fr.eq_table(point))
    assert np.array_equal(table, fr.eq_table(point[1:]))


@pytest.mark.parametrize("rows", [0, 1, 2, 9])
def test_even_and_odd_sum(rng, rows):
    cells, matrix = random_cells(rng, 4, rows)
    helpers = [cells[column * rows : (column + 1) * rows] for column in (2, 3)]
    even, odd = even_and_odd_sum(matrix, 2)
    assert even == sum(sum(each[0::2]) for each in helpers) % R
    assert odd == sum(sum(each[1::2]) for each in helpers) % R


@pytest.mark.parametrize("rows", [0, 1, 6, 2 * ROWS_MIN + 1])
def test_product_values(rng, rows):
    a, left = random_cells(rng, rows)
    b, right = random_cells(rng, rows + rows % 2 + 2)
    padded = [*a, 0]
    expected = [
        sum(
            (padded[j] + t * (padded[j + 1] - padded[j])) * (b[j] + t * (b[j + 1] - b[j]))
            for j in range(0, rows, 2)
        )
        % R
        for t in range(3)
    ]
    assert product_values(left, right) == expected


def test_constraint_values_are_the_same_on_any_number_of_threads(rng):
    _, matrix = random_cells(rng, 1, 9_000)
    equality = random_cells(rng, 4_500)[1]
    program, state = sample_program(folded=True), RowState.start(9_000)
    wanted = np.ones(3, dtype=bool)
    found = constraint_values(matrix, program, state, equality, wanted)
    alone = round_sums(
        0, 4_500, matrix, program.columns, program.code, program.scalars, program.slots,
        program.result, state.full, state.scalars(), equality, wanted,
    )  # fmt: skip
    assert found == fr.to_ints(alone)
