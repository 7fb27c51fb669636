"""Weighted sums of columns and columns at a point against plain integers."""

import pytest

from circuits.field import R
from prover.kernels import fr
from prover.kernels.fold import columns_at, mix_columns
from prover.kernels.parallel import ROWS_MIN


@pytest.mark.parametrize("rows", [0, 1, 5, ROWS_MIN + 7])
def test_mix_columns(rng, rows):
    cells = [[rng.randrange(R) for _ in range(rows)] for _ in range(3)]
    weights = [rng.randrange(R) for _ in range(3)]
    matrix = fr.from_ints(value for column in cells for value in column).reshape(3, rows, 4)
    assert fr.to_ints(mix_columns(matrix, weights)) == [
        sum(w * column[row] for w, column in zip(weights, cells, strict=True)) % R
        for row in range(rows)
    ]


@pytest.mark.parametrize("rows", [0, 1, 5, 8])
def test_columns_at(rng, rows):
    cells = [[rng.randrange(R) for _ in range(rows)] for _ in range(2)]
    matrix = fr.from_ints(value for column in cells for value in column).reshape(2, rows, 4)
    equality = [rng.randrange(R) for _ in range(8)]
    assert columns_at(matrix, fr.from_ints(equality)) == [
        sum(a * b for a, b in zip(column, equality, strict=False)) % R for column in cells
    ]
