"""Columns of the signature chips from finished products."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from circuits.chips.signature_trace import (
    BASE_ENTRIES,
    BYTE_BITS,
    BYTES_PER_WINDOW,
    DIGITS,
    DIGITS_PER_WINDOW,
    HALF_BITS,
    MULTIPLES_PER_ROW,
    SLOPES_PER_ROW,
    TABLE_ROWS,
    WINDOW_ROWS,
    WINDOWS_PER_ROW,
    Product,
    Request,
    base_chains,
    bytes_of,
    digits_of,
    halves_of,
)
from circuits.edwards import SUBGROUP_ORDER, Point
from circuits.field import R

Scalars = tuple[int, int]
"""s and h of one signature."""

BYTES_PER_ROW = WINDOWS_PER_ROW * BYTES_PER_WINDOW
DIGITS_PER_ROW = WINDOWS_PER_ROW * DIGITS_PER_WINDOW

BASE_NAMES = ("high", "low")
"""What the columns of the base table end with, in the order of the halves."""


def signature_columns(
    requests: Sequence[Request], hashes: Sequence[int], products: Sequence[Product]
) -> dict[str, Any]:
    """One row per signature; `hashes` are those whose low halves are the challenges."""
    mask = (1 << HALF_BITS) - 1
    responses = [product.s for product in products]
    return {
        "key": _axes(key for key, _, _ in requests),
        "negated": _axes(product.negated for product in products),
        "digest": [digest for _, digest, _ in requests],
        "r_x": [signature.r_x for _, _, signature in requests],
        "r_image": _axes(product.row_points[-1] for product in products),
        "s_high": [s >> HALF_BITS for s in responses],
        "s_low": [s & mask for s in responses],
        "h_high": [hashed >> HALF_BITS for hashed in hashes],
        "h_low": [hashed & mask for hashed in hashes],
        "s_borrow": [int(s & mask > (SUBGROUP_ORDER - 1) & mask) for s in responses],
        "h_borrow": [int(hashed & mask > (R - 1) & mask) for hashed in hashes],
    }


def window_columns(products: Sequence[Product]) -> dict[str, Any]:
    """Eight rows per product, in order; the signature number is its place in the list."""
    multiples = [
        [word for digit in digits for word in product.multiples[digit]]
        for product in products
        for digits in _rows(digits_of(product.h), DIGITS_PER_ROW)
    ]
    entries = [points for points, _ in base_chains()]
    bases = [
        [word for k, byte in enumerate(octets) for word in entries[k % BYTES_PER_WINDOW][byte]]
        for product in products
        for octets in _rows(bytes_of(product.s), BYTES_PER_ROW)
    ]
    slopes = [row for product in products for row in _rows(product.slopes, SLOPES_PER_ROW)]
    return window_numbers(_scalars(products)) | {
        "start": _axes(point for product in products for point in product.row_points[:-1]),
        "base": _columns(bases, 2 * BYTES_PER_ROW),
        "multiple": _columns(multiples, 2 * DIGITS_PER_ROW),
        "slope": _columns(slopes, SLOPES_PER_ROW),
    }


def window_numbers(scalars: Sequence[Scalars]) -> dict[str, Any]:
    """The columns of `window_columns` that hold no points and no slopes."""
    row_bits = BYTE_BITS * WINDOWS_PER_ROW
    steps = range(WINDOW_ROWS)
    halves = [halves_of(s) for s, _ in scalars]
    values = {
        "s_high_part": [high for high, _ in halves],
        "s_low_part": [low for _, low in halves],
        "h_part": [h for _, h in scalars],
    }
    parts = {
        name: [value >> HALF_BITS - row_bits * step for value in each for step in steps]
        for name, each in values.items()
    }
    octets = [octet for s, _ in scalars for octet in _rows(bytes_of(s), BYTES_PER_ROW)]
    digits = [row for _, h in scalars for row in _rows(digits_of(h), DIGITS_PER_ROW)]
    return parts | {
        "byte_s": _columns(octets, BYTES_PER_ROW),
        "digit_h": _columns(digits, DIGITS_PER_ROW),
        "signature": [number for number in range(len(scalars)) for _ in steps],
        "step": [step for _ in scalars for step in steps],
    }


def table_columns(products: Sequence[Product]) -> dict[str, Any]:
    """Four rows per product, in order; the signature number is its place in the list."""
    slopes = [row for product in products for row in _rows(product.table_slopes, MULTIPLES_PER_ROW)]
    firsts = [point for product in products for point in product.multiples[:-1:MULTIPLES_PER_ROW]]
    return table_numbers([product.h for product in products]) | {
        "first": _axes(firsts),
        "negated": _axes(product.negated for product in products for _ in range(TABLE_ROWS)),
        "slope": _columns(slopes, MULTIPLES_PER_ROW),
    }


def table_numbers(challenges: Sequence[int]) -> dict[str, Any]:
    """The columns of `table_columns` that hold no points and no slopes, from every h."""
    used = [Counter(digits_of(h)) for h in challenges]
    rows = [(count, j) for count in used for j in range(0, DIGITS, MULTIPLES_PER_ROW)]
    return {
        "signature": [number for number in range(len(challenges)) for _ in range(TABLE_ROWS)],
        "j": [j for _, j in rows],
        "last": [int(j == DIGITS - MULTIPLES_PER_ROW) for _, j in rows],
        "count": [[count[j + k] for count, j in rows] for k in range(MULTIPLES_PER_ROW)],
    }


def base_columns(responses: Sequence[int]) -> dict[str, Any]:
    """The base tables with their counts from every S: 256 rows, or none without signatures."""
    numbers = range(BASE_ENTRIES if responses else 0)
    columns: dict[str, Any] = {"first": [int(i == 0) for i in numbers]}
    octets = [bytes_of(s) for s in responses]
    for k, (name, (points, slopes)) in enumerate(zip(BASE_NAMES, base_chains(), strict=True)):
        used = Counter(byte for each in octets for byte in each[k::BYTES_PER_WINDOW])
        columns |= {
            f"entry_{name}": _axes(points[i] for i in numbers),
            f"slope_{name}": [slopes[i] for i in numbers],
            f"count_{name}": [used[i] for i in numbers],
        }
    return columns


def _scalars(products: Sequence[Product]) -> list[Scalars]:
    return [(product.s, product.h) for product in products]


def _rows(values: Sequence[int], length: int) -> list[Sequence[int]]:
    """The values cut into rows of this length."""
    return [values[first : first + length] for first in range(0, len(values), length)]


def _columns(rows: Sequence[Sequence[int]], count: int) -> list[list[int]]:
    """Rows turned into columns; `count` columns where there are no rows."""
    return [[row[k] for row in rows] for k in range(count)]


def _axes(points: Iterable[Point]) -> list[list[int]]:
    """Two columns of coordinates."""
    return _columns(list(points), 2)
