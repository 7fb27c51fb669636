"""Parts of a commitment: together they are all of it, and the last ones are small."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.air.shape import Piece
from prover.cluster.messages import Job
from prover.cluster.parcels import cell_parcels, coefficient_parcels, rows_of
from prover.cluster.settings import ClusterSettings
from prover.cluster.shards import plan_shards
from prover.cluster.steps import CommitCells, CommitRange
from tests.support.toy_system import toy_key, toy_shape, toy_system, toy_witness

KEY = toy_key(toy_shape(log_steps=5, log_words=4, log_chunk=7))
WITNESS = toy_witness([3, 5, 0, 15, 3] * 5, [1, 4, 7, 20, 21], [2, 9, 9])
HEIGHTS = [WITNESS.tables[chip.name].height for chip in KEY.chips]
LOG_HEIGHTS = [chip.log_height for chip in KEY.chips]
SETTINGS = ClusterSettings(rows_shared_min=5, log_shards=2)
JOB = Job.of(KEY, toy_system(), WITNESS.words, plan_shards(HEIGHTS, LOG_HEIGHTS, SETTINGS))
CELLS = KEY.layout.main_chunks << KEY.log_chunk


def bits_of(cells: range) -> int:
    """Bits of all active main cells among these, counted one by one."""
    active = {}
    for piece in KEY.layout.pieces:
        if piece.chunk < KEY.layout.main_chunks:
            start = (piece.chunk << KEY.log_chunk) + piece.offset
            bits = JOB.column_bits[piece.chip][piece.column]
            active |= {start + row: bits for row in range(HEIGHTS[piece.chip])}
    return sum(active.get(cell, 0) for cell in cells)


@given(st.integers(0, CELLS - 1), st.integers(1, CELLS), st.integers(1, 9))
def test_parcels_of_cells_follow_each_other_from_the_first_to_the_last(first, count, workers):
    ask = CommitCells(first, min(first + count, CELLS))
    parts = [parcel.ask for parcel in cell_parcels(JOB, ask, workers)]
    assert all(isinstance(part, CommitCells) and part.first < part.stop for part in parts)
    assert all(a.stop == b.first for a, b in itertools.pairwise(parts))
    assert (parts[0].first, parts[-1].stop) == (ask.first, ask.stop)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_parcels_of_cells_become_smaller(workers):
    parts = [parcel.ask for parcel in cell_parcels(JOB, CommitCells(0, CELLS), workers)]
    bits = [bits_of(range(part.first, part.stop)) for part in parts]
    total, most = sum(bits), 256 + 1
    # A cut falls inside of a cell, so a parcel may have one more than its share, or one less.
    assert all(a + 2 * most >= b for a, b in itertools.pairwise(bits))
    assert abs(bits[0] - total / 2 / workers) <= most
    assert bits[-1] <= total / 40 / workers + most
    assert len(bits) >= 3 * workers


@pytest.mark.parametrize(("length", "parts"), [(1, 1), (1, 3), (7, 3), (8, 2), (9, 9)])
def test_parcels_of_coefficients_are_of_nearly_equal_size(length, parts):
    elements = np.arange(4 * length, dtype=np.uint64).reshape(-1, 4)
    found = [parcel.ask for parcel in coefficient_parcels(CommitRange(0, elements), parts)]
    assert len(found) == min(length, parts)
    assert np.array_equal(np.concatenate([part.elements for part in found]), elements)
    sizes = [len(part.elements) for part in found]
    assert max(sizes) - min(sizes) <= 1
    assert [part.first for part in found] == [0, *itertools.accumulate(sizes)][:-1]


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 8))
def test_rows_are_those_whose_cell_is_asked_for(first, count, height):
    piece = Piece(0, 0, 2, 8, 3)
    cells = range(first, first + count)
    wanted = [row for row in range(height) if (2 << 4) + 8 + row in cells]
    assert list(rows_of(piece, cells, 4, height)) == wanted
