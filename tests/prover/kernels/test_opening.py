"""Quotients of more coefficients than a block or a thread takes, against plain integers."""

import pytest

from circuits.field import R, inverse
from prover.kernels import fr
from prover.kernels.opening import DividedPair, divide_pairs, divide_sum

# Beyond one block, beyond one thread, odd and even.
LENGTHS = [1, 2, 3, 255, 256, 257, 1000, 5001, 8192]


def random_polynomial(rng, length):
    values = [rng.randrange(R) for _ in range(length)]
    return values, fr.from_ints(values)


def value_of(coefficients, x):
    running = 0
    for coefficient in reversed(coefficients):
        running = (running * x + coefficient) % R
    return running


@pytest.mark.parametrize("length", LENGTHS)
def test_divided_pairs(length, rng):
    y = rng.randrange(R)
    expected, pairs = 0, []
    for count in (length, (length + 1) // 2, 1):
        values, f = random_polynomial(rng, count)
        root, plus, minus = (rng.randrange(R) for _ in range(3))
        pairs.append(DividedPair(f, root, plus, minus))
        for weight, x in ((plus, root), (minus, -root)):
            expected += weight * (value_of(values, y) - value_of(values, x)) * inverse(y - x)
    quotient = divide_pairs(pairs, length)
    assert value_of(fr.to_ints(quotient), y) == expected % R
    assert not quotient[length - 1 :].any()


@pytest.mark.parametrize("length", LENGTHS)
def test_divided_sum(length, rng):
    x, y = rng.randrange(R), rng.randrange(R)
    terms, total = [], 0
    for count in (1, length, length // 2):
        values, f = random_polynomial(rng, count)
        weight = rng.randrange(R)
        terms.append((weight, f))
        total += weight * (value_of(values, y) - value_of(values, x))
    quotient = divide_sum(terms, x)
    assert quotient.shape == (length - 1, 4)
    assert value_of(fr.to_ints(quotient), y) == total * inverse(y - x) % R
