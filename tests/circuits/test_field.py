"""The scalar field: its laws, its refusals, and py_ecc as an independent witness of the moduli."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from py_ecc import optimized_bn128

from circuits.errors import CircuitError, FieldError, WitnessError
from circuits.field import (
    NON_SQUARE,
    TWO_ADICITY,
    Q,
    R,
    batch_inverse,
    inverse,
    is_canonical,
    is_square,
    require_canonical,
    square_root,
)

elements = st.integers(0, R - 1)
non_zero = st.integers(1, R - 1)


def test_moduli_are_those_of_bn254() -> None:
    assert optimized_bn128.curve_order == R
    assert optimized_bn128.field_modulus == Q


def test_two_adicity_and_non_square_are_as_named() -> None:
    assert (R - 1) % 2**TWO_ADICITY == 0
    assert (R - 1) >> TWO_ADICITY & 1 == 1
    assert pow(NON_SQUARE, (R - 1) // 2, R) == R - 1
    assert all(is_square(x) for x in range(NON_SQUARE))


@pytest.mark.parametrize(
    ("x", "expected"), [(0, True), (R - 1, True), (R, False), (Q - 1, False), (-1, False)]
)
def test_only_numbers_below_r_are_canonical(x: int, expected: bool) -> None:
    assert is_canonical(x) is expected


def test_require_canonical_returns_or_names_the_place() -> None:
    assert require_canonical(R - 1, "word") == R - 1
    with pytest.raises(FieldError) as caught:
        require_canonical(R, "word 3")
    assert str(caught.value) == f"word 3: expected a field element below r, got {R}"


@given(non_zero)
def test_inverse_times_value_is_one(x: int) -> None:
    assert x * inverse(x) % R == 1


@pytest.mark.parametrize("zero", [0, R])
def test_zero_has_no_inverse(zero: int) -> None:
    with pytest.raises(FieldError) as caught:
        inverse(zero)
    assert str(caught.value) == f"inverse: expected a non-zero field element, got {zero}"


@given(st.lists(non_zero, max_size=20))
def test_batch_inverse_equals_single_inversions(values: list[int]) -> None:
    assert batch_inverse(values) == [inverse(value) for value in values]


def test_batch_inverse_names_the_first_zero() -> None:
    with pytest.raises(FieldError) as caught:
        batch_inverse([1, 2, 0, 0])
    assert str(caught.value) == "batch_inverse[2]: expected a non-zero field element, got 0"


@given(elements)
def test_square_root_is_the_smaller_root(x: int) -> None:
    assert square_root(x * x % R) == min(x, -x % R)


@given(non_zero)
def test_a_non_square_has_no_root(x: int) -> None:
    assert square_root(NON_SQUARE * x * x % R) is None


def test_square_roots_over_the_whole_two_power_torsion() -> None:
    """Given each element of order 2**k, when rooted, then exactly k = 28 has no root."""
    torsion = pow(NON_SQUARE, (R - 1) >> TWO_ADICITY, R)
    assert square_root(torsion) is None
    for _ in range(TWO_ADICITY):
        torsion = torsion * torsion % R
        root = square_root(torsion)
        assert root is not None
        assert root * root % R == torsion
    assert torsion == 1


def test_errors_keep_their_parts() -> None:
    error = WitnessError("batch.witness", "header", "version 1", 2)
    assert isinstance(error, CircuitError)
    assert (error.path, error.place, error.expected, error.got) == error.args
    assert str(error) == "batch.witness: header: expected version 1, got 2"
