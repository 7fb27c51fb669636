"""Permutations eight at a time against those row by row, word for word."""

from __future__ import annotations

import random

import numpy as np
import pytest

from circuits.field import R
from prover.kernels import fr, poseidon2_lanes, poseidon2_rows
from prover.kernels.choice import Kernels
from prover.kernels.lanes import LANES
from prover.kernels.poseidon2_rows import SBOX_COUNT
from tests.support.twins import run_with

EDGES = (0, 1, 2, R - 1, R - 2, (R - 1) // 2, 2**52 - 1, 2**52, 2**208, 2**253)


def states(source: random.Random, count: int) -> np.ndarray:
    """Lanes at the edges and anywhere between, edges of the stored form included."""
    values = [
        source.choice(EDGES) if source.random() < 0.5 else source.randrange(R)
        for _ in range(4 * count)
    ]
    stored = [value * pow(2**256, -1, R) % R for value in values[: 2 * count]]
    return fr.from_ints([*stored, *values[2 * count :]]).reshape(count, 4, 4)


def run(twin, start: int, stop: int, batch: np.ndarray, *, is_traced: bool):
    """States and S-box outputs of rows [start, stop); all other rows stay as they were."""
    out = np.full(batch.shape, 7, dtype=np.uint64)
    cells = np.full((SBOX_COUNT, len(batch) if is_traced else 0, 4), 7, dtype=np.uint64)
    twin.permute_rows(start, stop, out, batch, twin.numbers(), cells)
    return out, cells


@pytest.mark.parametrize("is_traced", [False, True])
@pytest.mark.parametrize("count", [1, LANES - 1, LANES, LANES + 1, 3 * LANES, 5 * LANES - 1])
def test_both_twins_write_the_same(count: int, is_traced: bool, rng: random.Random) -> None:
    batch = states(rng, count + 4)
    wanted = run(poseidon2_rows, 3, 3 + count, batch, is_traced=is_traced)
    got = run(poseidon2_lanes, 3, 3 + count, batch, is_traced=is_traced)
    for expected, array in zip(wanted, got, strict=True):
        assert np.array_equal(expected, array)
    assert (wanted[0][3 : 3 + count] != 7).any()


def test_eight_times_the_same_extreme_state() -> None:
    for value in EDGES:
        batch = np.ascontiguousarray(np.broadcast_to(fr.constant(value), (LANES, 4, 4)))
        wanted = run(poseidon2_rows, 0, LANES, batch, is_traced=True)
        got = run(poseidon2_lanes, 0, LANES, batch, is_traced=True)
        assert all(map(np.array_equal, wanted, got)), value


@pytest.mark.slow
def test_with_emulated_ifma() -> None:
    run_with(Kernels.IFMA_EMULATED, __file__)
