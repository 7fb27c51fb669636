"""Array steps of a sumcheck round against plain integers; missing odd rows count as zero."""

import numpy as np
import pytest

from circuits.field import R
from prover.kernels import fr
from prover.kernels.cells import MONTGOMERY, place_of
from prover.kernels.equality import SplitEquality
from prover.kernels.parallel import ROWS_MIN
from prover.kernels.scalar import limbs
from prover.kernels.sumcheck import bind_rows, fold_block, fold_factors, half_sums, product_values


def random_rows(rng, count):
    values = [rng.randrange(R) for _ in range(count)]
    return values, fr.from_ints(values)


@pytest.mark.parametrize("rows", [0, 1, 2, 7, 2 * ROWS_MIN + 1])
def test_bind_rows(rng, rows):
    values, elements = random_rows(rng, rows)
    challenge = rng.randrange(R)
    padded = [*values, 0]
    assert fr.to_ints(bind_rows(elements, challenge)) == [
        (padded[row] + challenge * (padded[row + 1] - padded[row])) % R for row in range(0, rows, 2)
    ]


@pytest.mark.parametrize("rows", [0, 1, 6, 2 * ROWS_MIN + 1])
def test_product_values(rng, rows):
    a, left = random_rows(rng, rows)
    b, right = random_rows(rng, rows + rows % 2 + 2)
    padded = [*a, 0]
    expected = [
        sum(
            (padded[j] + t * (padded[j + 1] - padded[j])) * (b[j] + t * (b[j + 1] - b[j]))
            for j in range(0, rows, 2)
        )
        % R
        for t in range(3)
    ]
    assert product_values(left, right) == expected


@pytest.mark.parametrize("rows", [0, 1, 6, 4 * ROWS_MIN + 1])
def test_half_sums(rng, rows):
    values, elements = random_rows(rng, rows)
    pairs = (rows + 1) // 2
    point = [rng.randrange(R) for _ in range(max(pairs - 1, 0).bit_length())]
    table = fr.to_ints(fr.eq_table(point))
    assert half_sums(elements, SplitEquality.of(point)) == tuple(
        sum(a * b for a, b in zip(values[side::2], table, strict=False)) % R for side in (0, 1)
    )


@pytest.mark.parametrize("bits", [8, 16, 32, 64, 254, 256])
@pytest.mark.parametrize("rows", [8, 7])
def test_a_block_of_any_cells_is_folded(rng, bits, rows):
    top = min(R - 1, 2**bits - 1)
    values = [0, top, *(rng.randint(0, top) for _ in range(rows - 2))]
    full = MONTGOMERY
    if bits == 256:
        column = fr.from_ints(values)
    elif bits == 254:
        full, column = 4, np.array([limbs(value) for value in values], dtype=np.uint64)
    else:
        column = np.array(values, dtype=f"u{bits // 8}")
    challenge, pad = rng.randrange(R), rng.randrange(R)
    work = fr.zeros(4)
    fold_block(
        work, 1, *place_of(column, full), 1, 2, 2, rows, tuple(fr.from_ints([pad])[0]),
        fold_factors(challenge),
    )  # fmt: skip
    padded = [*values, pad]
    assert fr.to_ints(work) == [
        0,
        *((padded[k] + challenge * (padded[k + 1] - padded[k])) % R for k in (2, 6)),
        0,
    ]
