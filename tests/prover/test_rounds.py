"""Round polynomials given by values against their coefficients."""

import pytest

from circuits.field import R
from prover.rounds import coefficients, extend, message, value_at
from verifier.sumcheck import next_claim


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_values_and_coefficients_say_the_same(rng, count):
    polynomial = [rng.randrange(R) for _ in range(count)]
    values = [sum(c * t**i for i, c in enumerate(polynomial)) % R for t in range(count + 3)]
    assert coefficients(values[:count]) == polynomial
    assert extend(values[:count], count + 3) == values
    assert extend(values[:count], 1) == values[:1]
    x = rng.randrange(R)
    assert value_at(values[:count], x) == sum(c * x**i for i, c in enumerate(polynomial)) % R


def test_the_message_leads_the_verifier_to_the_same_claim(rng):
    values = [rng.randrange(R) for _ in range(6)]
    challenge = rng.randrange(R)
    claim = next_claim(message(values), (values[0] + values[1]) % R, challenge, R)
    assert claim == value_at(values, challenge)
