"""Digits for kinds of columns, and jobs that cover every row of every window once."""

import numpy as np
import pytest

from prover.kernels.msm_digits import CODE_BITS, MAGNITUDE_BITS
from prover.kernels.msm_plan import Digits, Vector, choose_digits, group, plan_jobs


def histogram(counts: dict[int, int]) -> np.ndarray:
    lengths = np.zeros(MAGNITUDE_BITS + 1, dtype=np.int64)
    for length, count in counts.items():
        lengths[length] = count
    return lengths


@pytest.mark.parametrize("workers", [1, 2, 16])
@pytest.mark.parametrize("rows", [1, 10, 1000, 2**14, 2**20, 2**22, 2**24])
@pytest.mark.parametrize("longest", [1, 2, 7, 8, 16, 33, 64, 128, 253])
@pytest.mark.parametrize("has_complements", [False, True])
def test_digits_hold_the_longest_scalar(longest, rows, has_complements, workers):
    lengths = histogram({0: 5, longest: rows})
    digits = choose_digits(lengths, has_complements, workers)
    assert digits.longest == longest
    assert 1 <= digits.bits <= CODE_BITS
    if digits.is_signed:
        assert digits.bits * digits.windows > longest + has_complements
    else:
        assert not has_complements
        assert digits.bits * digits.windows >= longest
    assert (digits.buckets() >= 1).all()
    reach = digits.reach(np.array([0, longest]), np.array([0, has_complements]))
    assert reach.tolist() == [0, digits.windows]


def test_bits_are_one_list_and_wide_columns_grow_their_digits():
    assert choose_digits(histogram({1: 1000}), False, 1).buckets().tolist() == [1]
    widths = [choose_digits(histogram({253: 2**k}), True, 1).bits for k in (4, 8, 12, 16, 20)]
    assert widths == sorted(widths)
    assert widths[0] <= 6
    assert widths[-1] == CODE_BITS


def test_a_narrow_column_costs_a_few_windows():
    lengths = histogram({k: 2 ** (k + 3) for k in range(1, 17)})
    assert choose_digits(lengths, False, 1).windows <= 2


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_jobs_cover_every_window_of_every_span_once(workers):
    source = np.random.default_rng(workers)
    spans = np.zeros((60, 4), dtype=np.int64)
    spans[:, 1] = source.integers(1, 5000, 60)
    spans[:, 3] = source.integers(0, 6, 60)
    vectors = [
        Vector(Digits(11, 5, 50, True), 0, 25),
        None,
        Vector(Digits(4, 6, 22, False), 25, 60),
    ]
    jobs = plan_jobs(vectors, spans, workers)
    seen = np.zeros((60, 6), dtype=np.int64)
    for row in np.concatenate(jobs).tolist():
        window, limit, buckets, first, stop, position, owner = row
        vector = vectors[owner]
        assert vector is not None
        digits = vector.digits
        assert (limit, position) == (digits.limit, digits.bits * window)
        assert buckets == digits.buckets()[window]
        assert vector.first <= first < stop <= vector.stop
        seen[first:stop, window] += 1
    has_window = np.arange(6) < spans[:, 3:4]
    assert (seen[has_window] == 1).all()


def test_groups_are_runs_of_at_least_a_size():
    assert group([], 5) == []
    assert group([1, 1], 5) == [(0, 2)]
    assert group([3, 3, 9, 1], 5) == [(0, 2), (2, 3), (3, 4)]
