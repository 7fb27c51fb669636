"""Weighted sums of columns and columns at a point against plain integers."""

import numpy as np
import pytest

from circuits.field import R
from prover.kernels import fr
from prover.kernels.cells import MONTGOMERY, place_of, places_of
from prover.kernels.equality import LOW, SplitEquality
from prover.kernels.fold import Stacked, add_stacked, columns_at, mix_columns, weighted_sums
from prover.kernels.parallel import ROWS_MIN
from prover.kernels.scalar import limbs
from verifier.sumcheck import equality

WIDTHS = (8, 16, 32, 64, 254)


def random_column(rng, bits, rows):
    """Integers with both edges, and the column that holds them."""
    top = R - 1 if bits == 254 else 2**bits - 1
    cells = [rng.choice([0, top, rng.randint(0, top)]) for _ in range(rows)]
    if bits == 254:
        return cells, np.array([limbs(cell) for cell in cells], dtype=np.uint64).reshape(-1, 4)
    return cells, np.array(cells, dtype=f"u{bits // 8}")


def random_columns(rng, rows):
    """One column of every width and one of elements; all arrays, which must be kept, and places."""
    pairs = [random_column(rng, bits, rows) for bits in WIDTHS]
    cells, arrays = [each for each, _ in pairs], [each for _, each in pairs]
    arrays.append(fr.from_ints(cells[-1]))
    places = np.vstack([places_of(arrays[:-1]), places_of(arrays[-1:], MONTGOMERY)])
    return [*cells, cells[-1]], arrays, places


@pytest.mark.parametrize("rows", [0, 1, 5, ROWS_MIN + 7])
def test_mix_columns(rng, rows):
    cells, arrays, places = random_columns(rng, rows)
    weights = [rng.randrange(R) for _ in arrays]
    assert fr.to_ints(mix_columns(places, rows, weights)) == [
        sum(w * column[row] for w, column in zip(weights, cells, strict=True)) % R
        for row in range(rows)
    ]


@pytest.mark.parametrize("length", [10, 3 * ROWS_MIN])
def test_stacked_columns_overlap_and_leave_gaps(rng, length):
    expected, pieces, kept = [0] * length, [], []
    for bits in (8, 254, 32, 254, 16):
        height = rng.randint(0, length // 2)
        offset = rng.randint(0, length - height)
        cells, array = random_column(rng, bits, height)
        kept.append(array)
        weight = rng.randrange(R)
        pieces.append((offset, height, place_of(array), weight))
        for row, cell in enumerate(cells, offset):
            expected[row] = (expected[row] + weight * cell) % R
    assert fr.to_ints(add_stacked(length, Stacked.of(pieces))) == expected
    assert fr.to_ints(add_stacked(length, Stacked.of([]))) == [0] * length


@pytest.mark.parametrize(
    ("rows", "variables"), [(0, 3), (1, 0), (5, 3), (8, 3), (LOW, 9), (3 * LOW + 5, 11)]
)
def test_columns_at(rng, rows, variables):
    cells, arrays, places = random_columns(rng, rows)
    point = [rng.randrange(R) for _ in range(variables)]
    table = fr.to_ints(fr.eq_table(point))
    assert columns_at(places, rows, point) == [
        sum(a * b for a, b in zip(column, table, strict=False)) % R for column in cells
    ]
    assert len(arrays) == len(cells)


def test_weights_may_be_any(rng):
    rows = 3 * ROWS_MIN + 1
    cells, arrays, places = random_columns(rng, rows)
    weights = [rng.randrange(R) for _ in range(rows)]
    table = SplitEquality(fr.from_ints(weights), fr.from_ints([5]))
    assert weighted_sums(places, rows, table) == [
        5 * sum(a * b for a, b in zip(column, weights, strict=True)) % R for column in cells
    ]
    assert len(arrays) == len(cells)


@pytest.mark.parametrize("variables", [0, 3, 9, 11])
def test_a_split_table_is_the_equality_polynomial(rng, variables):
    point = [rng.randrange(R) for _ in range(variables)]
    split = SplitEquality.of(point)
    low, high = fr.to_ints(split.low), fr.to_ints(split.high)
    for x in {0, (1 << variables) - 1, rng.randrange(1 << variables)}:
        bits = [x >> bit & 1 for bit in range(variables)]
        assert low[x % LOW] * high[x // LOW] % R == equality(point, bits, R)
