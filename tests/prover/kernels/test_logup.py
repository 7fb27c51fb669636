"""Helper columns against fractions on plain integers."""

import numpy as np
import pytest

from circuits.air.tape import EMIT, Tape
from circuits.field import R, inverse
from prover.kernels import fr
from prover.kernels.logup import fill_helpers
from prover.kernels.tape import BLOCK, value_program

# Columns d0 d1 d2 n0 n1 n2 emitted as they are: three denominators, then three numerators.
TAPE = Tape(6, 0, 0, (), 0, 6, tuple((EMIT, number, number, 0) for number in range(6)))


def random_matrix(rng, rows, helpers):
    cells = [[rng.randrange(1, R) for _ in range(rows)] for _ in range(6)]
    matrix = np.zeros((6 + helpers, rows, 4), dtype=np.uint64)
    for number, column in enumerate(cells):
        matrix[number] = fr.from_ints(column)
    return cells, matrix


@pytest.mark.parametrize("rows", [0, 1, BLOCK, 3 * BLOCK + 5])
def test_helpers_are_sums_of_fractions_by_group(rng, rows):
    cells, matrix = random_matrix(rng, rows, 2)
    assert fill_helpers(matrix, rows, value_program(TAPE, [], []), [2, 3])
    fractions = [
        [n * inverse(d) for n, d in zip(cells[3 + j], cells[j], strict=True)] for j in range(3)
    ]
    assert fr.to_ints(matrix[6]) == [(a + b) % R for a, b in zip(*fractions[:2], strict=True)]
    assert fr.to_ints(matrix[7]) == [value % R for value in fractions[2]]


def test_a_vanishing_fingerprint_is_reported(rng):
    _, matrix = random_matrix(rng, 5, 2)
    matrix[1, 3] = 0
    assert not fill_helpers(matrix, 5, value_program(TAPE, [], []), [2, 3])
