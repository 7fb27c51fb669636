"""Digits and sorted references against Python integers."""

import random

import numpy as np
import pytest

from circuits.field import R
from prover.kernels import msm_digits
from prover.kernels.msm_digits import MAGNITUDE_BITS
from prover.kernels.msm_plan import Digits
from prover.kernels.scalar import limbs

HALF = (R - 1) // 2
EDGES = [0, 1, R - 1, HALF, HALF + 1, 2**252, 2**252 - 1, 2**253 - 1, R - 2**200]


def recoded(values: list[int], digits: Digits) -> np.ndarray:
    """Codes [window, row] of scalars as one span."""
    column = np.array([limbs(value) for value in values], dtype=np.uint64)
    spans = np.array([[0, len(values), 0, digits.windows]])
    codes = np.zeros(len(values) * digits.windows, dtype=np.uint16)
    top = digits.windows - 1
    msm_digits.recode(column, spans, codes, digits.bits, top, digits.biases())
    return codes.reshape(digits.windows, -1)


def signed(codes: np.ndarray, limit: int) -> np.ndarray:
    digits = codes.astype(np.int64)
    return np.where(digits > limit, digits - 2**16, digits)


@pytest.mark.parametrize("bits", range(2, 17))
def test_signed_digits_add_up(bits):
    source = random.Random(bits)
    values = EDGES + [source.randrange(R) for _ in range(50)]
    values += [2 ** (bits * k + d) for k in range(250 // bits) for d in (-1, 0) if bits * k + d > 0]
    digits = Digits(bits, (MAGNITUDE_BITS + 1) // bits + 1, MAGNITUDE_BITS, True)
    found = signed(recoded(values, digits), digits.limit)
    assert (np.abs(found) <= digits.buckets()[:, None]).all()
    for column, value in zip(found.T.tolist(), values, strict=True):
        total = sum(digit << (bits * window) for window, digit in enumerate(column))
        assert total == (value if value <= HALF else value - R)


@pytest.mark.parametrize(("bits", "longest"), [(1, 1), (3, 8), (8, 16), (16, 16), (16, 64)])
def test_unsigned_digits_add_up(bits, longest):
    source = random.Random(bits)
    values = [0, 1, 2**longest - 1] + [source.randrange(2**longest) for _ in range(50)]
    digits = Digits(bits, -(-longest // bits), longest, False)
    found = recoded(values, digits).astype(np.int64)
    assert (found <= digits.buckets()[:, None]).all()
    for column, value in zip(found.T.tolist(), values, strict=True):
        assert sum(digit << (bits * window) for window, digit in enumerate(column)) == value


def test_spans_of_any_length_and_reach_have_the_digits_of_their_rows():
    """Rows are cut some hundreds at once: a span may end before, at or after such a block."""
    source, bits, row = random.Random(6), 16, 0
    heights = [511, 512, 513, 1300, 1, 700]
    # One span without a digit, others with windows for short scalars only.
    reaches = [16, 16, 5, 16, 0, 2]
    values, table = [], []
    for height, reach in zip(heights, reaches, strict=True):
        longest = min(bits * reach - 1, MAGNITUDE_BITS) if reach else 0
        magnitudes = [source.randrange(2**longest) for _ in range(height)]
        values += [min(each, HALF) for each in magnitudes]
        table.append([row, height, 0, reach])
        row += height * reach
    values[::3] = [-value % R for value in values[::3]]
    digits = Digits(bits, 16, MAGNITUDE_BITS, True)
    codes = np.full(row, 7, dtype=np.uint16)
    column = np.array([limbs(value) for value in values], dtype=np.uint64)
    msm_digits.recode(column, np.array(table), codes, bits, 15, digits.biases())
    expected, first = recoded(values, digits), 0
    for start, height, _, reach in table:
        found = codes[start : start + height * reach].reshape(reach, height)
        assert (found == expected[:reach, first : first + height]).all()
        first += height


@pytest.mark.parametrize("bits", range(1, 17))
@pytest.mark.parametrize("is_signed", [True, False])
def test_no_digit_lies_above_the_reach(bits, is_signed):
    """Magnitudes of every length, smallest and largest, and complements where there are signs."""
    bits = max(bits, 1 + is_signed)
    longest = MAGNITUDE_BITS if is_signed else 64
    values = [0] + [2**k + d for k in range(longest) for d in (0, 2**k - 1)]
    values = [min(value, HALF) for value in values]
    values += [-value % R for value in values if is_signed]
    windows = (longest + 1) // bits + 1 if is_signed else -(-longest // bits)
    digits = Digits(bits, windows, longest, is_signed)
    complements = np.array([value > HALF for value in values])
    lengths = np.array([min(value, R - value).bit_length() for value in values])
    reach = digits.reach(lengths, complements)
    codes = recoded(values, digits)
    assert not codes[np.arange(windows)[:, None] >= reach].any()
    assert codes[np.maximum(reach - 1, 0), np.arange(len(values))][lengths > 0].any()


def test_measured_lengths_complements_and_bad_rows():
    values = [0, 1, R - 1, 2**100, HALF, HALF + 1, 7]
    column = np.array([limbs(value) for value in values], dtype=np.uint64)
    spans = np.zeros((3, 2), dtype=np.int64)
    lengths = np.zeros(MAGNITUDE_BITS + 1, dtype=np.int64)
    assert msm_digits.measure(column, 254, 3, spans, lengths) == -1
    assert spans.tolist() == [[1, 1], [253, 1], [3, 0]]
    assert {k: int(n) for k, n in enumerate(lengths) if n} == {0: 1, 1: 2, 3: 1, 101: 1, 253: 2}
    for bad, width in (([1, R], 254), ([1, 4], 2), ([0, R - 1], 253)):
        column = np.array([limbs(value) for value in bad], dtype=np.uint64)
        assert msm_digits.measure(column, width, 3, spans, lengths) == 1


@pytest.mark.parametrize("buckets", [1, 2, 1000, 1024, 1025, 5000, 2**15])
def test_references_are_sorted_by_window_and_digit(buckets):
    source = np.random.default_rng(buckets)
    # Two spans, the second without the second window; digits 0 to buckets with either sign.
    heights, windows = (700, 500), 2
    digits = [source.integers(-min(buckets, 2**15 - 1), buckets + 1, 700 * 2 + 500)]
    digits = np.where(source.random(1900) < 0.3, 0, digits[0])
    codes = (digits % 2**16).astype(np.uint16)
    spans = np.array([[0, heights[0], 40, windows], [1400, heights[1], 2000, 1]])
    limit = 2**15
    table = np.array([[0, limit, buckets, 0, 2, 0, 0], [1, limit, buckets, 0, 2, 0, 0]])
    counts = np.zeros(2 * buckets, dtype=np.int32)
    refs = msm_digits.sort_windows(codes, spans, table, counts)
    expected: list[list[int]] = [[] for _ in range(2 * buckets)]
    for window, start, base, height in ((0, 0, 40, 700), (0, 1400, 2000, 500), (1, 700, 40, 700)):
        for i, digit in enumerate(digits[start : start + height].tolist()):
            if digit:
                expected[window * buckets + abs(digit) - 1].append(2 * (base + i) + (digit < 0))
    assert counts.tolist() == [len(each) for each in expected]
    assert refs.tolist() == [ref for each in expected for ref in each]
