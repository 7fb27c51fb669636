"""Helper columns against fractions on plain integers."""

import pytest

from circuits.air.tape import EMIT, Tape
from circuits.field import R, inverse
from prover.kernels import fr
from prover.kernels.cells import MONTGOMERY, places_of
from prover.kernels.logup import helper_columns
from prover.kernels.tape import BLOCK, value_program

# Columns d0 d1 d2 n0 n1 n2 emitted as they are: three denominators, then three numerators.
TAPE = Tape(6, 0, 0, (), 0, 6, tuple((EMIT, number, number, 0) for number in range(6)))


def random_matrix(rng, rows):
    cells = [[rng.randrange(1, R) for _ in range(rows)] for _ in range(6)]
    return cells, fr.from_ints(value for column in cells for value in column).reshape(6, rows, 4)


def helpers(matrix):
    places = places_of(list(matrix), MONTGOMERY)
    return helper_columns(places, matrix.shape[1], value_program(TAPE, [], []), [2, 3])


def integers(column):
    return [sum(int(limb) << 64 * k for k, limb in enumerate(cell)) for cell in column]


@pytest.mark.parametrize("rows", [0, 1, BLOCK, 3 * BLOCK + 5])
def test_helpers_are_sums_of_fractions_by_group(rng, rows):
    cells, matrix = random_matrix(rng, rows)
    fractions = [
        [n * inverse(d) for n, d in zip(cells[3 + j], cells[j], strict=True)] for j in range(3)
    ]
    first, second = helpers(matrix)
    assert integers(first) == [(a + b) % R for a, b in zip(*fractions[:2], strict=True)]
    assert integers(second) == [value % R for value in fractions[2]]


def test_a_vanishing_fingerprint_is_reported(rng):
    _, matrix = random_matrix(rng, 5)
    matrix[1, 3] = 0
    assert helpers(matrix) is None


def test_a_fingerprint_that_is_not_used_may_vanish(rng):
    cells, matrix = random_matrix(rng, 5)
    matrix[1, 3], matrix[4, 3] = 0, 0
    first, _ = helpers(matrix)
    assert integers(first)[3] == cells[3][3] * inverse(cells[0][3]) % R
