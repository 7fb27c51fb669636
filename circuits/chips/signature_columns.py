"""Columns of the three signature chips from finished products."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from circuits.chips.signature_trace import (
    DIGITS,
    HALF_BITS,
    LOW_START,
    ROWS_PER_HALF,
    WINDOWS_PER_ROW,
    Product,
    Request,
)
from circuits.edwards import IDENTITY, SUBGROUP_ORDER
from circuits.field import R, batch_inverse


def signature_columns(
    requests: Sequence[Request], states: Sequence[Sequence[int]], products: Sequence[Product]
) -> dict[str, Any]:
    """One row per signature; `states` are the challenge sponges after their first block."""
    mask = (1 << HALF_BITS) - 1
    middles = [each.windows[len(each.windows) // 2 - 1][-1] for each in products]
    r_points = [signature.r_point for _, _, signature in requests]
    return {
        "key": [[key[k] for key, _, _ in requests] for k in range(2)],
        "digest": [digest for _, digest, _ in requests],
        "r": [[point[k] for point in r_points] for k in range(2)],
        "inverse_r_x": batch_inverse([x for x, _ in r_points]),
        "state": [[state[k] for state in states] for k in range(4)],
        "middle": [[point[k] for point in middles] for k in range(2)],
        "s_high": [each.s >> HALF_BITS for each in products],
        "s_low": [each.s & mask for each in products],
        "h_high": [each.h >> HALF_BITS for each in products],
        "h_low": [each.h & mask for each in products],
        "s_borrow": [int(each.s & mask > (SUBGROUP_ORDER - 1) & mask) for each in products],
        "h_borrow": [int(each.h & mask > (R - 1) & mask) for each in products],
    }


def window_columns(products: Sequence[Product]) -> dict[str, Any]:
    """Sixteen rows per product, in order; the signature number is its place in the list."""
    columns: dict[str, Any] = {name: [] for name in ("signature", "step", "s_part", "h_part")}
    points, digits, windows = [], [], []
    for number, product in enumerate(products):
        point, s_part, h_part = IDENTITY, 0, 0
        for row in range(2 * ROWS_PER_HALF):
            half, step = divmod(row, ROWS_PER_HALF)
            if step == 0:
                s_part = h_part = 0
            here = slice(row * WINDOWS_PER_ROW, (row + 1) * WINDOWS_PER_ROW)
            columns["signature"].append(number)
            columns["step"].append(half * LOW_START + step)
            columns["s_part"].append(s_part)
            columns["h_part"].append(h_part)
            points.append(point)
            digits.append(product.digits[here])
            windows.append(product.windows[here])
            for digit_s, digit_h in product.digits[here]:
                s_part, h_part = s_part * DIGITS + digit_s, h_part * DIGITS + digit_h
            point = product.windows[here][-1][-1]
    columns["start"] = [[point[k] for point in points] for k in range(2)]
    for place, name in enumerate(("digit_s", "digit_h")):
        columns[name] = [[each[w][place] for each in digits] for w in range(WINDOWS_PER_ROW)]
    for place, name in enumerate(("double", "quad", "entry", "sum")):
        for k, axis in enumerate("xy"):
            columns[f"{name}_{axis}"] = [
                [each[w][place][k] for each in windows] for w in range(WINDOWS_PER_ROW)
            ]
    return columns


def table_columns(products: Sequence[Product]) -> dict[str, Any]:
    """Four rows per product, in order; the signature number is its place in the list."""
    columns: dict[str, Any] = {name: [] for name in ("signature", "j", "last")}
    bases, nexts, negated, entries, counts = [], [], [], [], []
    for number, product in enumerate(products):
        used = Counter(product.digits)
        multiples = [row[0] for row in product.entries]
        for j in range(DIGITS):
            columns["signature"].append(number)
            columns["j"].append(j)
            columns["last"].append(int(j == DIGITS - 1))
            bases.append(multiples[j])
            nexts.append([*multiples[1:], product.fourth][j])
            negated.append(product.negated)
            entries.append(product.entries[j])
            counts.append([used[i, j] for i in range(DIGITS)])
    for name, points in (("base", bases), ("next", nexts), ("negated", negated)):
        columns[name] = [[point[k] for point in points] for k in range(2)]
    for k, axis in enumerate("xy"):
        columns[f"entry_{axis}"] = [[each[i][k] for each in entries] for i in range(1, DIGITS)]
    columns["count"] = [[each[i] for each in counts] for i in range(DIGITS)]
    return columns
