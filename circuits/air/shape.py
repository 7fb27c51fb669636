"""Shapes and layout: where every column lies in the committed chunks.

The layout is a compile-time constant of the verifying key. Columns are sorted by height, highest
first, and placed one after the other, so each starts at a multiple of its own length: the low
index bits of a chunk cell are then exactly the row bits of the column (protocol 3.0, trap P2).
"""

from __future__ import annotations

from dataclasses import dataclass

from circuits.air.builder import RANGE16
from circuits.air.chip import COUNT_TOTAL_MAX, ChipError, System

RANGE16_LOG_ROWS = 16


@dataclass(frozen=True, slots=True)
class Shape:
    """Log2 of the row capacity of every chip, and of the chunk length."""

    name: str
    log_heights: tuple[tuple[str, int], ...]
    log_chunk: int

    def log_height(self, chip_name: str) -> int:
        return dict(self.log_heights)[chip_name]


@dataclass(frozen=True, slots=True)
class Piece:
    """One column in the stack. `column` counts the chip's main columns, then its helpers."""

    chip: int
    column: int
    chunk: int
    offset: int
    log_height: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Pieces in chip and column order, with the number of main and of helper chunks.

    Chunks 0 .. main_chunks-1 hold main columns, the next helper_chunks hold helper columns.
    """

    pieces: tuple[Piece, ...]
    main_chunks: int
    helper_chunks: int
    log_chunk: int

    @property
    def chunks(self) -> int:
        return self.main_chunks + self.helper_chunks


def lay_out(system: System, shape: Shape) -> Layout:
    """Place every column.

    Raises: ChipError when a chip has no height, is higher than a chunk, when the range table has
    rows above 2^16 (each is a number that it offers), or when counts could wrap.
    """
    heights = dict(shape.log_heights)
    for chip in system.chips:
        if not 0 <= heights.get(chip.name, -1) <= shape.log_chunk:
            raise ChipError(
                f"shape {shape.name}: chip {chip.name}: expected a log height from 0 to "
                f"{shape.log_chunk}, got {heights.get(chip.name)}"
            )
        offers = any(each.bus is RANGE16 and each.sign < 0 for each in chip.interactions)
        if offers and heights[chip.name] > RANGE16_LOG_ROWS:
            raise ChipError(
                f"shape {shape.name}: chip {chip.name}: expected at most 2^{RANGE16_LOG_ROWS} "
                f"rows in a range table, got 2^{heights[chip.name]}"
            )
    total = system.count_total(heights)
    if total >= COUNT_TOTAL_MAX:
        raise ChipError(f"shape {shape.name}: expected counts below {COUNT_TOTAL_MAX}, got {total}")
    return stack_columns(
        tuple(heights[chip.name] for chip in system.chips),
        tuple(len(chip.columns) for chip in system.chips),
        tuple(chip.helper_count for chip in system.chips),
        shape.log_chunk,
    )


def stack_columns(
    log_heights: tuple[int, ...],
    main_counts: tuple[int, ...],
    helper_counts: tuple[int, ...],
    log_chunk: int,
) -> Layout:
    """The layout from counts alone, so that a verifying key need not store it.

    Raises: ChipError when a column is not aligned to its own length.
    """
    main, helper = [], []
    for index, (count, helpers) in enumerate(zip(main_counts, helper_counts, strict=True)):
        main += [(index, number) for number in range(count)]
        helper += [(index, count + number) for number in range(helpers)]
    main_pieces, main_chunks = _stack(main, log_heights, log_chunk, 0)
    helper_pieces, helper_chunks = _stack(helper, log_heights, log_chunk, main_chunks)
    pieces = sorted(main_pieces + helper_pieces, key=lambda piece: (piece.chip, piece.column))
    return Layout(tuple(pieces), main_chunks, helper_chunks, log_chunk)


def _stack(
    columns: list[tuple[int, int]],
    log_heights: tuple[int, ...],
    log_chunk: int,
    first_chunk: int,
) -> tuple[list[Piece], int]:
    position = 0
    pieces = []
    for chip, number in sorted(columns, key=lambda each: (-log_heights[each[0]], each)):
        log_height = log_heights[chip]
        if position % (1 << log_height):
            raise ChipError(f"layout: column {number} of chip {chip} is not aligned")
        chunk, offset = divmod(position, 1 << log_chunk)
        pieces.append(Piece(chip, number, first_chunk + chunk, offset, log_height))
        position += 1 << log_height
    return pieces, -(-position // (1 << log_chunk))
