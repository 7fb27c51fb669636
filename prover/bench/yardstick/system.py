"""The yardstick's chips, its shapes for any number of trades, and its keys."""

from __future__ import annotations

from functools import cache

from circuits.air.chip import Chip, System, compile_system
from circuits.air.shape import RANGE16_LOG_ROWS, Shape
from circuits.chips.bits import WideChip
from circuits.chips.poseidon2 import Poseidon2Chip
from circuits.chips.pubdata import PubdataChip
from circuits.chips.range16 import Range16Chip
from circuits.chips.signature import SignatureChip, SignatureTableChip, SignatureWindowsChip
from circuits.field import R
from prover.bench.yardstick.chip import LINKS, PARTIES, PUBLIC_NAMES, TradeChip
from prover.srs_tools import development_setup
from verifier.key import VerifyingKey, make_key

CHIPS: tuple[Chip, ...] = (
    Range16Chip(),
    WideChip(),
    Poseidon2Chip(),
    SignatureWindowsChip(),
    SignatureTableChip(),
    SignatureChip(),
    TradeChip(),
    PubdataChip(),
)

# Two permutations of the challenge hash of each signature, besides the chain.
PERMUTATIONS = LINKS + 2 * PARTIES
ROWS_PER_TRADE = {
    WideChip.name: 4 * PARTIES,
    Poseidon2Chip.name: PERMUTATIONS,
    SignatureWindowsChip.name: 16 * PARTIES,
    SignatureTableChip.name: 4 * PARTIES,
    SignatureChip.name: PARTIES,
    TradeChip.name: 1,
    PubdataChip.name: 1,
}

LOG_CHUNK_MAX = 24
"""The largest development setup."""

# What a commitment costs in field multiplications: a cell added to its bucket, in every window of
# its scalar, and a bucket added up. An opening commits to three polynomials of a chunk's length:
# all folds together, the quotient, and the witness.
_CELL_COST = 6
_BUCKET_COST = 28
_SCALAR_BITS = 254
_OPENING_POLYNOMIALS = 3


@cache
def yardstick_system() -> System:
    """The statement of the yardstick, compiled once."""
    return compile_system(CHIPS, PUBLIC_NAMES, PubdataChip.name, (), R)


@cache
def shape_for(trades: int) -> Shape:
    """Row capacities for so many trades, and the chunk length that makes committing cheapest.

    Long chunks need fewer commitments, each cheaper per cell; short ones need less to open. With
    more trades the first wins, so the length grows with them and the cost stays linear.
    """
    heights = {name: _log2_above(rows * trades) for name, rows in ROWS_PER_TRADE.items()}
    heights[Range16Chip.name] = RANGE16_LOG_ROWS
    cells = sum(chip.cells_per_row << heights[chip.name] for chip in yardstick_system().chips)
    shortest = max(heights.values())
    log_chunk = min(
        range(shortest, LOG_CHUNK_MAX + 1), key=lambda log_chunk: _commitment_cost(cells, log_chunk)
    )
    log_heights = tuple((chip.name, heights[chip.name]) for chip in CHIPS)
    return Shape(f"yardstick-{trades}", log_heights, log_chunk)


@cache
def key_for(trades: int) -> VerifyingKey:
    """The verifying key for so many trades, over the development setup."""
    return make_key(yardstick_system(), shape_for(trades), development_setup())


def _log2_above(count: int) -> int:
    return (count - 1).bit_length()


def _commitment_cost(cells: int, log_chunk: int) -> int:
    """Multiplications of all commitments of a proof of so many full-width cells."""
    full_chunks, rest = divmod(cells, 1 << log_chunk)
    return (full_chunks + _OPENING_POLYNOMIALS) * _sum_cost(1 << log_chunk) + _sum_cost(rest)


@cache
def _sum_cost(cells: int) -> int:
    """Multiplications of one multi-scalar multiplication, with the windows that suit it best."""
    return min(
        -(-_SCALAR_BITS // bits) * (cells * _CELL_COST + (_BUCKET_COST << (bits - 1)))
        for bits in range(2, 21)
    )
