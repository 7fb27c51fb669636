"""Point additions in every special case, and the fixed-base table."""

import itertools
import random

import numpy as np
import pytest

from circuits.field import Q, R
from prover.kernels import fixed_base, g1, g1_lanes
from prover.kernels.choice import KERNELS, Kernels
from prover.kernels.g1_pairs import ROOM
from prover.kernels.msm import points_from_ints, points_to_ints
from prover.kernels.scalar import limbs
from tests.support.curve import generator_multiple
from tests.support.loose import canonical

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


@pytest.mark.parametrize("logarithm", LOGARITHMS)
def test_doubling(logarithm):
    accumulator = accumulator_of(logarithm, 5)
    g1.double(accumulator, 0)
    assert affine(accumulator) == generator_multiple(2 * logarithm)


TWINS = [g1] if KERNELS is Kernels.SCALAR else [g1, g1_lanes]


def pair_sums(twin, points, left, right, targets=None, others=None, out=None) -> np.ndarray:
    """Run a twin on a list of pairs; canonical rows."""
    count = len(left)
    places = np.zeros((3, count + ROOM), dtype=np.int32)
    places[0, :count], places[1, :count] = left, right
    places[2, :count] = 2 * np.arange(count) if targets is None else targets
    out = np.empty((count, 8), dtype=np.uint64) if out is None else out
    work = np.empty(twin.WORK_WORDS, dtype=np.uint64)
    others = points if others is None else others
    twin.add_pairs(count, out, places[2], points, places[0], others, places[1], work, np.uint8(1))
    return canonical(out)


@pytest.mark.parametrize("twin", TWINS)
def test_pairs_in_every_combination_of_signs(twin):
    points = points_from_ints(SPECIAL)
    cases = list(itertools.product(range(len(SPECIAL)), (0, 1), range(len(SPECIAL)), (0, 1)))
    left = [2 * a + s for a, s, _, _ in cases]
    right = [2 * b + t for _, _, b, t in cases]
    expected = [
        generator_multiple((-1) ** s * LOGARITHMS[a] + (-1) ** t * LOGARITHMS[b])
        for a, s, b, t in cases
    ]
    assert points_to_ints(pair_sums(twin, points, left, right)) == expected


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("share", [0, 1, 16, 17, 500])
def test_one_special_pair_among_ordinary_ones(twin, share, ordinary):
    """Each special pair alone in a long list: its block, or its sum only, takes another way."""
    points, logarithms = ordinary
    points = np.concatenate([points, points_from_ints(SPECIAL)])
    logarithms = logarithms + LOGARITHMS
    count = 2 * g1.BLOCK + 5
    left = [2 * (k % 500) for k in range(count)]
    right = [2 * ((7 * k + 3) % 500) for k in range(count)]
    place = (share * 977) % count
    for a, b in itertools.product(range(len(SPECIAL)), repeat=2):
        left[place], right[place] = 2 * (500 + a), 2 * (500 + b)
        found = points_to_ints(pair_sums(twin, points, left, right)[place - 1 : place + 2])
        for near, point in zip(range(place - 1, place + 2), found, strict=False):
            expected = logarithms[left[near] // 2] + logarithms[right[near] // 2]
            assert point == generator_multiple(expected)


@pytest.fixture(scope="module")
def ordinary() -> tuple[np.ndarray, list[int]]:
    source = random.Random(5)
    logarithms = [source.randrange(R) for _ in range(500)]
    rows = np.array([limbs(k) for k in logarithms], dtype=np.uint64)
    return fixed_base.multiply_generator(rows, fixed_base.generator_table()), logarithms


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 9, 15, 16, 17, 33, g1.BLOCK, g1.BLOCK + 1])
def test_pairs_of_every_number_equal_the_scalar_twin(twin, count, ordinary):
    points, _ = ordinary
    source = np.random.default_rng(count)
    left, right = source.integers(0, 1000, (2, count))
    expected = pair_sums(g1, points, left, right)
    assert (pair_sums(twin, points, left, right) == expected).all()


@pytest.mark.parametrize("twin", TWINS)
def test_sums_may_take_the_place_of_their_left_operands(twin, ordinary):
    points, logarithms = ordinary
    rows, others = points[:400].copy(), points[400:]
    left = 2 * np.arange(0, 400, 3)
    right = 2 * (np.arange(len(left)) % 100)
    out = pair_sums(twin, rows, left, right, targets=left, others=others, out=rows)
    found = points_to_ints(out[::3])
    for k in range(0, len(found), 20):
        assert found[k] == generator_multiple(logarithms[3 * k] + logarithms[400 + right[k] // 2])
    untouched = np.arange(400) % 3 != 0
    assert (out[untouched] == points[:400][untouched]).all()


@pytest.mark.parametrize("twin", TWINS)
def test_operands_at_infinity_may_lose_their_place_to_the_sum(twin, ordinary):
    """In every lane, on either side and on both, in more than one block."""
    points, _ = ordinary
    count = g1.BLOCK + 300
    source = np.random.default_rng(12)
    rows, others = (points[source.integers(0, 500, count)] for _ in range(2))
    rows[source.random(count) < 0.1] = 0
    others[source.random(count) < 0.1] = 0
    left = 2 * np.arange(count)
    right = left + source.integers(0, 2, count)
    expected = pair_sums(g1, rows, left, right, others=others)
    out = pair_sums(twin, rows, left, right, targets=left, others=others, out=rows)
    assert (out == expected).all()


@pytest.mark.parametrize("twin", TWINS)
def test_loose_operands(twin, ordinary):
    # What a twin writes is what it must read: every multiple of q that fits, added to both parts.
    points, _ = ordinary
    loose = points[:120].copy()
    for row in range(120):
        for part in range(2):
            words = loose[row, 4 * part : 4 * part + 4]
            value = int.from_bytes(words.tobytes(), "little") + (row + part) % 4 * Q
            words[:] = limbs(value)
    left, right = 2 * np.arange(60), 2 * np.arange(60, 120)
    expected = pair_sums(g1, points, left, right)
    if twin is g1:
        loose = canonical(loose)
    assert (pair_sums(twin, loose, left, right) == expected).all()


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
