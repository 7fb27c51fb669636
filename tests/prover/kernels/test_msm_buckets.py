"""Sums of lists of points whose logarithms are known, and lists by halves of weights."""

import itertools
import random

import numpy as np
import pytest

from circuits.field import R
from prover.kernels import fixed_base
from prover.kernels.msm import points_to_ints
from prover.kernels.msm_buckets import PART, join, split_weights, sum_lists
from prover.kernels.scalar import limbs
from tests.support.curve import generator_multiple
from tests.support.loose import canonical


@pytest.fixture(scope="module")
def known() -> tuple[np.ndarray, list[int]]:
    source = random.Random(9)
    logarithms = [source.randrange(R) for _ in range(400)]
    rows = np.array([limbs(k) for k in logarithms], dtype=np.uint64)
    return fixed_base.multiply_generator(rows, fixed_base.generator_table()), logarithms


def points(rows: np.ndarray) -> list[tuple[int, int]]:
    return points_to_ints(canonical(rows))


@pytest.mark.parametrize(
    "sizes",
    [
        [],
        [0, 0],
        [1],
        [0, 3, 0, 1, 2],
        [PART],
        [PART + 1],
        [3 * PART + 17],
        [PART - 1, 2, PART],
        [1] * 300,
        [5, 0, 7] * 1000,
    ],
)
def test_sums_of_lists(known, sizes):
    bases, logarithms = known
    source = np.random.default_rng(len(sizes))
    refs = source.integers(0, 2 * len(bases), sum(sizes)).astype(np.int32)
    counts = np.array(sizes, dtype=np.int32)
    rows = sum_lists(bases, refs, counts)
    assert counts.tolist() == [int(size > 0) for size in sizes]
    signed = [(-1) ** (ref & 1) * logarithms[ref >> 1] for ref in refs.tolist()]
    ends = np.cumsum([0, *sizes]).tolist()
    totals = [sum(signed[a:b]) for a, b in itertools.pairwise(ends) if a < b]
    assert len(rows) == len(totals)
    checked = range(0, len(totals), max(1, len(totals) // 20))
    found = points(rows)
    assert [found[k] for k in checked] == [generator_multiple(totals[k]) for k in checked]


def test_parts_of_any_size_give_the_same_sums(known):
    # A part stops with several points a list: their rest goes through more rounds.
    bases, logarithms = known
    refs = np.resize(np.arange(0, 800, 2, dtype=np.int32), 6 * PART)
    counts = np.array([2 * PART + 5, 3 * PART, PART - 5], dtype=np.int32)
    found = points(sum_lists(bases, refs, counts.copy()))
    ends = np.cumsum([0, *counts.tolist()]).tolist()
    for k, point in enumerate(found):
        total = sum(logarithms[ref >> 1] for ref in refs[ends[k] : ends[k + 1]].tolist())
        assert point == generator_multiple(total)


def test_parts_that_leave_as_much_as_they_may(known):
    """95 lists a part that come to three points each: a pair fewer than is worth going on with."""
    bases, logarithms = known
    lists = [PART // 95] * 95 + [1] * (PART % 95)
    counts = np.array(lists * 24, dtype=np.int32)
    rows = np.arange(counts.sum(), dtype=np.int32) % len(bases)
    found = points(sum_lists(bases, 2 * rows, counts.copy()))
    assert len(found) == len(counts)
    ends = np.cumsum([0, *counts.tolist()]).tolist()
    for each in (0, 94, 95, len(lists), len(counts) // 2, len(counts) - 1):
        used = rows[ends[each] : ends[each + 1]].tolist()
        assert found[each] == generator_multiple(sum(logarithms[k] for k in used) % R)


def test_weights_are_split_in_halves():
    # Two groups with buckets for the weights 1 to 7 and 1 to 3; some buckets are empty.
    filled = np.array([1, 0, 1, 1, 0, 1, 1, 0, 1, 1], dtype=np.int32)
    counts = np.zeros(2 * (3 + 1), dtype=np.int32)
    refs = split_weights(filled, np.array([7, 3]), 2, counts)
    # Rows 0 to 4 have the weights 1, 3, 4, 6, 7 and rows 5, 6 the weights 2, 3 of the other group.
    lists = [[0], [3], [1, 4], [2, 3, 4], [], [5], [6], []]
    assert counts.tolist() == [len(each) for each in lists]
    assert refs.tolist() == [2 * row for each in lists for row in each]


def test_points_are_joined_by_bit_positions(known):
    bases, logarithms = known
    positions = np.array([253, 100, 100, 1, 0, 0])
    out = np.zeros((2, 8), dtype=np.uint64)
    join(out, 1, bases[:6], positions)
    total = sum(k << p for k, p in zip(logarithms, positions.tolist(), strict=False))
    assert points_to_ints(out)[1] == generator_multiple(total)
    join(out, 0, bases[:0], positions[:0])
    assert points_to_ints(out)[0] == (0, 0)
