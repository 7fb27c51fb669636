"""Unreduced sums of lane values against plain integers, up to their bounds."""

from __future__ import annotations

import random

import numpy as np
import pytest
from numba import njit

from circuits.field import R
from prover.kernels import lane_emission, lane_memory, lane_sums, lanes
from prover.kernels.choice import Kernels
from tests.support.twins import run_with

LIMIT = 84 * R
WHOLE_MASK = 2**208 - 1
below_5 = lane_sums.fr_reduction(5)
below_42 = lane_sums.fr_reduction(42)


@njit
def _combine(out, a, b):
    """Every sum of two values that are below a sixth of the limit."""
    for k in range(a.shape[0]):
        x, y = lane_memory.get(a, k), lane_memory.get(b, k)
        lane_memory.put(out, 4 * k, lane_sums.add2(x, y))
        lane_memory.put(out, 4 * k + 1, lane_sums.add3(x, y, y))
        lane_memory.put(out, 4 * k + 2, lane_sums.add4(x, x, y, y))
        lane_memory.put(out, 4 * k + 3, lane_sums.fr_minus(x, y))


@njit
def _reduce(out, a):
    for k in range(a.shape[0]):
        lane_memory.put(out, 2 * k, below_5(lane_memory.get(a, k)))
        lane_memory.put(out, 2 * k + 1, below_42(lane_memory.get(a, k)))


def work(values: list[int]) -> np.ndarray:
    array = lane_memory.new_work(len(values) // lanes.LANES)
    for k, value in enumerate(values):
        array[k // lanes.LANES, :, k % lanes.LANES] = lane_emission.limbs52(value)
    return array


def values_of(array: np.ndarray) -> list[int]:
    assert not (array >> np.uint64(lane_emission.LIMB_BITS)).any(), "a limb of more than 52 bits"
    return [
        sum(int(limb) << (lane_emission.LIMB_BITS * j) for j, limb in enumerate(group[:, lane]))
        for group in array
        for lane in range(lanes.LANES)
    ]


def filled(edges: list[int], limit: int, source: random.Random) -> list[int]:
    """The edges and random values below the limit, a whole number of lane values."""
    values = [*edges, *(source.randrange(limit) for _ in range(400))]
    return values[: len(values) // lanes.LANES * lanes.LANES]


def edges_below(limit: int) -> list[int]:
    near = [k * R + d for k in range(84) for d in (-1, 0, 1)]
    ends = [0, limit - 1, WHOLE_MASK, WHOLE_MASK + 1, 2**52 - 1]
    return [value for value in (*near, *ends) if 0 <= value < limit]


def test_sums_and_differences(rng: random.Random) -> None:
    edges = edges_below(4 * R)
    pairs = [(a, b) for a in edges_below(20 * R)[-9:] + edges for b in edges]
    a = filled([a for a, _ in pairs], 20 * R, rng)
    b = filled([b for _, b in pairs], 4 * R, rng)
    out = lane_memory.new_work(4 * len(a) // lanes.LANES)
    _combine(out, work(a), work(b))
    found = [values_of(out[k::4]) for k in range(4)]
    assert found[0] == [x + y for x, y in zip(a, b, strict=True)]
    assert found[1] == [x + 2 * y for x, y in zip(a, b, strict=True)]
    assert found[2] == [2 * x + 2 * y for x, y in zip(a, b, strict=True)]
    assert found[3] == [x - y + 4 * R for x, y in zip(a, b, strict=True)]


@pytest.mark.parametrize(("place", "multiple"), [(0, 5), (1, 42)])
def test_a_multiple_is_taken_off_once(place: int, multiple: int, rng: random.Random) -> None:
    values = filled(edges_below(LIMIT), LIMIT, rng)
    out = lane_memory.new_work(2 * len(values) // lanes.LANES)
    _reduce(out, work(values))
    expected = [value - multiple * R if value >= multiple * R else value for value in values]
    assert values_of(out[place::2]) == expected


@pytest.mark.slow
def test_with_emulated_ifma() -> None:
    run_with(Kernels.IFMA_EMULATED, __file__)
