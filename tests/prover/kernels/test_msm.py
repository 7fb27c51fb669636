"""Multi-scalar multiplication against py_ecc and against known discrete logarithms."""

import random

import numpy as np
import pytest

from circuits.field import Q, R
from prover.kernels import fixed_base, msm_rows, parallel
from prover.kernels import msm as module
from prover.kernels.msm import INFINITY, msm, points_from_ints, points_to_ints
from prover.kernels.scalar import limbs
from tests.support.curve import generator_multiple, multi_scalar

POINT = generator_multiple(12345)
OPPOSITE = (POINT[0], Q - POINT[1])
EDGES = [0, 1, 2, R - 1, R - 2, (R - 1) // 2, (R + 1) // 2, 2**62 - 1, 2**62, 2**63, 2**64 - 1,
         2**252, 2**253 - 1, 2**253]  # fmt: skip


def wide(values: list[int]) -> np.ndarray:
    return np.array([limbs(value) for value in values], dtype=np.uint64).reshape(-1, 4)


@pytest.fixture(scope="module")
def known() -> tuple[np.ndarray, list[int]]:
    """Bases with known discrete logarithms, so that long sums have a cheap answer."""
    source = random.Random(1)
    logarithms = [source.randrange(R) for _ in range(600)]
    return fixed_base.multiply_generator(wide(logarithms), fixed_base.generator_table()), logarithms


@pytest.mark.parametrize("count", [1, 2, 3, 17])
def test_random_scalars_and_points(count):
    source = random.Random(count)
    points = [generator_multiple(source.randrange(R)) for _ in range(count)]
    scalars = [source.randrange(R) for _ in range(count)]
    expected = multi_scalar(points, scalars)
    assert msm(points_from_ints(points), [(0, wide(scalars), 254)]) == expected


@pytest.mark.parametrize("scalar", EDGES)
def test_edge_scalars_alone_and_repeated(scalar):
    bases = points_from_ints([POINT] * 3)
    assert msm(bases, [(1, wide([scalar]), 254)]) == multi_scalar([POINT], [scalar])
    assert msm(bases, [(0, wide([scalar] * 3), 254)]) == multi_scalar([POINT], [3 * scalar])


@pytest.mark.parametrize("scalar", [1, 3, 200, R - 1, R // 3])
def test_equal_and_opposite_points(scalar):
    points = [POINT, OPPOSITE, POINT, POINT, OPPOSITE, OPPOSITE, POINT, (0, 0), POINT]
    bases = points_from_ints(points)
    expected = multi_scalar([POINT], [2 * scalar])
    assert msm(bases, [(0, wide([scalar] * len(points)), 254)]) == expected
    assert msm(bases[:2], [(0, wide([scalar] * 2), 254)]) == INFINITY
    assert msm(bases[:2], [(0, wide([scalar, R - scalar]), 254)]) == multi_scalar(
        [POINT], [2 * scalar]
    )


def test_window_sums_that_meet():
    # 2^64 P + 2^64 (-P) and doublings across windows end in equal and opposite accumulators.
    double = generator_multiple(2 * 12345)
    bases = points_from_ints([POINT, double, OPPOSITE])
    for bits in range(1, 40):
        scalars = [2**bits, 2 ** (bits - 1), 2**bits]
        assert msm(bases, [(0, wide(scalars), 254)]) == multi_scalar([POINT], [2**bits])
        assert msm(bases, [(0, wide([2**bits, 0, 2**bits]), 254)]) == INFINITY


@pytest.mark.parametrize(
    ("dtype", "width"),
    [(np.uint8, 1), (np.uint8, 8), (np.uint16, 16), (np.uint32, 32), (np.uint64, 64)],
)
def test_narrow_columns(known, dtype, width):
    bases, logarithms = known
    source = random.Random(width)
    values = [source.randrange(2**width) for _ in range(597)] + [2**width - 1, 0, 2 ** (width - 1)]
    expected = sum(v * k for v, k in zip(values, logarithms, strict=True))
    column = np.array(values, dtype=dtype)
    assert msm(bases, [(0, column, width)]) == generator_multiple(expected)


def test_every_bit_length_in_every_column_type(known):
    bases, logarithms = known
    for dtype, width in ((np.uint8, 8), (np.uint16, 16), (np.uint32, 32), (np.uint64, 64)):
        values = [2**k + offset for k in range(width) for offset in (-1, 0)]
        expected = sum(v * k for v, k in zip(values, logarithms, strict=False))
        assert msm(bases, [(0, np.array(values, dtype=dtype), width)]) == generator_multiple(
            expected
        )
    values = [sign * (2**k + offset) % R for k in range(254) for offset in (-1, 0)
              for sign in (1,)]  # fmt: skip
    expected = sum(v * k for v, k in zip(values, logarithms, strict=False))
    assert msm(bases, [(0, wide(values), 254)]) == generator_multiple(expected)


def test_mixed_pieces_with_offsets_and_zeros(known):
    bases, logarithms = known
    source = random.Random(5)
    bits = np.array([source.randrange(2) for _ in range(100)], dtype=np.uint8)
    words = np.array([source.randrange(2**64) for _ in range(50)], dtype=np.uint64)
    fields = [source.choice([0, 1, R - 1, R - 5, 2**70, source.randrange(R)]) for _ in range(200)]
    pieces = [(3, bits, 1), (0, np.zeros(600, np.uint16), 16), (120, words, 64),
              (90, wide(fields), 254), (600, np.zeros(0, np.uint8), 8)]  # fmt: skip
    expected = sum(int(v) * k for v, k in zip(bits, logarithms[3:], strict=False))
    expected += sum(int(v) * k for v, k in zip(words, logarithms[120:], strict=False))
    expected += sum(v * k for v, k in zip(fields, logarithms[90:], strict=False))
    assert msm(bases, pieces) == generator_multiple(expected)


def test_every_window_width_gives_the_same_sum(known, monkeypatch):
    bases, logarithms = known
    source = random.Random(6)
    fields = [source.randrange(R) for _ in range(300)] + EDGES
    small = np.array([2**k for k in range(64)], dtype=np.uint64)
    expected = sum(v * k for v, k in zip(fields, logarithms, strict=False))
    expected += sum(int(v) * k for v, k in zip(small, logarithms, strict=False))
    for bits in range(2, 17):
        monkeypatch.setattr(module, "_cost", lambda _, candidate, bits=bits: candidate != bits)
        pieces = [(0, wide(fields), 254), (0, small, 64)]
        assert msm(bases, pieces) == generator_multiple(expected), bits


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_number_of_threads_and_parts_changes_nothing(known, monkeypatch, workers):
    bases, logarithms = known
    monkeypatch.setattr(parallel, "threads", lambda: workers)
    monkeypatch.setattr(module, "threads", lambda: workers)
    monkeypatch.setattr(module, "_PART_ROWS_MIN", 16)
    monkeypatch.setattr(module, "_PART_ROWS_MAX", 100)
    source = random.Random(7)
    fields = [source.randrange(R) for _ in range(600)]
    column = np.array([source.randrange(256) for _ in range(600)], dtype=np.uint8)
    expected = sum((v + int(c)) * k for v, c, k in zip(fields, column, logarithms, strict=True))
    pieces = [(0, wide(fields), 254), (0, column, 8)]
    assert msm(bases, pieces) == generator_multiple(expected)


@pytest.mark.parametrize("pieces", [[], [(0, np.zeros(2, np.uint8), 8)], [(2, wide([]), 254)]])
def test_nothing_to_add_is_infinity(pieces):
    assert msm(points_from_ints([POINT, POINT]), pieces) == INFINITY


def test_more_rows_than_one_block(known):
    # One bucket with thousands of equal points: doublings and leftovers in every halving round.
    bases = points_from_ints([POINT, (0, 0), OPPOSITE] * 1000)
    ones = np.ones(2999, dtype=np.uint8)
    assert msm(bases, [(0, ones, 1)]) == multi_scalar([POINT], [1])
    assert msm(bases[:2998], [(0, ones[:2998], 1)]) == multi_scalar([POINT], [1])
    assert msm(np.ascontiguousarray(bases[::3]), [(0, ones[:1000], 1)]) == multi_scalar(
        [POINT], [1000]
    )


def test_scalars_are_checked():
    bases = points_from_ints([POINT] * 4)
    with pytest.raises(ValueError, match=rf"piece 0 row 1: expected a scalar below {R} .* {R}$"):
        msm(bases, [(0, wide([1, R]), 254)])
    with pytest.raises(ValueError, match=r"piece 0 row 0: expected .* at most 254 bits"):
        msm(bases, [(0, wide([2**255]), 254)])
    with pytest.raises(ValueError, match=r"piece 1 row 2: .* at most 1 bits, got 2"):
        msm(bases, [(0, np.ones(4, np.uint8), 1), (0, np.array([0, 1, 2], np.uint8), 1)])


def test_shapes_are_checked():
    bases = points_from_ints([POINT] * 4)
    with pytest.raises(ValueError, match=r"expected rows inside \[0, 4\), got \[3, 5\)"):
        msm(bases, [(3, np.ones(2, np.uint8), 8)])
    with pytest.raises(TypeError, match=r"got int64 \[2\]"):
        msm(bases, [(0, np.ones(2, np.int64), 8)])
    with pytest.raises(TypeError, match=r"expected bases as C-contiguous uint64 \[n, 8\]"):
        msm(bases[:, :4], [(0, np.ones(2, np.uint8), 8)])
    with pytest.raises(ValueError, match=rf"point 1: expected a coordinate below {Q}, got {Q}"):
        points_from_ints([POINT, (Q, 1)])


def test_points_round_trip():
    points = [POINT, (0, 0), (1, 2), OPPOSITE]
    assert points_to_ints(points_from_ints(points)) == points


def test_bias_carries_through_all_limbs():
    values = wide([2**256 - 1 - 2**200, 2**192 - 1, 0])
    bias = np.array(limbs(2**128 + 1), dtype=np.uint64)
    msm_rows.add_bias(0, 3, values, bias)
    got = [int.from_bytes(row.tobytes(), "little") for row in values]
    assert got == [2**256 - 2**200 + 2**128, 2**192 + 2**128, 2**128 + 1]
