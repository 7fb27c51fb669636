"""Sumcheck rounds and the multilinear functions that the verifier computes itself."""

from __future__ import annotations

from collections.abc import Sequence


def next_claim(coefficients: Sequence[int], claim: int, challenge: int, modulus: int) -> int:
    """Claim after one round of degree len(coefficients).

    The message holds c_0, c_2, ..., c_D; the linear coefficient follows from
    s(0) + s(1) = claim, so no message can disagree with it (trap P11).
    """
    c_0, *higher = coefficients
    c_1 = (claim - 2 * c_0 - sum(higher)) % modulus
    value = 0
    for coefficient in reversed((c_0, c_1, *higher)):
        value = (value * challenge + coefficient) % modulus
    return value


def equality(left: Sequence[int], right: Sequence[int], modulus: int) -> int:
    """prod_b (1 - x_b)(1 - y_b) + x_b y_b."""
    product = 1
    for x, y in zip(left, right, strict=True):
        product = product * (1 - x - y + 2 * x * y) % modulus
    return product


def activity(height: int, point: Sequence[int], modulus: int) -> int:
    """Multilinear extension of [row < height] at a point, low bit first.

    Assumes: 0 <= height <= 2^len(point).
    """
    if height == 1 << len(point):
        return 1
    total, prefix = 0, 1
    for bit in reversed(range(len(point))):
        x = point[bit]
        if height >> bit & 1:
            total = (total + prefix * (1 - x)) % modulus
            prefix = prefix * x % modulus
        else:
            prefix = prefix * (1 - x) % modulus
    return total


def row_number(point: Sequence[int], modulus: int) -> int:
    """Multilinear extension of the row number: sum 2^b x_b."""
    return sum(x << bit for bit, x in enumerate(point)) % modulus


def powers_at(base: int, point: Sequence[int], modulus: int) -> int:
    """Multilinear extension of row -> base^row: prod 1 - x_b + x_b base^(2^b)."""
    product, power = 1, base
    for x in point:
        product = product * (1 - x + x * power) % modulus
        power = power * power % modulus
    return product


def squares(base: int, count: int, modulus: int) -> list[int]:
    """base, base^2, base^4, ...: the coordinates made from one challenge."""
    values = []
    for _ in range(count):
        values.append(base)
        base = base * base % modulus
    return values
