"""Round polynomials given by their values at 0, 1, 2, ..., on plain integers."""

import itertools
from collections.abc import Sequence
from functools import cache

from circuits.field import R


@cache
def _basis(count: int) -> tuple[tuple[int, ...], ...]:
    """Coefficients of the Lagrange polynomials of the points 0 .. count - 1."""
    polynomials = []
    for k in range(count):
        coefficients, denominator = [1], 1
        for other in range(count):
            if other != k:
                shifted = [0, *coefficients]
                scaled = [other * c for c in coefficients] + [0]
                coefficients = [a - b for a, b in zip(shifted, scaled, strict=True)]
                denominator *= k - other
        inverse = pow(denominator, -1, R)
        polynomials.append(tuple(c * inverse % R for c in coefficients))
    return tuple(polynomials)


def coefficients(values: Sequence[int]) -> list[int]:
    """Coefficients, low first, of the polynomial with values[t] at t."""
    basis = _basis(len(values))
    return [
        sum(value * each[power] for value, each in zip(values, basis, strict=True)) % R
        for power in range(len(values))
    ]


def value_at(values: Sequence[int], x: int) -> int:
    """The polynomial with values[t] at t, at any point."""
    total = 0
    for coefficient in reversed(coefficients(values)):
        total = (total * x + coefficient) % R
    return total


def extend(values: Sequence[int], count: int) -> list[int]:
    """Values at 0 .. count - 1 of the polynomial with the given first values."""
    # The last value of each row of differences; the next one of each follows by additions.
    last, row = [], list(values)
    while row:
        last.append(row[-1])
        row = [b - a for a, b in itertools.pairwise(row)]
    extended = list(values[:count])
    while len(extended) < count:
        for order in reversed(range(len(last) - 1)):
            last[order] = (last[order] + last[order + 1]) % R
        extended.append(last[0])
    return extended


def message(values: Sequence[int]) -> list[int]:
    """What is sent of a round polynomial: all coefficients but the linear one (trap P11)."""
    constant, _, *higher = coefficients(values)
    return [constant, *higher]
