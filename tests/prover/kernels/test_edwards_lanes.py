"""Curve kernels on lane values against those row by row, word for word."""

from __future__ import annotations

import random
from types import ModuleType

import numpy as np
import pytest

from circuits.chips.signature_trace import OFFSET, START
from circuits.edwards import (
    BASE8,
    GENERATOR,
    IDENTITY,
    SUBGROUP_ORDER,
    Point,
    add,
    multiply,
    negate,
)
from circuits.edwards import multiply_base8 as multiply_one
from circuits.field import R
from circuits.signature import account_key
from prover.kernels import (
    edwards_base_lanes,
    edwards_base_rows,
    edwards_verify_lanes,
    edwards_verify_rows,
    edwards_windows_lanes,
    edwards_windows_rows,
    fr,
)
from prover.kernels.choice import Kernels
from prover.kernels.edwards import ROOT
from prover.kernels.edwards_verify_rows import EQUATION, HOLDS, OFF_CURVE, SMALL_ORDER
from prover.kernels.edwards_windows_rows import VALUES, images
from prover.kernels.lanes import LANES
from tests.support.twins import run_with

KEY = account_key(0xBEEF)
SMALL = multiply(GENERATOR, SUBGROUP_ORDER)
# Points of small order, of mixed order, equal ones, and pairs that no curve holds.
POINTS = [
    IDENTITY, BASE8, negate(BASE8), add(BASE8, BASE8), KEY, negate(KEY), SMALL, negate(SMALL),
    (0, R - 1), add(KEY, SMALL), (0, 0), (3, 5), (R - 1, R - 1), (0, 2),
]  # fmt: skip
SCALARS = [0, 1, 2, 3, 4, 31, 32, 33, 63, 64, 2**63, 2**64 - 1, 2**128, SUBGROUP_ORDER - 1]
COUNTS = [1, LANES - 1, LANES, LANES + 1, 2 * LANES + 3]
FILLER = 7


def plain(values: list[int]) -> np.ndarray:
    """Integers below 2^256, canonical or not, as uint64[n, 4]."""
    data = b"".join(value.to_bytes(32, "little") for value in values)
    return np.frombuffer(data, dtype="<u8").astype(np.uint64).reshape(-1, 4)


def elements(points: list[Point]) -> np.ndarray:
    """Coordinates in Montgomery form, one row per point."""
    return fr.from_ints(word for point in points for word in point).reshape(-1, 8)


def drawn(rng: random.Random, count: int, limit: int) -> list[int]:
    """Scalars at the edges and anywhere below the limit."""
    edges = [*SCALARS, limit - 1, limit - 2]
    return [rng.choice(edges) if rng.random() < 0.6 else rng.randrange(limit) for _ in range(count)]


def filled(*shape: int) -> np.ndarray:
    return np.full(shape, FILLER, dtype=np.uint64)


def traced(twin: ModuleType, start: int, stop: int, *inputs: np.ndarray) -> np.ndarray:
    out = filled(VALUES * len(inputs[0]), 4)
    twin.trace_rows(start, stop, out, *inputs, twin.tables(OFFSET, START))
    return out


def keys_of(points: list[Point]) -> np.ndarray:
    """What `trace_rows` takes: coordinates on the kernels' curve, and images."""
    x, y = (fr.from_ints(axis) for axis in zip(*points, strict=True))
    x, one = fr.scale(x, ROOT), fr.from_ints([1] * len(points))
    return np.stack((x, y, *images(x, y, one)), axis=1)


@pytest.mark.parametrize("count", COUNTS)
def test_windows(count: int, rng: random.Random) -> None:
    """Keys off the curve or without image too: both say the same though no rows can show it."""
    total = count + 2
    keys = keys_of([rng.choice([*POINTS, OFFSET]) for _ in range(total)])
    s, h = (plain(drawn(rng, total, 2**256)) for _ in range(2))
    wanted = traced(edwards_windows_rows, 1, 1 + count, keys, s, h)
    got = traced(edwards_windows_lanes, 1, 1 + count, keys, s, h)
    assert np.array_equal(wanted, got)
    untouched = (wanted == FILLER).all(axis=1).sum()
    assert untouched == VALUES * (total - count)


def test_windows_of_equal_rows_at_every_edge() -> None:
    for point in [*POINTS, OFFSET]:
        for scalar in (0, 1, 2**256 - 1):
            inputs = (keys_of([point] * LANES), *[plain([scalar] * LANES)] * 2)
            wanted = traced(edwards_windows_rows, 0, LANES, *inputs)
            got = traced(edwards_windows_lanes, 0, LANES, *inputs)
            assert np.array_equal(wanted, got), (point, scalar)


@pytest.mark.parametrize("count", COUNTS)
def test_base_products(count: int, rng: random.Random) -> None:
    scalars = drawn(rng, count + 2, 2**256)
    digits = np.frombuffer(
        b"".join(scalar.to_bytes(32, "little") for scalar in scalars), dtype=np.uint8
    ).reshape(-1, 32)
    found = []
    for twin in (edwards_base_rows, edwards_base_lanes):
        out = filled(count + 2, 2, 4)
        twin.multiply_rows(1, 1 + count, out, digits, twin.tables())
        found.append(out)
    assert np.array_equal(*found)
    assert fr.to_ints(found[1][1]) == list(multiply_one(scalars[1]))


def test_verdicts(rng: random.Random) -> None:
    """Every verdict in every lane: true equations, wrong ones, and points that are refused."""
    rows: list[tuple[Point, Point, int, int]] = []
    for _ in range(8 * LANES):
        key = rng.choice(POINTS[:10])
        s, h = drawn(rng, 1, SUBGROUP_ORDER)[0], drawn(rng, 1, R)[0]
        if rng.random() < 0.6:
            point = add(multiply_one(s), negate(multiply(key, h)))
        else:
            point, key = rng.choice(POINTS), rng.choice(POINTS)
        rows.append((point, key, s, h))
    points = elements([point for row in rows for point in row[:2]]).reshape(-1, 4, 4)
    s_words, h_words = plain([row[2] for row in rows]), plain([row[3] for row in rows])
    for start, stop in ((0, len(rows)), (3, 3 + LANES), (5, 5 + LANES - 1), (2, 3 * LANES)):
        found = []
        for twin in (edwards_verify_rows, edwards_verify_lanes):
            out = np.full(len(rows), FILLER, dtype=np.uint8)
            twin.verify_rows(start, stop, out, points, s_words, h_words, twin.tables())
            found.append(out)
        assert np.array_equal(*found), (start, stop)
        if start == 0:
            assert {HOLDS, OFF_CURVE, SMALL_ORDER, EQUATION} == set(found[0].tolist())


@pytest.mark.slow
def test_with_emulated_ifma() -> None:
    run_with(Kernels.IFMA_EMULATED, __file__)
