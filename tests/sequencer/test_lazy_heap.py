"""A lazy heap answers as a dictionary searched for its lowest value."""

from __future__ import annotations

import random

import pytest

from sequencer.lazy_heap import SPARE_ENTRIES, LazyHeap


@pytest.mark.parametrize("seed", range(3))
def test_the_lowest_is_that_of_a_search(seed: int) -> None:
    rng = random.Random(seed)
    heap, expected = LazyHeap(), {}
    for _ in range(2000):
        key = rng.randrange(30)
        if rng.randrange(4):
            expected[key] = rng.randrange(50)
            heap.put(key, expected[key])
        else:
            expected.pop(key, None)
            heap.drop(key)
        lowest = min(((value, key) for key, value in expected.items()), default=None)
        assert heap.lowest() == (None if lowest is None else lowest[0])
        bound = rng.randrange(51)
        found = lowest[1] if lowest is not None and lowest[0] < bound else None
        assert heap.below(bound) == found
        assert len(heap) == len(expected)
        assert len(heap._heap) <= 2 * 30 + SPARE_ENTRIES


def test_values_that_keep_changing_leave_nothing_behind() -> None:
    heap = LazyHeap()
    for number in range(10_000):
        heap.put(7, number)
    assert len(heap._heap) <= SPARE_ENTRIES + 2
    assert heap.lowest() == 9_999
