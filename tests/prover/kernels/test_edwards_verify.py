"""The verification equation on compiled curve arithmetic, with scalars that no hash would give."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest

from circuits.edwards import (
    BASE8,
    COFACTOR,
    GENERATOR,
    IDENTITY,
    SUBGROUP_ORDER,
    A,
    Point,
    add,
    multiply,
    multiply_base8,
    negate,
)
from circuits.field import R
from circuits.signature import CHALLENGE_BITS, account_key
from prover.kernels import edwards, edwards_verify, edwards_verify_rows, fr
from prover.kernels.edwards_verify_rows import EQUATION, HOLDS, OFF_CURVE, SMALL_ORDER

KEY = account_key(0xBEEF)
SMALL = multiply(GENERATOR, SUBGROUP_ORDER)
Row = tuple[Point, Point, int, int]  # R, K, S, h


def codes(rows: Sequence[Row]) -> list[int]:
    points = fr.from_ints(word for r_point, key, _, _ in rows for word in (*r_point, *key))
    s, h = (fr.from_montgomery(fr.from_ints(row[place] for row in rows)) for place in (2, 3))
    return edwards_verify.verify(points.reshape(-1, 4, 4), s, h).tolist()


def fitting(key: Point, s: int, h: int) -> Row:
    """The row whose commitment is S * BASE8 - h * K."""
    return add(multiply_base8(s), negate(multiply(key, h))), key, s, h


def edges(bits: int, limit: int) -> list[int]:
    """Scalars around the ends of windows, with the longest runs of carries, and random ones."""
    source = random.Random(bits)
    half = 1 << bits - 1
    runs = [sum(digit << bits * w for w in range(256 // bits)) for digit in (half, half + 1)]
    values = [1, half - 1, half, half + 1, 2 * half - 1, 2 * half, limit - 1, limit - 2]
    values += [run % 2 ** (limit.bit_length() - 1) for run in runs]
    values += [2**k + shift for k in (63, 64, 127, 128, 192, 250) for shift in (-1, 0)]
    return [value for value in values if value < limit] + [
        source.randrange(limit) for _ in range(4)
    ]


def test_the_equation_holds_at_every_edge() -> None:
    rows = [fitting(KEY, s, 3) for s in edges(6, SUBGROUP_ORDER)]
    rows += [fitting(KEY, 5, h) for h in edges(5, 1 << CHALLENGE_BITS)]
    assert codes(rows) == [HOLDS] * len(rows)
    off_by_one = [(r_point, key, s + 1, h) for r_point, key, s, h in rows if s + 1 < SUBGROUP_ORDER]
    assert codes(off_by_one) == [EQUATION] * len(off_by_one)


def test_challenges_have_the_length_of_the_scheme() -> None:
    """The kernels may not take it from there."""
    assert edwards_verify_rows.CHALLENGE_BITS == CHALLENGE_BITS


def test_scalars_of_zero() -> None:
    rows = [fitting(KEY, 0, 3), fitting(KEY, 3, 0)]
    assert codes(rows) == [HOLDS, HOLDS]


def test_a_negative_digit_subtracts() -> None:
    """2^5 - 1 is taken as 32 - 1, and 2^6 - 1 as 64 - 1."""
    assert codes([fitting(KEY, 63, 31), fitting(KEY, 63, 1), fitting(KEY, 1, 31)]) == [HOLDS] * 3


@pytest.mark.parametrize("multiple", range(1, COFACTOR))
def test_keys_outside_the_subgroup_follow_the_curve(multiple: int) -> None:
    key = add(KEY, multiply(SMALL, multiple))
    assert codes([fitting(key, 7, h) for h in (1, 2, 2**128 - 1)]) == [HOLDS] * 3


def test_faults_of_the_commitment_come_before_those_of_the_key() -> None:
    rows = [
        ((1, 1), (0, 0), 1, 1),
        (IDENTITY, (0, 0), 1, 1),
        (SMALL, (0, 0), 1, 1),
        (BASE8, (0, 0), 1, 1),
        (BASE8, (0, 0), 1, 0),
    ]
    assert codes(rows) == [OFF_CURVE, SMALL_ORDER, SMALL_ORDER, EQUATION, EQUATION]


def test_many_rows_on_all_threads_keep_their_order() -> None:
    good = fitting(KEY, 11, 13)
    bad = (*good[:2], 12, 13)
    rows = [bad if number % 3 == 0 else good for number in range(100)]
    assert codes(rows) == [EQUATION if number % 3 == 0 else HOLDS for number in range(100)]


def test_the_isomorphism_maps_the_curve() -> None:
    assert pow(edwards.ROOT, 2, R) == -A % R


def test_no_rows_have_no_codes() -> None:
    empty = np.empty((0, 4), dtype=np.uint64)
    assert edwards_verify.verify(np.empty((0, 4, 4), dtype=np.uint64), empty, empty).tolist() == []
