"""Arithmetic that is taken down gives, once numbers are known, what it gives on numbers."""

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.field import R
from prover.kernels.symbols import KNOWN, Symbol, Symbols

NUMBERS = st.sampled_from([0, 1, 2, R - 1, R, -1, 12345])
OPERATIONS = st.sampled_from([operator.add, operator.sub, operator.mul])
# An operation, and two numbers: places among what was made so far, inputs first, or integers.
STEP = st.tuples(OPERATIONS, st.integers(0, 40), st.integers(0, 40))


@given(
    st.lists(NUMBERS, min_size=1, max_size=4),
    st.lists(NUMBERS, max_size=3),
    st.lists(STEP, max_size=30),
)
def test_values_are_those_of_the_same_arithmetic_on_numbers(inputs, constants, steps):
    symbols = Symbols(len(inputs))
    taken, plain = [*symbols.inputs, *constants], [*inputs, *constants]
    for operation, left, right in steps:
        a, b = left % len(taken), right % len(taken)
        taken.append(operation(taken[a], taken[b]) % R)
        plain.append(operation(plain[a], plain[b]) % R)
        taken.append(-taken[-1])
        plain.append(-plain[-1])
    assert symbols.values(inputs).of(taken) == [number % R for number in plain]


def test_equal_arithmetic_is_one_symbol():
    x, y = Symbols(2).inputs
    assert x + y is y + x
    assert x * y is y * x
    assert x + 5 is 5 + x
    assert 3 * x is x * (R + 3)
    assert x - y is not y - x
    assert len({x + y, y + x, x * y}) == 2


def test_what_changes_nothing_makes_no_symbol():
    (x,) = Symbols(1).inputs
    assert x + 0 is x
    assert x - R is x
    assert 1 * x is x
    assert x % R is x
    assert (x * 0, x - x) == (0, 0)


def test_a_symbol_makes_no_choice_by_value():
    x, y = Symbols(2).inputs
    assert x
    assert x != 0
    assert x != y
    with pytest.raises(TypeError):
        x < 2  # noqa: B015
    with pytest.raises(ValueError, match="as modulus, got 7"):
        x % 7


def test_as_many_numbers_as_inputs_are_wanted():
    symbols = Symbols(2)
    with pytest.raises(ValueError, match="expected 2 numbers, got 3"):
        symbols.values([1, 2, 3])
    assert KNOWN.of([5, R + 1, -1]) == [5, 1, R - 1]
    assert isinstance(symbols.inputs[0], Symbol)
