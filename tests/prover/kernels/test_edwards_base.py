"""Multiples of the base point against `circuits.edwards.multiply_base8`."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from circuits.edwards import SUBGROUP_ORDER, Point, multiply_base8
from prover.kernels import edwards_base, fr


def products(scalars: Sequence[int]) -> list[Point]:
    data = b"".join(scalar.to_bytes(32, "little") for scalar in scalars)
    digits = np.frombuffer(data, dtype=np.uint8).reshape(-1, 32)
    words = iter(fr.to_ints(edwards_base.multiply_base8(digits).reshape(-1, 4)))
    return list(zip(words, words, strict=True))


def test_scalars_at_the_edges() -> None:
    """Zero, each digit alone at its smallest and largest, and scalars above the order."""
    scalars = [0, 1, SUBGROUP_ORDER - 1, SUBGROUP_ORDER, SUBGROUP_ORDER + 1, 2**256 - 1]
    scalars += [digit << 8 * window for window in range(32) for digit in (1, 255)]
    assert products(scalars) == [multiply_base8(scalar) for scalar in scalars]


def test_random_scalars_of_every_length_keep_their_order() -> None:
    source = random.Random(4)
    scalars = [source.getrandbits(bits) for bits in range(1, 257, 4)]
    assert products(scalars) == [multiply_base8(scalar) for scalar in scalars]
    assert products(scalars[:3]) == [multiply_base8(scalar) for scalar in scalars[:3]]


def test_no_scalars_have_no_products() -> None:
    assert products([]) == []
