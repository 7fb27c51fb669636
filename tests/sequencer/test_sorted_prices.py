"""Prices in blocks answer as one sorted list does."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right

import pytest

from sequencer import sorted_prices as module
from sequencer.sorted_prices import SortedPrices


@pytest.mark.parametrize("seed", range(4))
def test_answers_are_those_of_a_sorted_list(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_MAX", 4)
    rng = random.Random(seed)
    prices, expected = SortedPrices(), []
    for _ in range(800):
        price = rng.randrange(120)
        if price in expected:
            prices.remove(price)
            expected.remove(price)
        elif rng.randrange(3):
            prices.add(price)
            expected.insert(bisect_left(expected, price), price)
        asked = rng.randrange(-1, 122)
        above, below = expected[bisect_left(expected, asked) :], bisect_right(expected, asked)
        assert prices.at_least(asked) == (above[0] if above else None)
        assert prices.at_most(asked) == (expected[below - 1] if below else None)


def test_no_prices_are_near_none() -> None:
    assert SortedPrices().at_least(1) is None
    assert SortedPrices().at_most(1) is None


def test_a_full_block_is_split() -> None:
    prices = SortedPrices()
    for price in range(3 * module.BLOCK_MAX):
        prices.add(price)
    assert all(prices.at_least(price) == price for price in range(3 * module.BLOCK_MAX))
    assert max(map(len, prices._blocks)) <= module.BLOCK_MAX
