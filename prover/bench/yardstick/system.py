"""The yardstick's chips, its shapes for any number of trades, and its keys."""

from __future__ import annotations

from functools import cache

from circuits.air.chip import Chip, CompiledChip, System, compile_system
from circuits.air.shape import RANGE16_LOG_ROWS, Shape
from circuits.chips.bits import WideChip
from circuits.chips.poseidon2 import Poseidon2Chip
from circuits.chips.pubdata import PubdataChip
from circuits.chips.range16 import Range16Chip
from circuits.chips.signature import (
    BaseTableChip,
    SignatureChip,
    SignatureTableChip,
    SignatureWindowsChip,
)
from circuits.chips.signature_trace import BASE_ENTRIES, TABLE_ROWS, WINDOW_ROWS
from circuits.field import R
from circuits.witness.demand import WIDE_ROWS
from prover.bench.yardstick.chip import LINKS, PARTIES, PUBLIC_NAMES, TradeChip
from prover.srs_tools import development_setup
from verifier.key import VerifyingKey, make_key

CHIPS: tuple[Chip, ...] = (
    Range16Chip(),
    WideChip(),
    Poseidon2Chip(),
    SignatureWindowsChip(),
    SignatureTableChip(),
    BaseTableChip(),
    SignatureChip(),
    TradeChip(),
    PubdataChip(),
)

# The challenge of each signature, besides the chain.
PERMUTATIONS = LINKS + PARTIES
ROWS_PER_TRADE = {
    WideChip.name: WIDE_ROWS * PARTIES,
    Poseidon2Chip.name: PERMUTATIONS,
    SignatureWindowsChip.name: WINDOW_ROWS * PARTIES,
    SignatureTableChip.name: TABLE_ROWS * PARTIES,
    SignatureChip.name: PARTIES,
    TradeChip.name: 1,
    PubdataChip.name: 1,
}

LOG_CHUNK_MAX = 24
"""The largest development setup."""

# What a multi-scalar multiplication costs, in field multiplications: a cell added to its bucket,
# for each window of its scalar, and a bucket added up. An opening has three of a chunk's length:
# all folds together, the quotient, and the witness.
_CELL_COST = 10
_BUCKET_COST = 28
_SCALAR_BITS = 254
_OPENING_POLYNOMIALS = 3


@cache
def yardstick_system() -> System:
    """The statement of the yardstick, compiled once."""
    return compile_system(CHIPS, PUBLIC_NAMES, PubdataChip.name, (), R)


def rows_for(trades: int) -> dict[str, int]:
    """Rows of every chip for so many trades."""
    rows = {name: per_trade * trades for name, per_trade in ROWS_PER_TRADE.items()}
    return rows | {Range16Chip.name: 1 << RANGE16_LOG_ROWS, BaseTableChip.name: BASE_ENTRIES}


@cache
def shape_for(trades: int) -> Shape:
    """Row capacities for so many trades, and the chunk length that makes committing cheapest.

    Long chunks need fewer commitments, each cheaper per cell; short ones need less to open. With
    more trades the first counts for more, so chunks grow with them and the cost stays linear.
    """
    rows = rows_for(trades)
    heights = {name: (count - 1).bit_length() for name, count in rows.items()}
    chips = yardstick_system().chips
    placed = sum(chip.cells_per_row << heights[chip.name] for chip in chips)
    used = sum(_width(chip) * rows[chip.name] for chip in chips) // _SCALAR_BITS
    log_chunk = min(
        range(max(heights.values()), LOG_CHUNK_MAX + 1),
        key=lambda log_chunk: _commitment_cost(placed, used, log_chunk),
    )
    log_heights = tuple((chip.name, heights[chip.name]) for chip in CHIPS)
    return Shape(f"yardstick-{trades}", log_heights, log_chunk)


@cache
def key_for(trades: int) -> VerifyingKey:
    """The verifying key for so many trades, over the development setup."""
    return make_key(yardstick_system(), shape_for(trades), development_setup())


def _width(chip: CompiledChip) -> int:
    """Bits of the scalars of one row."""
    narrow = sum(min(column.bits, _SCALAR_BITS) for column in chip.columns)
    return narrow + chip.helper_count * _SCALAR_BITS


def _commitment_cost(placed: int, used: int, log_chunk: int) -> int:
    """Multiplications of all commitments of a proof.

    `placed` cells take up room in chunks, padding included; `used` is how many full-width cells
    the rest is worth.
    """
    chunks = -(-placed >> log_chunk)
    opened = _OPENING_POLYNOMIALS * _sum_cost(1 << log_chunk)
    return chunks * _sum_cost(used // chunks) + opened


def _sum_cost(cells: int) -> int:
    """Multiplications of one multi-scalar multiplication, with the windows that suit it best."""
    return min(
        -(-_SCALAR_BITS // bits) * (cells * _CELL_COST + (_BUCKET_COST << (bits - 1)))
        for bits in range(2, 21)
    )
