"""One chip's cells as columns of fixed width, the form that the prover commits to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from circuits.air.chip import Chip
from circuits.air.columns import FULL_BITS, Given, Logical, Physical
from circuits.errors import ConstraintError
from circuits.field import R

FIELD_BYTES = 32
FIELD_LIMBS = 4
WORD_BITS = 64
WORD_DTYPE = "<u8"
DTYPES: Mapping[int, str] = {1: "<u1", 8: "<u1", 16: "<u2", 32: "<u4", 64: "<u8", FULL_BITS: "<u8"}
"""Cell type by the bits of a column; a full-width cell is four words, lowest first."""

CellLists = list[list[int]]
CellColumns = tuple[np.ndarray, ...]
"""Columns as a `Table` has them."""


@dataclass(frozen=True, slots=True)
class Table:
    """The active rows of one chip; rows from `height` on are zero and not stored.

    Shape: each column [height], or [height, 4] for a full-width one, in the order of the chip.
    """

    name: str
    height: int
    columns: CellColumns

    def cells(self) -> CellLists:
        """Every column as canonical integers, as the checker reads them."""
        return [integers(column) for column in self.columns]


def cell_bytes(physical: Physical) -> int:
    """Stored bytes of one cell."""
    return FIELD_BYTES if physical.bits == FULL_BITS else np.dtype(DTYPES[physical.bits]).itemsize


def split_cells(chip: Chip, filled: Mapping[str, Any]) -> CellColumns:
    """The physical columns of a filled chip: wide integers split into their limbs.

    A filled column holds integers, or is an array: [height], or packed cells [height, 4] for a
    full-width one.
    Assumes: packed cells are below r. Raises: ConstraintError naming the chip, column and row of
    a value that has no cell.
    """
    cells: list[np.ndarray] = []
    for name, declared in chip.Cols.logical.items():
        places = declared if isinstance(declared, tuple) else (declared,)
        values = filled[name] if isinstance(declared, tuple) else (filled[name],)
        for place, numbers in zip(places, values, strict=True):
            cells += _limbs(chip, place, numbers)
    heights = {len(column) for column in cells}
    if len(heights) != 1:
        raise ConstraintError(f"chip {chip.name}", "columns of one height", sorted(heights))
    return tuple(cells)


def _limbs(chip: Chip, place: Logical, numbers: Sequence[int] | np.ndarray) -> list[np.ndarray]:
    if isinstance(place.declared, Given):
        widths = [place.declared.width_bits]
    else:
        widths = [bits for bits, _ in place.declared.limbs]
    bits = sum(widths)
    if isinstance(numbers, np.ndarray) and numbers.ndim == 2:
        if widths != [FULL_BITS]:
            column = f"chip {chip.name}: column {place.name}"
            raise ConstraintError(column, f"cells of {bits} bits", "packed cells")
        return [np.ascontiguousarray(numbers, dtype=DTYPES[FULL_BITS])]
    words = pack_words(numbers) if bits > WORD_BITS else _words(numbers)
    if words is None or not _fit(words, bits):
        limit = R if widths == [FULL_BITS] else 1 << bits
        row, value = next(
            (row, int(value)) for row, value in enumerate(numbers) if not 0 <= value < limit
        )
        raise ConstraintError(
            f"chip {chip.name}: column {place.name}: row {row}", f"0..{limit - 1}", value
        )
    if len(widths) == 1:
        return [words.astype(DTYPES[widths[0]], copy=False)]
    octets = words.view("<u1").reshape(-1, words.itemsize * prod(words.shape[1:]))
    return [
        np.ascontiguousarray(octets[:, first : first + width // 8]).view(DTYPES[width])[:, 0]
        for first, width in zip(_offsets(widths), widths, strict=True)
    ]


def _offsets(widths: Sequence[int]) -> list[int]:
    """The first byte of each limb."""
    return [sum(widths[:number]) // 8 for number in range(len(widths))]


def _words(numbers: Sequence[int] | np.ndarray) -> np.ndarray | None:
    """Integers as 64-bit words, or None if one does not fit."""
    if isinstance(numbers, np.ndarray):
        is_below_zero = numbers.dtype.kind == "i" and len(numbers) and numbers.min() < 0
        return None if is_below_zero else numbers.astype(WORD_DTYPE)
    try:
        return np.array(numbers, dtype=WORD_DTYPE)
    except OverflowError:
        return None


def pack_words(numbers: Sequence[int] | np.ndarray) -> np.ndarray | None:
    """Integers as packed cells [height, 4], or None if one is not in 0 .. 2^256 - 1."""
    values = numbers.tolist() if isinstance(numbers, np.ndarray) else numbers
    try:
        encoded = b"".join([value.to_bytes(FIELD_BYTES, "little") for value in values])
    except OverflowError:
        return None
    return np.frombuffer(encoded, dtype=WORD_DTYPE).reshape(-1, FIELD_LIMBS)


def _fit(words: np.ndarray, bits: int) -> bool:
    """Whether all of these words, or rows of four, are below 2^bits, or below r if that is all."""
    if bits == FULL_BITS:
        return first_uncanonical(words) is None
    if bits == WORD_BITS:
        return True
    if words.ndim == 1:
        return not (words >> np.uint64(bits)).any()
    whole, rest = divmod(bits, WORD_BITS)
    is_within = not words[:, whole + bool(rest) :].any()
    return is_within and not (rest and (words[:, whole] >> np.uint64(rest)).any())


def first_uncanonical(cells: np.ndarray) -> int | None:
    """The first row of packed cells that is not below r. Shape: [height, 4]."""
    if not (cells[:, -1] >= np.uint64(R >> WORD_BITS * (FIELD_LIMBS - 1))).any():
        return None
    above = np.zeros(len(cells), dtype=bool)
    equal = np.ones(len(cells), dtype=bool)
    for limb in reversed(range(FIELD_LIMBS)):
        bound = np.uint64(R >> WORD_BITS * limb & 2**WORD_BITS - 1)
        above |= equal & (cells[:, limb] > bound)
        equal &= cells[:, limb] == bound
    rows = np.flatnonzero(above | equal)
    return int(rows[0]) if len(rows) else None


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
    words = pack_words(values)
    if words is None:
        raise OverflowError(f"column {physical.name}: expected integers of {FULL_BITS} bits")
    return words


def integers(column: np.ndarray) -> list[int]:
    """The canonical integers of a column."""
    if column.ndim == 1:
        numbers: list[int] = column.tolist()
        return numbers
    encoded = np.ascontiguousarray(column, dtype=WORD_DTYPE).tobytes()
    return [
        int.from_bytes(encoded[start : start + FIELD_BYTES], "little")
        for start in range(0, len(encoded), FIELD_BYTES)
    ]
