"""Point additions in every special case, and the fixed-base table."""

import itertools
import random

import numpy as np
import pytest

from circuits.field import Q, R
from prover.kernels import fixed_base, g1
from prover.kernels.msm import points_from_ints, points_to_ints
from prover.kernels.scalar import limbs
from tests.support.curve import generator_multiple

POINT = generator_multiple(777)
OPPOSITE = (POINT[0], Q - POINT[1])
SPECIAL = [(0, 0), POINT, OPPOSITE, generator_multiple(1554), generator_multiple(R - 1554), (1, 2)]
LOGARITHMS = [0, 777, -777, 1554, -1554, 1]


def accumulator_of(logarithm: int, scale_by: int) -> np.ndarray:
    """An accumulator with ZZ other than one: (logarithm - scale_by) G + scale_by G."""
    accumulator = np.zeros((1, 16), dtype=np.uint64)
    for part in (logarithm - scale_by, scale_by):
        x, y = _elements(generator_multiple(part))
        g1.add_affine(accumulator, 0, x, y)
    return accumulator


def _elements(point):
    row = points_from_ints([point])[0]
    return tuple(row[:4]), tuple(row[4:])


def affine(accumulator: np.ndarray) -> tuple[int, int]:
    out = np.empty((1, 8), dtype=np.uint64)
    g1.to_affine(out, 0, accumulator, 0)
    return points_to_ints(out)[0]


@pytest.mark.parametrize(("a", "b"), list(itertools.product(range(len(SPECIAL)), repeat=2)))
def test_accumulators_add_exactly(a, b):
    expected = generator_multiple(LOGARITHMS[a] + LOGARITHMS[b])
    left = accumulator_of(LOGARITHMS[a], 5)
    g1.add_affine(left, 0, *_elements(SPECIAL[b]))
    assert affine(left) == expected
    left = accumulator_of(LOGARITHMS[a], 5)
    g1.add(left, 0, accumulator_of(LOGARITHMS[b], 9), 0)
    assert affine(left) == expected


@pytest.mark.parametrize("logarithm", LOGARITHMS)
def test_doubling(logarithm):
    accumulator = accumulator_of(logarithm, 5)
    g1.double(accumulator, 0)
    assert affine(accumulator) == generator_multiple(2 * logarithm)


def test_pairs_in_every_combination_of_signs():
    points = points_from_ints(SPECIAL)
    cases = list(itertools.product(range(len(SPECIAL)), (0, 1), range(len(SPECIAL)), (0, 1)))
    left = np.array([2 * a + s for a, s, _, _ in cases], dtype=np.int32)
    right = np.array([2 * b + t for _, _, b, t in cases], dtype=np.int32)
    out = np.empty((len(cases), 8), dtype=np.uint64)
    g1.add_pairs(0, len(cases), out, points, left, points, right)
    expected = [
        generator_multiple((-1) ** s * LOGARITHMS[a] + (-1) ** t * LOGARITHMS[b])
        for a, s, b, t in cases
    ]
    assert points_to_ints(out) == expected


def test_pairs_over_several_blocks_with_missing_operands():
    source = random.Random(3)
    count = 2 * g1.BLOCK + 5
    points = points_from_ints(SPECIAL)
    picks = [(source.randrange(len(SPECIAL)), source.randrange(len(SPECIAL))) for _ in range(count)]
    left = np.array([2 * a for a, _ in picks], dtype=np.int32)
    right = np.array([2 * b for _, b in picks], dtype=np.int32)
    right[::7] = -1
    out = np.empty((count, 8), dtype=np.uint64)
    g1.add_pairs(0, count, out, points, left, points, right)
    sums = {
        (a, b): generator_multiple(LOGARITHMS[a] + LOGARITHMS[b])
        for a in range(len(SPECIAL))
        for b in range(len(SPECIAL))
    }
    expected = [SPECIAL[a] if i % 7 == 0 else sums[a, b] for i, (a, b) in enumerate(picks)]
    assert points_to_ints(out) == expected


def test_off_curve_points_are_found():
    points = points_from_ints([POINT, (0, 0), (1, 2), OPPOSITE])
    assert g1.first_off_curve(0, 4, points) == -1
    wrong = points.copy()
    wrong[2, 5] ^= np.uint64(1)
    assert g1.first_off_curve(0, 4, wrong) == 2
    assert g1.first_off_curve(3, 4, wrong) == -1
    # The same point with x + q is the same residue but not canonical.
    alias = points.copy()
    x = int.from_bytes(points[0, :4].tobytes(), "little") + Q
    alias[0, :4] = limbs(x)
    assert g1.first_off_curve(0, 4, alias) == 0


def test_generator_multiples():
    source = random.Random(4)
    scalars = [0, 1, 2, 255, 256, R - 1, R - 2, *(source.randrange(R) for _ in range(20))]
    table = fixed_base.generator_table()
    rows = np.array([limbs(scalar) for scalar in scalars], dtype=np.uint64)
    points = points_to_ints(fixed_base.multiply_generator(rows, table))
    assert points == [generator_multiple(scalar) for scalar in scalars]
