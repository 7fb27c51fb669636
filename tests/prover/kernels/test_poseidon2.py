"""Batched permutations against `circuits.poseidon2` and the trace of its chip."""

from __future__ import annotations

import random

import numpy as np
import pytest

from circuits.chips.poseidon2 import trace
from circuits.field import R
from circuits.poseidon2 import Lanes, load_data, permute_each
from prover.kernels import fr, poseidon2

EDGES = (0, 1, R - 1, (R - 1) // 2, 2**64 - 1, 2**128, 2**253)


def states(count: int) -> list[Lanes]:
    """All lanes at an edge, edges mixed, and random values."""
    source = random.Random(count)
    edge = [(value,) * 4 for value in EDGES]
    mixed = [tuple(source.choice(EDGES) for _ in range(4)) for _ in range(10)]
    drawn = [tuple(source.randrange(R) for _ in range(4)) for _ in range(count)]
    return [*edge, *mixed, *drawn]  # type: ignore[list-item]


def test_every_state_is_permuted_as_alone() -> None:
    batch = states(20)
    assert poseidon2.permute_many(batch) == permute_each(batch)


def test_the_published_answers() -> None:
    for case in load_data()["known_answers"]:
        state, expected = (tuple(int(word, 16) for word in case[key]) for key in case)
        assert poseidon2.permute_many([state]) == [expected]


def test_many_states_on_all_threads_keep_their_order() -> None:
    few = states(0)
    many = few * 20
    assert poseidon2.permute_many(many) == poseidon2.permute_many(few) * 20


def test_the_trace_is_that_of_the_chip() -> None:
    batch = states(5)
    out, cells = poseidon2.trace_cells(poseidon2.from_lanes(batch))
    assert cells.shape == (poseidon2.SBOX_COUNT, len(batch), 4)
    columns = [[int.from_bytes(cell.tobytes(), "little") for cell in column] for column in cells]
    outputs = fr.to_ints(out.reshape(-1, 4))
    for number, state in enumerate(batch):
        expected, permuted = trace(state)
        assert [column[number] for column in columns] == expected
        assert tuple(outputs[4 * number : 4 * number + 4]) == permuted


def test_arrays_are_left_as_they_were() -> None:
    array = poseidon2.from_lanes(states(3))
    before = array.copy()
    poseidon2.permute(array)
    poseidon2.trace_cells(array)
    assert np.array_equal(array, before)


def test_no_states() -> None:
    assert poseidon2.permute_many([]) == []


@pytest.mark.parametrize("lane", [-1, R])
def test_a_lane_must_be_canonical(lane: int) -> None:
    with pytest.raises(ValueError, match=f"got {lane}"):
        poseidon2.permute_many([(0, 1, 2, 3), (0, 0, lane, 0)])


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 4, 3), dtype=np.uint64),
        np.zeros((2, 4), dtype=np.uint64),
        np.zeros((2, 4, 4), dtype=np.int64),
        np.zeros((2, 4, 8), dtype=np.uint64)[:, :, ::2],
    ],
)
def test_an_array_of_another_form_is_refused(array: np.ndarray) -> None:
    for function in (poseidon2.permute, poseidon2.trace_cells):
        with pytest.raises(TypeError, match=r"expected a C-contiguous uint64 array \[n, 4, 4\]"):
            function(array)
