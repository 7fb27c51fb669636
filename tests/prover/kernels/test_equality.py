"""A run of rows of an equality table is that run of the whole table, in one part or in two."""

import pytest

from circuits.field import R
from prover.kernels import fr
from prover.kernels.equality import LOW, SplitEquality, equality_at, equality_rows
from prover.kernels.program import BLOCK

POINT = [3, R - 5, 1 << 200, 77, 0]
TABLE = fr.to_ints(fr.eq_table(POINT))
RUNS = [(0, 32), (8, 8), (8, 24), (16, 16), (30, 2), (5, 3), (31, 1), (4, 0)]


@pytest.mark.parametrize(("first", "count"), RUNS)
def test_rows_are_those_of_the_whole_table(first, count):
    assert fr.to_ints(equality_rows(POINT, first, count)) == TABLE[first : first + count]


def test_a_row_is_a_product_over_the_bits_of_its_number():
    assert [equality_at(POINT, row) for row in range(32)] == TABLE
    assert equality_at([], 0) == 1


LONG_POINT = list(range(2, 2 + LOW.bit_length() + 2))
LONG_TABLE = fr.to_ints(fr.eq_table(LONG_POINT))


@pytest.mark.parametrize(
    ("first", "count", "lengths"),
    [
        (0, 8 * LOW, (LOW, 8)),
        (3 * LOW, 2 * LOW, (LOW, 2)),
        (3 * LOW, 2 * LOW + 5, (LOW, 3)),
        (LOW // 2, 3 * LOW, (LOW // 2, 6)),
        (BLOCK, 5 * BLOCK, (BLOCK, 5)),
        # Kernels take no shorter low parts than a block.
        (BLOCK // 2, 4 * LOW, (4 * LOW, 1)),
        (7, 3, (3, 1)),
    ],
)
def test_the_low_part_is_as_long_as_the_alignment_allows(first, count, lengths):
    split = SplitEquality.of_rows(LONG_POINT, first, count)
    assert (len(split.low), len(split.high)) == lengths
    low, high = fr.to_ints(split.low), fr.to_ints(split.high)
    rows = [low[x % len(low)] * high[x // len(low)] % R for x in range(count)]
    assert rows == LONG_TABLE[first : first + count]


@pytest.mark.parametrize(("first", "count"), [run for run in RUNS if run[1]])
def test_short_runs_are_not_split_below_a_block(first, count):
    split = SplitEquality.of_rows(POINT, first, count)
    low, high = fr.to_ints(split.low), fr.to_ints(split.high)
    rows = [low[x % len(low)] * high[x // len(low)] % R for x in range(count)]
    assert rows == TABLE[first : first + count]
