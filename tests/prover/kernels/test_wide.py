"""Wide sums against plain integers, up to the edges that their bound allows."""

import numpy as np
import pytest
from numba import njit

from circuits.field import R
from prover.kernels import fr
from prover.kernels.scalar import limbs, load
from prover.kernels.wide import (
    WIDE_LIMBS,
    WIDE_ZERO,
    add_product,
    add_small_product,
    clear_block,
    dot_block,
    load_wide,
    reduce_block,
    store_wide,
)


@njit
def wide_products(total, a, b):
    for i in range(a.shape[0]):
        total = add_product(total, load(a, i), load(b, i))
    return total


@njit
def small_products(total, a, small):
    for i in range(a.shape[0]):
        total = add_small_product(total, load(a, i), small[i])
    return total


@njit
def copy_wide(out, totals):
    store_wide(out, 0, load_wide(totals, 1))


def joined(total):
    return sum(int(limb) << 64 * k for k, limb in enumerate(total))


def plain(values):
    return np.array([limbs(value) for value in values], dtype=np.uint64).reshape(-1, 4)


EDGES = [0, 1, 2**64 - 1, 2**192, R - 1]


def test_products_are_added_exactly(rng):
    a = [*EDGES, *EDGES, *(rng.randrange(R) for _ in range(50))]
    b = [*EDGES, *reversed(EDGES), *(rng.randrange(R) for _ in range(50))]
    total = wide_products(WIDE_ZERO, plain(a), plain(b))
    assert joined(total) == sum(x * y for x, y in zip(a, b, strict=True))


def test_small_products_are_added_exactly(rng):
    a = [*EDGES, *(rng.randrange(R) for _ in range(20))]
    small = [2**64 - 1] * len(EDGES) + [rng.randrange(2**64) for _ in range(20)]
    total = small_products(WIDE_ZERO, plain(a), np.array(small, dtype=np.uint64))
    assert joined(total) == sum(x * y for x, y in zip(a, small, strict=True))


def test_carries_reach_the_last_limb():
    most = tuple(np.uint64(limb) for limb in [2**64 - 1] * 8 + [7])
    total = wide_products(most, plain([1]), plain([1]))
    assert joined(total) == 8 << 512


@pytest.mark.parametrize("value", [0, 1, R, 2**256, R**2, 2**512, 2**576 - 1])
def test_reduction_divides_by_2_256(value):
    totals = np.zeros((2, WIDE_LIMBS), dtype=np.uint64)
    totals[1] = [value >> 64 * k & 2**64 - 1 for k in range(WIDE_LIMBS)]
    copied = np.ones_like(totals)
    copy_wide(copied, totals)
    assert copied[0].tolist() == totals[1].tolist()
    work = fr.zeros(3)
    clear_block(copied, 1, 1)
    reduce_block(work, 1, copied, 0, 2)
    assert fr.to_ints(work) == [0, value * pow(2, -512, R) % R, 0]


def test_dot_block(rng):
    a, b = ([rng.randrange(R) for _ in range(9)] for _ in range(2))
    total = dot_block(fr.from_ints(a), 2, fr.from_ints(b), 1, 7)
    (found,) = fr.to_ints(np.array([total], dtype=np.uint64))
    assert found == sum(x * y for x, y in zip(a[2:], b[1:8], strict=True)) % R
