"""Every point of the windowed product against `circuits.chips.signature_trace`."""

from __future__ import annotations

import random

import numpy as np

from circuits.chips.signature_trace import Product, multiply_windows
from circuits.edwards import IDENTITY, Point, negate
from circuits.field import R
from circuits.signature import account_key
from prover.kernels import edwards_windows, fr
from prover.kernels.edwards_windows import ROWS, WINDOWS_PER_ROW, WindowPoints

KEYS = [negate(account_key(secret)) for secret in (5, 6, 7)]
SCALARS = [(0, 0), (1, 1), (2**256 - 1, 2**256 - 1), (2**255, 1), (3 << 126, 5 << 127)]


def plain(values: list[int]) -> np.ndarray:
    """Integers below 2^256, canonical or not, as uint64[n, 4]."""
    data = b"".join(value.to_bytes(32, "little") for value in values)
    return np.frombuffer(data, dtype="<u8").astype(np.uint64).reshape(-1, 4)


def traced(negated: list[Point], scalars: list[tuple[int, int]]) -> WindowPoints:
    points = fr.from_ints(word for point in negated for word in point).reshape(-1, 2, 4)
    return edwards_windows.trace(
        points, plain([s for s, _ in scalars]), plain([h for _, h in scalars])
    )


def point_at(coordinates: np.ndarray) -> Point:
    """The point of uint64[2, 4]."""
    x, y = (int.from_bytes(axis.tobytes(), "little") for axis in coordinates)
    return x, y


def assert_product(points: WindowPoints, number: int, product: Product) -> None:
    for window, expected in enumerate(product.windows):
        row, slot = ROWS * number + window // WINDOWS_PER_ROW, window % WINDOWS_PER_ROW
        found = tuple(point_at(points.windows[kind, :, slot, row]) for kind in range(4))
        assert found == expected, (number, window)
    for j, multiples in enumerate(product.entries):
        for i, entry in enumerate(multiples):
            assert point_at(points.entries[i, :, 4 * number + j]) == entry
    assert point_at(points.fourth[:, number]) == product.fourth


def test_all_points_of_products_with_edges_and_random_scalars() -> None:
    source = random.Random(7)
    scalars = [*SCALARS, *((source.getrandbits(256), source.getrandbits(256)) for _ in range(3))]
    negated = [KEYS[number % len(KEYS)] for number in range(len(scalars))]
    points = traced(negated, scalars)
    for number, (key, (s, h)) in enumerate(zip(negated, scalars, strict=True)):
        assert_product(points, number, multiply_windows(key, s, h))


def test_coordinates_are_canonical_below_r() -> None:
    points = traced(KEYS, [(R - 1, R - 1)] * len(KEYS))
    values = points.windows.reshape(-1, 4)
    assert all(int.from_bytes(value.tobytes(), "little") < R for value in values)


def test_the_identity_as_key() -> None:
    assert_product(traced([IDENTITY], [(77, 99)]), 0, multiply_windows(IDENTITY, 77, 99))


def test_rows_on_all_threads_keep_their_order() -> None:
    count = 40
    points = traced([KEYS[0]] * count, [(number, 3) for number in range(count)])
    for number in (0, 19, 20, count - 1):
        assert_product(points, number, multiply_windows(KEYS[0], number, 3))


def test_no_rows() -> None:
    points = traced([], [])
    assert points.windows.shape[3] == points.entries.shape[2] == points.fourth.shape[1] == 0
