"""A run of rows of an equality table is that run of the whole table, in one part or in two."""

import pytest

from circuits.field import R
from prover.kernels import fr
from prover.kernels.equality import LOW_BITS, SplitEquality, equality_at, equality_rows

POINT = [3, R - 5, 1 << 200, 77, 0]
TABLE = fr.to_ints(fr.eq_table(POINT))
RUNS = [(0, 32), (8, 8), (8, 24), (16, 16), (30, 2), (5, 3), (31, 1), (4, 0)]


@pytest.mark.parametrize(("first", "count"), RUNS)
def test_rows_are_those_of_the_whole_table(first, count):
    assert fr.to_ints(equality_rows(POINT, first, count)) == TABLE[first : first + count]


def test_a_row_is_a_product_over_the_bits_of_its_number():
    assert [equality_at(POINT, row) for row in range(32)] == TABLE
    assert equality_at([], 0) == 1


@pytest.mark.parametrize("low_rows_min", [1, 8, 64])
@pytest.mark.parametrize(("first", "count"), [run for run in RUNS if run[1]])
def test_two_parts_multiply_to_the_rows(first, count, low_rows_min):
    split = SplitEquality.of_rows(POINT, first, count, low_rows_min)
    low, high = fr.to_ints(split.low), fr.to_ints(split.high)
    rows = [low[x % len(low)] * high[x // len(low)] % R for x in range(count)]
    assert rows == TABLE[first : first + count]
    assert len(low) >= min(low_rows_min, count)


def test_the_low_part_of_an_aligned_run_is_short():
    point = list(range(2, 2 + LOW_BITS + 3))
    split = SplitEquality.of_rows(point, 3 << LOW_BITS, 2 << LOW_BITS, 1)
    assert (len(split.low), len(split.high)) == (1 << LOW_BITS, 2)
