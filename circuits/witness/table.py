"""One chip's cells as columns of fixed width, the form that the prover commits to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.air.chip import Chip
from circuits.air.columns import FULL_BITS, Given, Logical, Physical
from circuits.errors import ConstraintError
from circuits.field import R

FIELD_BYTES = 32
FIELD_LIMBS = 4
DTYPES: Mapping[int, str] = {1: "<u1", 8: "<u1", 16: "<u2", 32: "<u4", 64: "<u8", FULL_BITS: "<u8"}
"""Cell type by the bits of a column; a full-width cell is four words, lowest first."""

CellLists = list[list[int]]
PackedCells = list[list[int] | np.ndarray]
"""Columns of integers, or of full-width cells that are packed already: uint64[height, 4]."""


@dataclass(frozen=True, slots=True)
class Table:
    """The active rows of one chip; rows from `height` on are zero and not stored.

    Shape: each column [height], or [height, 4] for a full-width one, in the order of the chip.
    """

    name: str
    height: int
    columns: tuple[np.ndarray, ...]

    def cells(self) -> CellLists:
        """Every column as canonical integers, as the checker reads them."""
        return [_integers(column) for column in self.columns]


def cell_bytes(physical: Physical) -> int:
    """Stored bytes of one cell."""
    return FIELD_BYTES if physical.bits == FULL_BITS else np.dtype(DTYPES[physical.bits]).itemsize


def split_cells(chip: Chip, filled: Mapping[str, Any]) -> PackedCells:
    """The physical columns of a filled chip: wide integers split into their limbs.

    Assumes: packed cells are below r. Raises: ConstraintError naming the chip, column and row of
    a value that has no cell.
    """
    cells: PackedCells = []
    for name, declared in chip.Cols.logical.items():
        places = declared if isinstance(declared, tuple) else (declared,)
        values = filled[name] if isinstance(declared, tuple) else (filled[name],)
        for place, numbers in zip(places, values, strict=True):
            cells += _limbs(chip, place, numbers)
    heights = {len(column) for column in cells}
    if len(heights) != 1:
        raise ConstraintError(f"chip {chip.name}", "columns of one height", sorted(heights))
    return cells


def _limbs(chip: Chip, place: Logical, numbers: Sequence[int] | np.ndarray) -> PackedCells:
    if isinstance(place.declared, Given):
        widths = [place.declared.width_bits]
    else:
        widths = [bits for bits, _ in place.declared.limbs]
    if isinstance(numbers, np.ndarray) and numbers.ndim == 2:
        if widths != [FULL_BITS]:
            column = f"chip {chip.name}: column {place.name}"
            raise ConstraintError(column, f"cells of {sum(widths)} bits", "packed cells")
        return [numbers]
    values = numbers.tolist() if isinstance(numbers, np.ndarray) else list(numbers)
    limit = R if widths == [FULL_BITS] else 1 << sum(widths)
    if values and not (min(values) >= 0 and max(values) < limit):
        row = next(row for row, value in enumerate(values) if not 0 <= value < limit)
        raise ConstraintError(
            f"chip {chip.name}: column {place.name}: row {row}", f"0..{limit - 1}", values[row]
        )
    if len(widths) == 1:
        return [values]
    limbs: PackedCells = []
    shift = 0
    for bits in widths:
        mask = (1 << bits) - 1
        limbs.append([value >> shift & mask for value in values])
        shift += bits
    return limbs


def pack_table(
    name: str, columns: Sequence[Physical], cells: Sequence[Sequence[int] | np.ndarray]
) -> Table:
    """The table of cells that fit their columns."""
    packed = tuple(
        _packed(physical, values) for physical, values in zip(columns, cells, strict=True)
    )
    return Table(name, len(cells[0]), packed)


def _packed(physical: Physical, values: Sequence[int] | np.ndarray) -> np.ndarray:
    dtype = DTYPES[physical.bits]
    if isinstance(values, np.ndarray):
        return np.ascontiguousarray(values, dtype=dtype)
    if physical.bits < FULL_BITS:
        return np.array(values, dtype=dtype)
    encoded = b"".join([value.to_bytes(FIELD_BYTES, "little") for value in values])
    return np.frombuffer(encoded, dtype=dtype).reshape(-1, FIELD_LIMBS)


def as_integers(cells: PackedCells) -> CellLists:
    """The columns with none of them packed."""
    return [_integers(column) if isinstance(column, np.ndarray) else column for column in cells]


def _integers(column: np.ndarray) -> list[int]:
    if column.ndim == 1:
        return column.tolist()
    encoded = np.ascontiguousarray(column, dtype=DTYPES[FULL_BITS]).tobytes()
    return [
        int.from_bytes(encoded[start : start + FIELD_BYTES], "little")
        for start in range(0, len(encoded), FIELD_BYTES)
    ]
