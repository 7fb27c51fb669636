"""A run of rows of an equality table is that run of the whole table."""

import pytest

from circuits.field import R
from prover.cluster.equality_rows import equality_at, equality_rows
from prover.kernels import fr

POINT = [3, R - 5, 1 << 200, 77, 0]
TABLE = fr.to_ints(fr.eq_table(POINT))


@pytest.mark.parametrize(
    ("first", "count"), [(0, 32), (8, 8), (8, 24), (16, 16), (30, 2), (5, 3), (31, 1), (4, 0)]
)
def test_rows_are_those_of_the_whole_table(first, count):
    assert fr.to_ints(equality_rows(POINT, first, count)) == TABLE[first : first + count]


def test_a_row_is_a_product_over_the_bits_of_its_number():
    assert [equality_at(POINT, row) for row in range(32)] == TABLE
    assert equality_at([], 0) == 1
