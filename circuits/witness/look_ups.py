"""What the chips that are filled ask of look-up tables: distinct tuples and how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from circuits.air.builder import RANGE16
from circuits.air.bus import Bus, Interaction
from circuits.air.check import evaluate
from circuits.air.chip import System
from circuits.air.expr import Expr, Op, walk
from circuits.chips.range16 import HEIGHT
from circuits.errors import ConstraintError
from circuits.witness.table import (
    FIELD_LIMBS,
    WORD_DTYPE,
    CellColumns,
    integers,
    pack_words,
)

NUMBER_MAX = 2**63
# Leaves that are the same on every row.
_UNIFORM = (Op.CONSTANT, Op.PUBLIC, Op.ACTIVE)


@dataclass(frozen=True, slots=True)
class LookUps:
    """Distinct tuples in the order in which they are first asked for, and how often each is.

    Shape: words uint64[n, arity, 4], counts int64[n].
    """

    words: np.ndarray
    counts: np.ndarray

    def as_mapping(self) -> dict[Any, int]:
        """Counts by tuples of integers."""
        columns = [integers(self.words[:, k]) for k in range(self.words.shape[1])]
        return dict(zip(zip(*columns, strict=True), self.counts.tolist(), strict=True))


def rows_as_bytes(rows: np.ndarray) -> list[bytes]:
    """Each row of an array as one hashable value."""
    words = prod(rows.shape[1:])
    row_type = np.dtype((np.void, words * rows.itemsize))
    keys: list[bytes] = np.ascontiguousarray(rows).reshape(-1, words).view(row_type)[:, 0].tolist()
    return keys


def look_ups(
    system: System, bus: Bus, cells: Mapping[str, CellColumns], publics: Sequence[int]
) -> LookUps:
    """What the chips in `cells` ask of the table on a bus, chip by chip in the system's order."""
    found: Counter[bytes] = Counter()
    for rows, asked in _asking(system, bus, cells, publics):
        for each in asked:
            times = rows.numbers(each.times)
            keys = rows_as_bytes(np.stack([rows.words(value) for value in each.values], axis=1))
            if (times == 1).all():
                found.update(keys)
                continue
            for key, count in zip(keys, times.tolist(), strict=True):
                if count:
                    found[key] += count
    words = np.frombuffer(b"".join(found), dtype=WORD_DTYPE)
    counts = np.fromiter(found.values(), dtype=np.int64, count=len(found))
    return LookUps(words.reshape(-1, bus.arity, FIELD_LIMBS), counts)


def range_counts(
    system: System, cells: Mapping[str, CellColumns], publics: Sequence[int]
) -> np.ndarray:
    """How often each 16-bit number is looked up, uint32[65536].

    Raises: ConstraintError for a number that the table does not have.
    """
    counts = np.zeros(HEIGHT, dtype=np.int64)
    for rows, asked in _asking(system, RANGE16, cells, publics):
        for each in asked:
            numbers, times = rows.numbers(each.values[0]), rows.numbers(each.times)
            if len(numbers) and numbers.max() >= HEIGHT:
                raise ConstraintError(
                    "range16 look-up", f"a number below {HEIGHT}", int(numbers.max())
                )
            np.add.at(counts, numbers, times)
    return counts.astype(np.uint32)


def _asking(
    system: System, bus: Bus, cells: Mapping[str, CellColumns], publics: Sequence[int]
) -> Iterator[tuple[_Rows, list[Interaction]]]:
    """The look-ups of each chip that is filled, with the rows to evaluate them on."""
    for chip in system.chips:
        asked = [each for each in chip.interactions if each.bus is bus and each.sign > 0]
        if asked and chip.name in cells and len(cells[chip.name][0]):
            exprs = [expr for each in asked for expr in (each.times, *each.values)]
            yield _Rows(exprs, cells[chip.name], publics, system.modulus), asked


class _Rows:
    """The values of some expressions on every row of one chip.

    Most are one column or one constant; the others are computed on integers, all at once.
    """

    def __init__(
        self, exprs: Sequence[Expr], columns: CellColumns, publics: Sequence[int], modulus: int
    ) -> None:
        self.columns = columns
        self.height = len(columns[0])
        shape = (self.height, FIELD_LIMBS)
        self.uniform = {
            expr: np.broadcast_to(_packed([_uniform(expr, publics, modulus)]), shape)
            for expr in exprs
            if expr.op in _UNIFORM
        }
        computed = [
            expr
            for expr in dict.fromkeys(exprs)
            if expr.op is not Op.COLUMN and expr.op not in _UNIFORM
        ]
        used = {node.value for node in walk(computed) if node.op is Op.COLUMN}
        cells = [
            integers(column) if number in used else [] for number, column in enumerate(columns)
        ]
        values = evaluate(computed, cells, publics, modulus, self.height)
        self.computed = {
            expr: _packed(numbers) for expr, numbers in zip(computed, values, strict=True)
        }

    def words(self, expr: Expr) -> np.ndarray:
        """Shape: uint64[height, 4]."""
        if expr in self.computed:
            return self.computed[expr]
        if expr in self.uniform:
            return self.uniform[expr]
        column = self.columns[expr.value]
        if column.ndim == 2:
            return column
        wide = np.zeros((self.height, FIELD_LIMBS), dtype=WORD_DTYPE)
        wide[:, 0] = column
        return wide

    def numbers(self, expr: Expr) -> np.ndarray:
        """Values that fit int64[height]. Raises: ConstraintError for a larger one."""
        if expr.op is Op.COLUMN and self.columns[expr.value].ndim == 1:
            low, high = self.columns[expr.value], None
        else:
            words = self.words(expr)
            low, high = words[:, 0], words[:, 1:]
        if len(low) and (low.max() >= NUMBER_MAX or (high is not None and high.any())):
            raise ConstraintError("look-up", f"a number below {NUMBER_MAX}", "a larger one")
        return low.astype(np.int64)


def _uniform(expr: Expr, publics: Sequence[int], modulus: int) -> int:
    """The value that a leaf has on every row."""
    if expr.op is Op.ACTIVE:
        return 1
    return (publics[expr.value] if expr.op is Op.PUBLIC else expr.value) % modulus


def _packed(numbers: list[int]) -> np.ndarray:
    words = pack_words(numbers)
    assert words is not None, "values are reduced"
    return words
