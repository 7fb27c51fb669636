"""Challenge inputs of the LogUp fingerprints alpha + sum beta^(i+1) t_i + beta^(W+1) bus."""

from __future__ import annotations

from circuits.air.bus import ARITY_MAX
from circuits.field import R


def challenge_inputs(alpha: int, beta: int) -> list[int]:
    """alpha, beta, beta^2, ..., beta^(ARITY_MAX+1): the CHALLENGE operands of every tape.

    Both are drawn after all main columns are committed; helper columns then make the sum of all
    fractions vanish, which is part of the first sumcheck's claim (protocol 3.2, traps P5, P6).
    """
    inputs, power = [alpha], 1
    for _ in range(ARITY_MAX + 1):
        power = power * beta % R
        inputs.append(power)
    return inputs
