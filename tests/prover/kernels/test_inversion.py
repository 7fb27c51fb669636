"""Inverses against Python's own, where approximations, signs and batches could go wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.field import Q, R
from prover.kernels.inversion import inverse_mod_q, inverse_mod_r
from prover.kernels.scalar import limbs

FIELDS = [(inverse_mod_r, R), (inverse_mod_q, Q)]


def inverse(function, value: int) -> int:
    return sum(int(limb) << (64 * k) for k, limb in enumerate(function(limbs(value))))


@pytest.mark.parametrize(("function", "modulus"), FIELDS)
def test_edges_powers_of_two_and_their_neighbours(function, modulus):
    values = [1 << k for k in range(254)] + [modulus // k for k in range(1, 40)]
    values = [v + offset for v in values for offset in (-1, 0, 1)]
    for value in {v for u in values for v in (u, modulus - u) if 0 < v < modulus}:
        assert inverse(function, value) == pow(value, -1, modulus), value


@pytest.mark.parametrize(("function", "modulus"), FIELDS)
def test_zero_gives_zero(function, modulus):
    assert inverse(function, 0) == 0


@pytest.mark.parametrize(("function", "modulus"), FIELDS)
@given(data=st.data())
def test_any_element(function, modulus, data):
    bits = data.draw(st.integers(1, 254))
    value = data.draw(st.integers(1, min(2**bits, modulus) - 1 or 1))
    assert inverse(function, value) == pow(value, -1, modulus)


@pytest.mark.parametrize(("function", "modulus"), FIELDS)
def test_long_runs_of_equal_quotients(function, modulus):
    # Ratios of neighbouring Fibonacci numbers take the most steps of any.
    a, b = 1, 1
    while b < modulus:
        a, b = b, a + b
        value = a * pow(b, -1, modulus) % modulus if b % modulus else 1
        assert inverse(function, value) == pow(value, -1, modulus)
