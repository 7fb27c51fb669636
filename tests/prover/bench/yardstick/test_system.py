"""Shapes of the yardstick: room for every trade count, at a cost that stays linear."""

import pytest

from circuits.air.lint import lint
from circuits.air.shape import lay_out
from circuits.chips.system import CHIPS as MARGIN_CHIPS
from prover.bench.options import TRADES_MAX
from prover.bench.yardstick.system import CHIPS, LOG_CHUNK_MAX, key_for, shape_for, yardstick_system
from prover.bench.yardstick.witness import build_witness
from prover.srs_tools import development_setup
from tests.support.yardstick import trades_of

COUNTS = [1, 2, 3, 63, 64, 100, 512, 1000, 4096, 10_000, TRADES_MAX]


def test_lint_has_no_findings() -> None:
    assert lint(yardstick_system()) == []


def test_the_trade_chip_is_no_part_of_the_margin_system() -> None:
    new = {chip.name for chip in CHIPS} - {chip.name for chip in MARGIN_CHIPS}
    assert new == {"trade"}


@pytest.mark.parametrize("count", COUNTS)
def test_every_count_has_a_shape(count: int) -> None:
    shape = shape_for(count)
    layout = lay_out(yardstick_system(), shape)
    cells = sum(1 << piece.log_height for piece in layout.pieces)
    assert cells <= layout.chunks << shape.log_chunk < cells + (2 << shape.log_chunk)


@pytest.mark.parametrize("count", [1, 3, 5])
def test_the_witness_fills_the_rows_that_the_shape_counts_on(count: int) -> None:
    shape = shape_for(count)
    for name, height in build_witness(trades_of(count)).heights.items():
        capacity = 1 << shape.log_height(name)
        assert height <= capacity, name
        assert name == "range16" or capacity < 2 * height, name


def test_chunks_grow_with_the_trades_and_stay_few() -> None:
    shapes = [shape_for(count) for count in COUNTS]
    lengths = [shape.log_chunk for shape in shapes]
    assert lengths == sorted(lengths)
    assert lengths[0] == 16, "the range table has 2^16 rows"
    chunks = [lay_out(yardstick_system(), shape).chunks for shape in shapes]
    assert max(chunks[:-1]) <= 64
    assert (lengths[-1], max(chunks)) == (LOG_CHUNK_MAX, chunks[-1]), "no longer chunk exists"


def test_committed_and_opened_cells_grow_at_most_linearly() -> None:
    """From 512 trades on, eight times as many cost at most eight times the cells."""

    def cells(count: int) -> int:
        shape = shape_for(count)
        return lay_out(yardstick_system(), shape).chunks + 3 << shape.log_chunk

    assert cells(4096) <= 8 * cells(512)
    assert cells(32_768) <= 8 * cells(4096)


def test_keys_stand_on_the_development_setup() -> None:
    key = key_for(3)
    assert key.setup == development_setup()
    assert key.setup.insecure
    assert key.public_names == ("domain",)
    assert key.digest != key_for(2).digest
