"""The layout: every column at a multiple of its length, no gap, no overlap, main before helpers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.air.builder import RANGE16
from circuits.air.bus import Bus
from circuits.air.chip import ChipError, System, compile_system
from circuits.air.columns import U64, Field
from circuits.air.expr import ROW
from circuits.air.shape import Layout, Piece, Shape, lay_out, stack_columns
from circuits.field import R
from tests.support.chips import make_chip
from tests.support.counter_chips import counter_system

LOG_CHUNK = 5
chip_counts = st.lists(
    st.tuples(st.integers(0, LOG_CHUNK), st.integers(0, 9), st.integers(0, 4)), max_size=8
)


def cells_of(layout: Layout, chunks: range) -> list[tuple[int, int]]:
    """(chunk, position) of every cell of the pieces that lie in these chunks."""
    return [
        (piece.chunk, piece.offset + row)
        for piece in layout.pieces
        if piece.chunk in chunks
        for row in range(1 << piece.log_height)
    ]


@given(chips=chip_counts)
def test_columns_are_aligned_and_fill_the_chunks_without_a_gap(
    chips: list[tuple[int, int, int]],
) -> None:
    log_heights, mains, helpers = (tuple(each[i] for each in chips) for i in range(3))
    layout = stack_columns(log_heights, mains, helpers, LOG_CHUNK)
    assert [(piece.chip, piece.column) for piece in layout.pieces] == [
        (chip, number)
        for chip, (_, main, helper) in enumerate(chips)
        for number in range(main + helper)
    ]
    for piece in layout.pieces:
        assert piece.log_height == log_heights[piece.chip]
        assert piece.offset % (1 << piece.log_height) == 0
        assert piece.offset + (1 << piece.log_height) <= 1 << LOG_CHUNK
        is_main = piece.column < mains[piece.chip]
        assert (piece.chunk < layout.main_chunks) is is_main
    assert layout.chunks == layout.main_chunks + layout.helper_chunks
    for chunks in (range(layout.main_chunks), range(layout.main_chunks, layout.chunks)):
        cells = sorted(cells_of(layout, chunks))
        first = chunks.start << LOG_CHUNK
        assert [(k << LOG_CHUNK) + i for k, i in cells] == list(range(first, first + len(cells)))
        assert -(-len(cells) // (1 << LOG_CHUNK)) == len(chunks)


def test_the_highest_columns_come_first() -> None:
    assert stack_columns((1, 3), (1, 1), (1, 0), 3) == Layout(
        (Piece(0, 0, 1, 0, 1), Piece(0, 1, 2, 0, 1), Piece(1, 0, 0, 0, 3)), 2, 1, 3
    )


def test_a_shape_lays_out_its_system() -> None:
    shape = Shape("tiny", (("counter", 2), ("digits", 2), ("ends", 0)), 3)
    layout = lay_out(counter_system(), shape)
    assert shape.log_height("digits") == 2
    # Main: 4 columns of 4 cells, 1 of 4, 1 of 1; helpers: 4 + 4 + 1 cells.
    assert (layout.main_chunks, layout.helper_chunks) == (3, 2)
    assert layout.pieces[-2:] == (Piece(2, 0, 2, 4, 0), Piece(2, 1, 4, 0, 0))


@pytest.mark.parametrize(
    ("heights", "chip", "got"),
    [
        ({"counter": 4, "digits": 2, "ends": 0}, "counter", 4),
        ({"counter": -1, "digits": 2, "ends": 0}, "counter", -1),
        ({"counter": 1, "ends": 0}, "digits", None),
    ],
)
def test_a_shape_that_does_not_fit_is_refused(
    heights: dict[str, int], chip: str, got: int | None
) -> None:
    with pytest.raises(ChipError) as caught:
        lay_out(counter_system(), Shape("tiny", tuple(heights.items()), 3))
    assert str(caught.value) == (
        f"shape tiny: chip {chip}: expected a log height from 0 to 3, got {got}"
    )


def test_a_range_table_above_16_bits_is_refused() -> None:
    """Given a table that offers its row numbers, one row more would admit 2^16."""
    chip = make_chip("range", {"n": Field}, lambda c, b: b.provide(RANGE16, ROW, times=c.n))
    system = compile_system((chip,), (), "range", (), R)
    lay_out(system, Shape("tiny", (("range", 16),), 20))
    with pytest.raises(ChipError) as caught:
        lay_out(system, Shape("tiny", (("range", 17),), 20))
    assert str(caught.value) == (
        "shape tiny: chip range: expected at most 2^16 rows in a range table, got 2^17"
    )


def heavy_system(times: int) -> System:
    bus = Bus("heavy", 2, 1)
    heavy = make_chip("heavy", {"x": Field, "n": U64}, lambda c, b: b.send(bus, c.x, times=times))
    return compile_system((heavy,), (), "heavy", (), R)


def test_counts_that_could_wrap_are_refused() -> None:
    """Given four look-ups a row beside the heavy bus, the sum must stay below 2^60."""
    shape = Shape("tiny", (("heavy", 4),), 4)
    lay_out(heavy_system(2**56 - 5), shape)
    with pytest.raises(ChipError) as caught:
        lay_out(heavy_system(2**56 - 4), shape)
    assert str(caught.value) == f"shape tiny: expected counts below {2**60}, got {2**60}"
