"""Typed columns: views, helpers behind them, and what they refuse."""

import numpy as np
import pytest

from prover.compiled.columns import ChipColumns
from prover.kernels import fr
from prover.kernels.cells import expand
from prover.kernels.scalar import limbs

NARROW = np.arange(7, dtype=np.uint16)
FULL = np.array([limbs(value) for value in range(100, 107)], dtype=np.uint64)


def cells(columns: ChipColumns) -> list[list[int]]:
    count = len(columns.columns)
    return [fr.to_ints(expand(columns.places, number, columns.height)) for number in range(count)]


def test_columns_are_taken_without_a_copy():
    columns = ChipColumns.of(7, [NARROW, FULL])
    assert np.shares_memory(columns.columns[0], NARROW)
    assert np.shares_memory(columns.columns[1], FULL)
    assert cells(columns) == [list(range(7)), list(range(100, 107))]


def test_a_range_of_rows_is_a_view():
    part = ChipColumns.of(7, [NARROW, FULL]).rows(2, 5)
    assert part.height == 3
    assert np.shares_memory(part.columns[1], FULL)
    assert cells(part) == [[2, 3, 4], [102, 103, 104]]
    assert cells(part.rows(1, 2)) == [[3], [103]]
    assert cells(part.rows(3, 3)) == [[], []]


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (3, 2), (0, 8)])
def test_rows_outside_are_refused(start, stop):
    with pytest.raises(ValueError, match=r"expected rows inside \[0, 7\)"):
        ChipColumns.of(7, [NARROW]).rows(start, stop)


def test_helpers_come_behind_the_main_columns():
    columns = ChipColumns.of(7, [NARROW]).followed_by([FULL])
    assert cells(columns) == [list(range(7)), list(range(100, 107))]


def test_a_strided_column_is_copied():
    assert cells(ChipColumns.of(4, [NARROW[::2]])) == [[0, 2, 4, 6]]


def test_a_column_of_another_length_is_refused():
    with pytest.raises(TypeError, match="column 1: expected 7 rows, got 6"):
        ChipColumns.of(7, [NARROW, FULL[:6]])
