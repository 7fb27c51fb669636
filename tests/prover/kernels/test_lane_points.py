"""Coordinates by reference and loose arithmetic against plain integers."""

import random

import numpy as np
import pytest
from numba import njit

from circuits.field import Q
from prover.kernels import lane_emission, lane_memory, lane_points, lanes
from prover.kernels.choice import KERNELS, Kernels

pytestmark = pytest.mark.skipif(
    KERNELS is Kernels.SCALAR, reason="this process has no lanes to multiply with"
)
# How far above 4 q a loose coordinate may be.
SLACK = Q >> 37


def work_of(values: list[int]) -> np.ndarray:
    """Lane values of integers; a negative one has all its limbs negative, as raw ones may."""
    work = lane_memory.new_work(len(values) // lanes.LANES)
    for k, value in enumerate(values):
        parts = [limb if value >= 0 else -limb for limb in lane_emission.limbs52(abs(value))]
        work[k // lanes.LANES, :, k % lanes.LANES] = np.array(parts).astype(np.uint64)
    return work


def values_of(work: np.ndarray) -> list[int]:
    """The integers of carried lane values."""
    assert not (work >> np.uint64(lane_emission.LIMB_BITS)).any(), "a limb of more than 52 bits"
    groups = work.transpose(0, 2, 1).reshape(-1, lane_emission.LIMBS).tolist()
    return [
        sum(limb << (lane_emission.LIMB_BITS * k) for k, limb in enumerate(each)) for each in groups
    ]


def between(low: int, high: int) -> list[int]:
    """Values from low q to high q: the ends, every multiple of q and its neighbours, and others."""
    source = random.Random(low * 100 + high)
    values = [k * Q + d for k in range(low, high + 1) for d in (-1, 0, 1)]
    values += [source.randrange(low * Q, high * Q) for _ in range(200)]
    # Where the highest limb is just too small for a multiple to be taken away.
    values += [k * Q + (x << 208) for k in range(low, high) for x in range(250, 520, 9)]
    values = [value for value in values if low * Q <= value < high * Q]
    return values + [0] * (-len(values) % lanes.LANES)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("lift_5", -5, 5), ("lift_9", -9, 9), ("lift_17", -17, 17)],
)
def test_lifts_keep_the_residue(name, low, high):
    lift = getattr(lane_points, name)

    @njit
    def kernel(out, raw):
        for k in range(out.shape[0]):
            lane_memory.put(out, k, lift(lane_memory.get(raw, k)))

    values = between(low, high)
    out = lane_memory.new_work(len(values) // lanes.LANES)
    kernel(out, work_of(values))
    assert values_of(out) == [value - low * Q for value in values]


@pytest.mark.parametrize(("name", "low", "high"), [("settle_5", -5, 11), ("settle_14", -14, 2)])
def test_settled_values_are_loose(name, low, high):
    settle = getattr(lane_points, name)

    @njit
    def kernel(out, raw):
        for k in range(out.shape[0]):
            lane_memory.put(out, k, settle(lane_memory.get(raw, k)))

    values = between(low, high)
    out = lane_memory.new_work(len(values) // lanes.LANES)
    kernel(out, work_of(values))
    for value, got in zip(values, values_of(out), strict=True):
        assert got % Q == value % Q
        assert got < 4 * Q + SLACK


@njit
def _raw_steps(out, a, b, references):
    for k in range(out.shape[0]):
        x, y = lane_memory.get(a, k), lane_memory.get(b, k)
        y = lane_points.flip(y, references, k * lanes.LANES)
        twice = lane_points.raw_twice(lane_points.raw_sub(x, y))
        lane_memory.put(out, k, lane_points.lift_17(lane_points.raw_four_times(twice)))


def test_raw_steps_by_sign():
    source = random.Random(3)
    a = [source.randrange(Q) for _ in range(40)]
    b = [source.randrange(Q) for _ in range(40)]
    references = np.array([source.randrange(1000) for _ in a], dtype=np.int32)
    out = lane_memory.new_work(5)
    _raw_steps(out, work_of(a), work_of(b), references)
    signs = np.where(references & 1, -1, 1).tolist()
    expected = [8 * (x - s * y) + 17 * Q for x, y, s in zip(a, b, signs, strict=True)]
    assert values_of(out) == expected


@njit
def _move(out, points, places, references):
    for k in range(0, references.shape[0], lanes.LANES):
        lane_points.prefetch_rows(points, references, k)
        x = lane_points.gather_x(points, references, k)
        y = lane_points.gather_y(points, references, k)
        lane_points.scatter_x(out, places, k, y)
        lane_points.scatter_y(out, places, k, x)


def test_gathers_and_scatters_name_rows_whatever_the_sign():
    source = np.random.default_rng(4)
    points = source.integers(0, 2**64, (50, 8), dtype=np.uint64)
    references = source.integers(0, 100, 24).astype(np.int32)
    places = (2 * source.permutation(24) + source.integers(0, 2, 24)).astype(np.int32)
    out = np.zeros((26, 8), dtype=np.uint64)
    _move(out, points, places, references)
    for reference, place in zip(references, places, strict=True):
        row = points[reference >> 1]
        assert (out[place >> 1] == np.concatenate([row[4:], row[:4]])).all()
    assert not out[24:].any()


def test_only_zero_words_count_as_infinity():
    @njit
    def kernel(masks, work):
        for k in range(masks.shape[0]):
            masks[k] = lane_points.zero_words(lane_memory.get(work, k))

    values = [0, 1, Q, 2 * Q, 3 * Q, 0, 2**208, 2**52]
    masks = np.zeros(1, dtype=np.uint8)
    kernel(masks, work_of(values))
    assert masks[0] == 0b100001


def test_a_loose_coordinate_fits_four_words():
    assert 4 * Q + SLACK < 2**256
