"""Every slope of the windowed product against `circuits.chips.signature_trace`."""

from __future__ import annotations

import random

import numpy as np
import pytest

from circuits.chips.signature_trace import (
    BASE_ENTRIES,
    DIGITS,
    MULTIPLES_PER_ROW,
    OFFSET,
    SLOPES_PER_ROW,
    START,
    START_MULTIPLE,
    TABLE_ROWS,
    WINDOW_ROWS,
    WINDOWS,
    WINDOWS_PER_ROW,
    Product,
    multiply_windows,
)
from circuits.edwards import IDENTITY, SUBGROUP_ORDER, Point, multiply, negate
from circuits.errors import ConstraintError, CurveError, FieldError
from circuits.field import R
from circuits.signature import account_key
from prover.kernels import edwards_windows, edwards_windows_rows, fr
from prover.kernels.edwards_windows import WindowSlopes

KEYS = [negate(account_key(secret)) for secret in (5, 6, 7)]
SCALARS = [(1, 1), (1, 0), (0, 1), (2**256 - 1, 2**128 - 1), (R - 1, 2**127), (2**255, 1)]
TOP = 1 << 124  # a challenge whose first digit is one
NO_POINT = (0, 0)


def plain(values: list[int]) -> np.ndarray:
    """Integers below 2^256, canonical or not, as uint64[n, 4]."""
    data = b"".join(value.to_bytes(32, "little") for value in values)
    return np.frombuffer(data, dtype="<u8").astype(np.uint64).reshape(-1, 4)


def traced(negated: list[Point], scalars: list[tuple[int, int]]) -> WindowSlopes:
    points = fr.from_ints(word for point in negated for word in point).reshape(-1, 2, 4)
    s, h = (
        (plain(list(each)) for each in zip(*scalars, strict=True)) if scalars else [plain([])] * 2
    )
    return edwards_windows.trace(points, s, h, OFFSET, START)


def integer(cell: np.ndarray) -> int:
    return int.from_bytes(cell.tobytes(), "little")


def point_at(coordinates: np.ndarray) -> Point:
    """The point of uint64[2, 4]."""
    first, second = map(integer, coordinates)
    return first, second


def assert_product(made: WindowSlopes, number: int, product: Product) -> None:
    """All that is made of one product."""
    for k, slope in enumerate(product.slopes):
        row, column = divmod(k, SLOPES_PER_ROW)
        assert integer(made.slopes[column, WINDOW_ROWS * number + row]) == slope, (number, k)
    for j, slope in enumerate(product.table_slopes):
        row, column = divmod(j, MULTIPLES_PER_ROW)
        assert integer(made.table_slopes[column, TABLE_ROWS * number + row]) == slope, (number, j)
    for j, multiple in enumerate(product.multiples[:DIGITS]):
        assert point_at(made.multiples[:, DIGITS * number + j]) == multiple, (number, j)
    *starts, end = product.row_points
    for row, start in enumerate(starts):
        assert point_at(made.starts[:, WINDOW_ROWS * number + row]) == start
    assert point_at(made.ends[:, number]) == end
    assert point_at(made.results[:, number]) == product.result
    assert point_at(made.negated[:, number]) == product.negated


def test_all_slopes_of_products_with_edges_and_random_scalars() -> None:
    source = random.Random(7)
    scalars = [*SCALARS, *((source.getrandbits(256), source.getrandbits(128)) for _ in range(3))]
    negated = [KEYS[number % len(KEYS)] for number in range(len(scalars))]
    made = traced(negated, scalars)
    for number, (key, (s, h)) in enumerate(zip(negated, scalars, strict=True)):
        assert_product(made, number, multiply_windows(key, s, h))


def test_numbers_are_canonical_below_r() -> None:
    source = random.Random(8)
    made = traced(KEYS * 3, [(source.getrandbits(256), source.getrandbits(128))] * 9)
    for block in (made.slopes, made.table_slopes, made.multiples, made.starts, made.ends,
                  made.results, made.negated):  # fmt: skip
        assert all(integer(value) < R for value in block.reshape(-1, 4))


# N for which 16 START, before the first sum, is T + N; and T itself. No other makes an entry N,
# as the one before it would be the identity.
EQUAL = [
    (multiply(OFFSET, (DIGITS * START_MULTIPLE - 1) % SUBGROUP_ORDER), TOP),
    (OFFSET, 3),
]


@pytest.mark.parametrize(("key", "h"), EQUAL, ids=["walk", "table"])
@pytest.mark.parametrize("place", [0, 3, 10])
def test_a_sum_of_equal_points_has_the_tangent(key: Point, h: int, place: int) -> None:
    negated, scalars = [KEYS[0]] * 11, [(9, 77)] * 11
    negated[place], scalars[place] = key, (5, h)
    made = traced(negated, scalars)
    for number in (0, place, (place + 1) % 11):
        assert_product(made, number, multiply_windows(negated[number], *scalars[number]))


# N for which 16 START is -(T + N); for which T + 5 N or T + 16 N is the identity; N without image.
IDENTITIES = [
    (multiply(OFFSET, (-DIGITS * START_MULTIPLE - 1) % SUBGROUP_ORDER), TOP),
    (multiply(OFFSET, -pow(5, -1, SUBGROUP_ORDER) % SUBGROUP_ORDER), 3),
    (multiply(OFFSET, -pow(16, -1, SUBGROUP_ORDER) % SUBGROUP_ORDER), 3),
    (IDENTITY, 3),
    ((0, R - 1), 3),
    ((0, 0), 3),
]


@pytest.mark.parametrize(("key", "h"), IDENTITIES)
@pytest.mark.parametrize("place", [0, 3, 10])
def test_a_product_through_the_identity_spoils_no_other(key: Point, h: int, place: int) -> None:
    negated, scalars = [KEYS[0]] * 11, [(9, 77)] * 11
    negated[place], scalars[place] = key, (5, h)
    with pytest.raises((ConstraintError, CurveError, FieldError)):
        multiply_windows(key, 5, h)
    made = traced(negated, scalars)
    assert point_at(made.results[:, place]) == NO_POINT
    for number in {0, 2, 4, 9, 10} - {place}:
        assert_product(made, number, multiply_windows(negated[number], *scalars[number]))


def test_the_identity_as_result() -> None:
    assert point_at(traced([KEYS[0]], [(0, 0)]).results[:, 0]) == NO_POINT


def test_rows_on_all_threads_keep_their_order() -> None:
    count = 40
    made = traced([KEYS[0]] * count, [(number, 3) for number in range(count)])
    for number in (0, 19, 20, count - 1):
        assert_product(made, number, multiply_windows(KEYS[0], number, 3))


def test_no_rows() -> None:
    made = traced([], [])
    assert made.slopes.shape == (SLOPES_PER_ROW, 0, 4)
    assert made.multiples.shape == made.negated.shape == (2, 0, 4)


def test_the_windows_are_those_of_the_chips() -> None:
    """The kernels may not take numbers from there."""
    here = edwards_windows_rows
    assert (here.DIGITS, here.BASE_ENTRIES, here.WINDOWS) == (DIGITS, BASE_ENTRIES, WINDOWS)
    assert here.WINDOWS_PER_ROW == WINDOWS_PER_ROW
    assert here.BLOCKS[:3] == (
        (MULTIPLES_PER_ROW, TABLE_ROWS),
        (2, DIGITS),
        (SLOPES_PER_ROW, WINDOW_ROWS),
    )
