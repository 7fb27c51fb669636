"""Sumcheck rounds and the verifier's own multilinear functions, over the field of the proofs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.field import R
from verifier.sumcheck import activity, equality, next_claim, powers_at, row_number, squares

elements = st.integers(0, R - 1)
coefficient_lists = st.lists(elements, min_size=2, max_size=9)


def polynomial_at(coefficients: Sequence[int], x: int) -> int:
    return sum(c * pow(x, power, R) for power, c in enumerate(coefficients)) % R


@given(coefficients=coefficient_lists, challenge=elements)
def test_the_next_claim_is_the_round_polynomial_at_the_challenge(
    coefficients: list[int], challenge: int
) -> None:
    claim = (polynomial_at(coefficients, 0) + polynomial_at(coefficients, 1)) % R
    message = [coefficients[0], *coefficients[2:]]
    assert next_claim(message, claim, challenge, R) == polynomial_at(coefficients, challenge)


@given(message=coefficient_lists, claim=elements)
def test_no_message_can_disagree_with_the_claim(message: list[int], claim: int) -> None:
    """Given any message, the values at 0 and 1 add up to the claim."""
    ends = (next_claim(message, claim, 0, R), next_claim(message, claim, 1, R))
    assert sum(ends) % R == claim
    assert ends[0] == message[0]


@given(
    message=coefficient_lists, claim=elements, wrong=elements,
    challenge=st.integers(1, R - 1),
)  # fmt: skip
def test_a_wrong_claim_stays_wrong(
    message: list[int], claim: int, wrong: int, challenge: int
) -> None:
    is_same = next_claim(message, claim, challenge, R) == next_claim(message, wrong, challenge, R)
    assert is_same is (claim == wrong)


def extension(function: Callable[[int], int], point: Sequence[int]) -> int:
    """The multilinear extension by its definition."""
    total = 0
    for x in range(1 << len(point)):
        weight = 1
        for bit, r in enumerate(point):
            weight = weight * (r if x >> bit & 1 else 1 - r) % R
        total += weight * function(x)
    return total % R


points = st.lists(elements, max_size=5)


@given(point=points, data=st.data())
def test_activity_extends_row_below_height(point: list[int], data: st.DataObject) -> None:
    height = data.draw(st.integers(0, 1 << len(point)))
    assert activity(height, point, R) % R == extension(lambda x: int(x < height), point)


@given(point=points)
def test_row_number_extends_the_row(point: list[int]) -> None:
    assert row_number(point, R) == extension(lambda x: x, point)


@given(point=points, base=elements)
def test_powers_extend_the_powers(point: list[int], base: int) -> None:
    assert powers_at(base, point, R) == extension(lambda x: pow(base, x, R), point)


@given(point=points, data=st.data())
def test_equality_extends_the_indicator(point: list[int], data: st.DataObject) -> None:
    row = data.draw(st.integers(0, (1 << len(point)) - 1))
    bits = [row >> bit & 1 for bit in range(len(point))]
    assert equality(bits, point, R) == extension(lambda x: int(x == row), point)


@given(left=points, right=points)
def test_equality_is_symmetric_and_wants_equal_lengths(left: list[int], right: list[int]) -> None:
    if len(left) == len(right):
        assert equality(left, right, R) == equality(right, left, R)
    else:
        with pytest.raises(ValueError, match="zip"):
            equality(left, right, R)


def test_squares_double_the_exponent() -> None:
    assert squares(3, 4, R) == [3, 9, 81, 6561]
    assert squares(3, 0, R) == []
