"""Columns of the three signature chips from finished products."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

from circuits.chips.signature_trace import (
    DIGIT_BITS,
    DIGITS,
    HALF_BITS,
    LOW_START,
    ROWS_PER_HALF,
    SCALAR_BITS,
    WINDOWS_PER_ROW,
    Product,
    Request,
    digits_of,
)
from circuits.edwards import IDENTITY, SUBGROUP_ORDER, Point
from circuits.field import R, batch_inverse

Scalars = tuple[int, int]
"""s and h of one signature."""

WINDOW_POINTS = ("double", "quad", "entry", "sum")
"""The points of a window, as `Product.windows` has them."""


def signature_columns(
    requests: Sequence[Request], states: Sequence[Sequence[int]], products: Sequence[Product]
) -> dict[str, Any]:
    """One row per signature; `states` are the challenge sponges after their first block."""
    middles = [each.windows[len(each.windows) // 2 - 1][-1] for each in products]
    return columns_of_requests(requests, states, _scalars(products), middles)


def columns_of_requests(
    requests: Sequence[Request],
    states: Sequence[Sequence[int]],
    scalars: Sequence[Scalars],
    middles: Sequence[Point],
) -> dict[str, Any]:
    """`signature_columns` from (s, h) and the product after the high halves, per signature."""
    mask = (1 << HALF_BITS) - 1
    r_points = [signature.r_point for _, _, signature in requests]
    return {
        "key": [[key[k] for key, _, _ in requests] for k in range(2)],
        "digest": [digest for _, digest, _ in requests],
        "r": [[point[k] for point in r_points] for k in range(2)],
        "inverse_r_x": batch_inverse([x for x, _ in r_points]),
        "state": [[state[k] for state in states] for k in range(4)],
        "middle": [[point[k] for point in middles] for k in range(2)],
        "s_high": [s >> HALF_BITS for s, _ in scalars],
        "s_low": [s & mask for s, _ in scalars],
        "h_high": [h >> HALF_BITS for _, h in scalars],
        "h_low": [h & mask for _, h in scalars],
        "s_borrow": [int(s & mask > (SUBGROUP_ORDER - 1) & mask) for s, _ in scalars],
        "h_borrow": [int(h & mask > (R - 1) & mask) for _, h in scalars],
    }


def window_columns(products: Sequence[Product]) -> dict[str, Any]:
    """Sixteen rows per product, in order; the signature number is its place in the list."""
    columns = window_numbers(_scalars(products))
    points, windows = [], []
    for product in products:
        point = IDENTITY
        for first in range(0, len(product.windows), WINDOWS_PER_ROW):
            points.append(point)
            windows.append(product.windows[first : first + WINDOWS_PER_ROW])
            point = windows[-1][-1][-1]
    columns["start"] = [[point[k] for point in points] for k in range(2)]
    for place, name in enumerate(WINDOW_POINTS):
        for k, axis in enumerate("xy"):
            columns[f"{name}_{axis}"] = [
                [each[w][place][k] for each in windows] for w in range(WINDOWS_PER_ROW)
            ]
    return columns


def window_numbers(scalars: Sequence[Scalars]) -> dict[str, Any]:
    """The columns of `window_columns` that hold no points."""
    columns: dict[str, Any] = {}
    row_bits = DIGIT_BITS * WINDOWS_PER_ROW
    places = [divmod(row, ROWS_PER_HALF) for row in range(2 * ROWS_PER_HALF)]
    for name, values in (("s", [s for s, _ in scalars]), ("h", [h for _, h in scalars])):
        columns[f"{name}_part"] = [
            value >> SCALAR_BITS - row_bits * row & (1 << row_bits * step) - 1
            for value in values
            for row, (_, step) in enumerate(places)
        ]
        digits = list(chain.from_iterable(map(digits_of, values)))
        columns[f"digit_{name}"] = [digits[w::WINDOWS_PER_ROW] for w in range(WINDOWS_PER_ROW)]
    columns["signature"] = [number for number in range(len(scalars)) for _ in places]
    columns["step"] = [half * LOW_START + step for _ in scalars for half, step in places]
    return columns


def table_columns(products: Sequence[Product]) -> dict[str, Any]:
    """Four rows per product, in order; the signature number is its place in the list."""
    columns = table_numbers(_scalars(products))
    bases: list[Point] = []
    nexts: list[Point] = []
    negated: list[Point] = []
    entries: list[tuple[Point, ...]] = []
    for product in products:
        multiples = [row[0] for row in product.entries]
        bases += multiples
        nexts += [*multiples[1:], product.fourth]
        negated += [product.negated] * DIGITS
        entries += product.entries
    for name, points in (("base", bases), ("next", nexts), ("negated", negated)):
        columns[name] = [[point[k] for point in points] for k in range(2)]
    for k, axis in enumerate("xy"):
        columns[f"entry_{axis}"] = [[each[i][k] for each in entries] for i in range(1, DIGITS)]
    return columns


def table_numbers(scalars: Sequence[Scalars]) -> dict[str, Any]:
    """The columns of `table_columns` that hold no points."""
    used = [Counter(zip(digits_of(s), digits_of(h), strict=True)) for s, h in scalars]
    rows = [(number, j) for number in range(len(scalars)) for j in range(DIGITS)]
    return {
        "signature": [number for number, _ in rows],
        "j": [j for _, j in rows],
        "last": [int(j == DIGITS - 1) for _, j in rows],
        "count": [[used[number][i, j] for number, j in rows] for i in range(DIGITS)],
    }


def _scalars(products: Sequence[Product]) -> list[Scalars]:
    return [(product.s, product.h) for product in products]
