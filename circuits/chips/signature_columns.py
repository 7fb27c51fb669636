"""Columns of the signature chips from finished products."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from circuits.chips.signature_trace import (
    BASE_ENTRIES,
    BYTE_BITS,
    DIGITS,
    DIGITS_PER_WINDOW,
    HALF_BITS,
    LOW_START,
    MULTIPLES_PER_ROW,
    ROWS_PER_HALF,
    SCALAR_BITS,
    SLOPES_PER_ROW,
    TABLE_ROWS,
    WINDOW_ROWS,
    WINDOWS_PER_ROW,
    Product,
    Request,
    base_chain,
    bytes_of,
    digits_of,
)
from circuits.edwards import SUBGROUP_ORDER, Point
from circuits.field import R

Scalars = tuple[int, int]
"""s and h of one signature."""

DIGITS_PER_ROW = WINDOWS_PER_ROW * DIGITS_PER_WINDOW


def signature_columns(
    requests: Sequence[Request], states: Sequence[Sequence[int]], products: Sequence[Product]
) -> dict[str, Any]:
    """One row per signature; `states` are the challenge sponges after their first block."""
    mask = (1 << HALF_BITS) - 1
    scalars = _scalars(products)
    return {
        "key": _axes(key for key, _, _ in requests),
        "negated": _axes(product.negated for product in products),
        "digest": [digest for _, digest, _ in requests],
        "r": _axes(signature.r_point for _, _, signature in requests),
        "r_image": _axes(product.row_points[-1] for product in products),
        "state": [[state[k] for state in states] for k in range(4)],
        "middle": _axes(product.middle for product in products),
        "s_high": [s >> HALF_BITS for s, _ in scalars],
        "s_low": [s & mask for s, _ in scalars],
        "h_high": [h >> HALF_BITS for _, h in scalars],
        "h_low": [h & mask for _, h in scalars],
        "s_borrow": [int(s & mask > (SUBGROUP_ORDER - 1) & mask) for s, _ in scalars],
        "h_borrow": [int(h & mask > (R - 1) & mask) for _, h in scalars],
    }


def window_columns(products: Sequence[Product]) -> dict[str, Any]:
    """Sixteen rows per product, in order; the signature number is its place in the list."""
    multiples = [
        [word for digit in digits for word in product.multiples[digit]]
        for product in products
        for digits in _rows(digits_of(product.h), DIGITS_PER_ROW)
    ]
    base_entries, _ = base_chain()
    bases = [
        [word for byte in octets for word in base_entries[byte]]
        for product in products
        for octets in _rows(bytes_of(product.s), WINDOWS_PER_ROW)
    ]
    slopes = [row for product in products for row in _rows(product.slopes, SLOPES_PER_ROW)]
    return window_numbers(_scalars(products)) | {
        "start": _axes(point for product in products for point in product.row_points[:-1]),
        "base": _columns(bases, 2 * WINDOWS_PER_ROW),
        "multiple": _columns(multiples, 2 * DIGITS_PER_ROW),
        "slope": _columns(slopes, SLOPES_PER_ROW),
    }


def window_numbers(scalars: Sequence[Scalars]) -> dict[str, Any]:
    """The columns of `window_columns` that hold no points and no slopes."""
    columns: dict[str, Any] = {}
    row_bits = BYTE_BITS * WINDOWS_PER_ROW
    places = [divmod(row, ROWS_PER_HALF) for row in range(WINDOW_ROWS)]
    for name, values in (("s", [s for s, _ in scalars]), ("h", [h for _, h in scalars])):
        columns[f"{name}_part"] = [
            value >> SCALAR_BITS - row_bits * row & (1 << row_bits * step) - 1
            for value in values
            for row, (_, step) in enumerate(places)
        ]
    octets = [octet for s, _ in scalars for octet in _rows(bytes_of(s), WINDOWS_PER_ROW)]
    digits = [row for _, h in scalars for row in _rows(digits_of(h), DIGITS_PER_ROW)]
    columns["byte_s"] = _columns(octets, WINDOWS_PER_ROW)
    columns["digit_h"] = _columns(digits, DIGITS_PER_ROW)
    columns["signature"] = [number for number in range(len(scalars)) for _ in places]
    columns["step"] = [half * LOW_START + step for _ in scalars for half, step in places]
    return columns


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
    """The base table with its counts from every S: 256 rows, or none without signatures."""
    used = Counter(byte for s in responses for byte in bytes_of(s))
    numbers = range(BASE_ENTRIES if responses else 0)
    points, slopes = base_chain()
    return {
        "entry": _axes(points[i] for i in numbers),
        "slope": [slopes[i] for i in numbers],
        "count": [used[i] for i in numbers],
        "first": [int(i == 0) for i in numbers],
    }


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
