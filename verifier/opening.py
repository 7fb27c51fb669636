"""Steps 6 to 9: Gemini folds in evaluation form, Shplonk, and one pairing (protocol 3.5).

The claim is f(rho) = u for f = sum omega_k P_k, all multilinear. Folding f once per coordinate
gives f_1, f_2, ..., f_m = u; each step is checked at r_i = r^(2^i) and -r_i.
"""

from __future__ import annotations

from collections.abc import Sequence

from circuits.field import R
from verifier.errors import DegenerateChallenge, OpeningMismatch
from verifier.pairing import G2Point, multi_scalar, pairing_check
from verifier.transcript import Point

GENERATOR: Point = (1, 2)


def _inverses(values: Sequence[int]) -> list[int]:
    """Inverses of all values with one exponentiation; a zero is refused, not skipped."""
    prefix = [1]
    for value in values:
        prefix.append(prefix[-1] * value % R)
    if prefix[-1] == 0:
        raise DegenerateChallenge("opening", "non-zero denominators", 0)
    inverse = pow(prefix[-1], -1, R)
    found = [0] * len(values)
    for index in reversed(range(len(values))):
        found[index] = inverse * prefix[index] % R
        inverse = inverse * values[index] % R
    return found


def positive_values(
    claim: int,
    rho: Sequence[int],
    roots: Sequence[int],
    negated: Sequence[int],
    inverses: Sequence[int],
) -> list[int]:
    """p_i = f_i(r_i) from p_m = u and e_i = f_i(-r_i), last fold first.

    f_{i+1}(r_i^2) = (1 - rho_i)(p_i + e_i)/2 + rho_i (p_i - e_i)/(2 r_i), solved for p_i.
    """
    values, following = [0] * len(rho), claim
    for i in reversed(range(len(rho))):
        even, odd = roots[i] * (1 - rho[i]), rho[i]
        following = (2 * roots[i] * following - negated[i] * (even - odd)) * inverses[i] % R
        values[i] = following
    return values


def check_opening(
    tau_g2: G2Point,
    commitments: Sequence[Point],
    weights: Sequence[int],
    claim: int,
    rho: Sequence[int],
    folds: Sequence[Point],
    r: int,
    negated: Sequence[int],
    nu: int,
    quotient: Point,
    z: int,
    witness: Point,
) -> None:
    """Raises: OpeningMismatch when the pairing fails, DegenerateChallenge for a zero divisor."""
    m = len(rho)
    roots = []
    for _ in range(m):
        roots.append(r)
        r = r * r % R
    denominators = [(roots[i] * (1 - rho[i]) + rho[i]) % R for i in range(m)]
    denominators += [(z - root) % R for root in roots] + [(z + root) % R for root in roots]
    inverses = _inverses(denominators)
    positive = positive_values(claim, rho, roots, negated, inverses[:m])

    constant, power, scales = 0, 1, []
    for i in range(m):
        at_positive = power * inverses[m + i] % R
        at_negated = power * nu % R * inverses[2 * m + i] % R
        power = power * nu % R * nu % R
        constant = (constant + at_positive * positive[i] + at_negated * negated[i]) % R
        scales.append((at_positive + at_negated) % R)
    points = [quotient, *commitments, *folds, GENERATOR, witness]
    scalars = [
        1,
        *(-scales[0] * weight % R for weight in weights),
        *(-scale % R for scale in scales[1:]),
        constant,
        z,
    ]
    left = multi_scalar(points, scalars)
    if not pairing_check(left, witness, tau_g2):
        raise OpeningMismatch("pairing", 1, 0)
