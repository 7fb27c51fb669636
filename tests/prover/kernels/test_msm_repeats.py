"""Sums of repeated scalars: merged where it pays, right and refused as without."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest

from circuits.field import Q, R
from prover.kernel_choice import Kernels
from prover.kernels import fixed_base, msm_repeats
from prover.kernels.msm import INFINITY, msm, msm_many, points_from_ints, points_to_ints
from prover.kernels.msm_repeats import merge_repeats
from prover.kernels.scalar import limbs
from tests.support.curve import generator_multiple
from tests.support.twins import run_with

ROWS = 2048
POINT = generator_multiple(12345)
OPPOSITE = (POINT[0], Q - POINT[1])


def wide(values: Sequence[int]) -> np.ndarray:
    return np.array([limbs(value) for value in values], dtype=np.uint64).reshape(-1, 4)


@pytest.fixture(scope="module")
def known() -> tuple[np.ndarray, list[int]]:
    """Bases with known logarithms."""
    source = random.Random(1)
    logarithms = [source.randrange(R) for _ in range(2 * ROWS)]
    return fixed_base.multiply_generator(wide(logarithms), fixed_base.generator_table()), logarithms


def drawn(source: random.Random, table: Sequence[int], rows: int = ROWS) -> list[int]:
    return [source.choice(table) for _ in range(rows)]


def sum_of(values: Sequence[int], logarithms: Sequence[int], offset: int = 0) -> int:
    return sum(v * k for v, k in zip(values, logarithms[offset:], strict=False))


def test_drawn_values_are_multiplied_once(known: tuple[np.ndarray, list[int]]) -> None:
    bases, logarithms = known
    source = random.Random(2)
    table = [source.randrange(1, R) for _ in range(40)]
    values = drawn(source, [0, *table])
    pieces = [(7, wide(values), 254), (0, np.arange(ROWS, dtype=np.uint16), 16)]
    extended, (merged,) = merge_repeats(bases, [pieces])
    assert [len(array) for _, array, _ in merged[:2]] == [0, ROWS]
    assert sum(len(array) for _, array, _ in merged[2:]) == len(set(values) - {0})
    assert len(extended) == len(bases) + len(set(values) - {0})
    # Every new base is the sum of those with its value.
    new = {
        int.from_bytes(scalar.tobytes(), "little"): point
        for offset, array, _ in merged[2:]
        for scalar, point in zip(array, points_to_ints(extended[offset:]), strict=False)
    }
    for value in table[:5]:
        total = sum(k for v, k in zip(values, logarithms[7:], strict=False) if v == value)
        assert new[value] == generator_multiple(total)
    expected = sum_of(values, logarithms, 7) + sum_of(range(ROWS), logarithms)
    assert msm(bases, pieces) == generator_multiple(expected)


def test_columns_of_a_vector_share_their_values(known: tuple[np.ndarray, list[int]]) -> None:
    bases, logarithms = known
    source = random.Random(3)
    table = [source.randrange(R) for _ in range(60)]
    first, second, other = (drawn(source, table) for _ in range(3))
    vectors = [
        [(0, wide(first), 254), (ROWS, wide(second), 254)],
        [(5, wide([source.randrange(R) for _ in range(ROWS)]), 254)],
        [(5, wide(other), 254)],
        [],
    ]
    _, merged = merge_repeats(bases, vectors)
    assert [len(pieces) for pieces in merged] == [3, 1, 2, 0]
    assert len(merged[0][2][1]) == len(set(first + second) - {0})
    assert msm_many(bases, vectors) == [msm(bases, pieces) for pieces in vectors]
    expected = sum_of(first, logarithms) + sum_of(second, logarithms, ROWS)
    assert msm(bases, vectors[0]) == generator_multiple(expected)


@pytest.mark.parametrize(
    "values",
    [
        [pow(7, number, R) for number in range(1, ROWS + 1)],
        [number % 50 for number in range(ROWS)],  # short, and cheap as they are
        [0] * ROWS,
        [R - 1] * (msm_repeats._ROWS_MIN - 1),
    ],
    ids=["distinct", "short", "zero", "few"],
)
def test_other_columns_stay_as_they_are(
    known: tuple[np.ndarray, list[int]], values: list[int]
) -> None:
    bases, logarithms = known
    pieces = [(0, wide(values), 254)]
    extended, (merged,) = merge_repeats(bases, [pieces])
    assert extended is bases
    assert merged[0][1] is pieces[0][1]
    assert msm(bases, pieces) == generator_multiple(sum_of(values, logarithms))


def test_what_is_refused_is_named_as_ever(known: tuple[np.ndarray, list[int]]) -> None:
    bases, _ = known
    good, bad = wide([R - 5] * ROWS), wide([R - 5] * (ROWS - 1) + [R])
    with pytest.raises(ValueError, match=f"piece 1 row {ROWS - 1}: expected a scalar below"):
        msm(bases, [(0, good, 254), (0, bad, 254)])
    with pytest.raises(ValueError, match=r"piece 0 row 0: .* at most 253 bits"):
        msm(bases, [(0, good, 253)])
    with pytest.raises(ValueError, match="piece 1: expected rows inside"):
        msm(bases, [(0, good, 254), (ROWS + 1, good, 254)])


@pytest.mark.parametrize("scalar", [R - 1, R // 3])
def test_bases_of_one_value_may_cancel(scalar: int) -> None:
    bases = points_from_ints([POINT, OPPOSITE, INFINITY, POINT] * (ROWS // 4))
    values = [scalar, scalar, R // 5, R // 7] * (ROWS // 4)
    expected = generator_multiple(12345 * (ROWS // 4) * (R // 7))
    assert msm(bases, [(0, wide(values), 254)]) == expected
    assert msm(bases, [(0, wide([scalar] * ROWS), 254)]) == generator_multiple(
        12345 * scalar * (ROWS // 4)
    )
    cancelling = points_from_ints([POINT, OPPOSITE] * (ROWS // 2))
    assert msm(cancelling, [(0, wide([scalar] * ROWS), 254)]) == INFINITY


@pytest.mark.parametrize("workers", [1, 3])
def test_one_vector_is_shared_by_all_threads(
    known: tuple[np.ndarray, list[int]], monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    bases, logarithms = known
    monkeypatch.setattr(msm_repeats, "threads", lambda: workers)
    source = random.Random(6)
    values = drawn(source, [source.randrange(R) for _ in range(30)])
    _, (merged,) = merge_repeats(bases, [[(0, wide(values), 254)]])
    assert len(merged) == 1 + workers
    assert sum(len(array) for _, array, _ in merged) == len(set(values))
    assert msm(bases, [(0, wide(values), 254)]) == generator_multiple(sum_of(values, logarithms))


@pytest.mark.slow
def test_the_same_without_vectors() -> None:
    run_with(Kernels.SCALAR, __file__)


def test_values_that_crowd_one_place_are_still_right(known: tuple[np.ndarray, list[int]]) -> None:
    """The places follow from the low half alone; who finds none in time stands for himself."""
    bases, logarithms = known
    table = [number << 128 | 77 for number in range(1, 3 * msm_repeats._LOOKS_MAX)]
    values = drawn(random.Random(5), table)
    _, (merged,) = merge_repeats(bases, [[(0, wide(values), 254)]])
    assert len(set(values)) < sum(len(array) for _, array, _ in merged) < ROWS
    assert msm(bases, [(0, wide(values), 254)]) == generator_multiple(sum_of(values, logarithms))
