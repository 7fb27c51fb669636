"""Digits, parts and counts of many scalars against those of one signature after the other."""

from __future__ import annotations

import random

import numpy as np

from circuits.chips import signature_columns
from circuits.chips.signature_trace import HALF_BITS
from circuits.edwards import SUBGROUP_ORDER
from circuits.field import R
from circuits.witness.table import integers, pack_words
from prover.signature_cells import (
    base_columns,
    borrows,
    halves,
    table_numbers,
    window_numbers,
)

SEVERAL = ("byte_s", "digit_h", "count", "entry_high", "entry_low")  # columns
EDGES = [0, 1, 2**64 - 1, 2**64, 2**128 - 1, 2**128, 2**192, 2**256 - 1, R - 1, SUBGROUP_ORDER - 1]


def scalars(rng: random.Random) -> list[int]:
    near = [bound + shift for bound in (R - 1, SUBGROUP_ORDER - 1) for shift in (-1, 1, 2**64)]
    return [*EDGES, *near, *(rng.getrandbits(256) for _ in range(10))]


def packed(values: list[int]) -> np.ndarray:
    words = pack_words(values)
    assert words is not None
    return words


def plain(column: np.ndarray | list[np.ndarray]) -> list[object]:
    """Integers of a column, or of each of several."""
    if isinstance(column, list) or column.ndim == 3:
        return [plain(each) for each in column]
    return integers(column)


def test_the_columns_of_digits_are_those_of_the_chips(rng: random.Random) -> None:
    s = scalars(rng)
    h = [value % (1 << HALF_BITS) for value in s[::-1]]
    pairs = list(zip(s, h, strict=True))
    for made, expected in (
        (window_numbers(packed(s), packed(h)), signature_columns.window_numbers(pairs)),
        (table_numbers(packed(h)), signature_columns.table_numbers(h)),
        (base_columns(packed(s)), signature_columns.base_columns(s)),
    ):
        assert {name: plain(column) for name, column in made.items()} == expected


def test_halves_and_borrows(rng: random.Random) -> None:
    values = scalars(rng)
    high, low = halves(packed(values))
    mask = (1 << HALF_BITS) - 1
    assert integers(high) == [value >> HALF_BITS for value in values]
    assert integers(low) == [value & mask for value in values]
    for bound in (R - 1, SUBGROUP_ORDER - 1, 2**64, 0):
        expected = [int(value & mask > bound & mask) for value in values]
        assert borrows(packed(values), bound).tolist() == expected


def test_no_signatures_have_no_rows() -> None:
    none = packed([])
    for columns in (window_numbers(none, none), table_numbers(none), base_columns(none)):
        for name, column in columns.items():
            for each in column if name in SEVERAL else [column]:
                assert len(each) == 0, name
