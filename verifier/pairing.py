"""BN254 group operations and the one pairing check, over py_ecc."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import lru_cache

from circuits.field import Q
from verifier.transcript import INFINITY, Point

# Importing py_ecc lifts the recursion limit of the whole process to 100 000, where deep input to
# a recursive parser overflows the stack instead of raising RecursionError. Nothing here needs it.
_RECURSION_LIMIT = sys.getrecursionlimit()

from py_ecc import optimized_bn128 as bn128  # noqa: E402
from py_ecc.fields import optimized_bn128_FQ as FQ  # noqa: E402
from py_ecc.fields import optimized_bn128_FQ2 as FQ2  # noqa: E402
from py_ecc.fields import optimized_bn128_FQ12 as FQ12  # noqa: E402

sys.setrecursionlimit(_RECURSION_LIMIT)

# ((x.c0, x.c1), (y.c0, y.c1)) in Fq2 = Fq[u] / (u^2 + 1)
G2Point = tuple[tuple[int, int], tuple[int, int]]


def _jacobian_double(point: tuple[int, int, int]) -> tuple[int, int, int]:
    x, y, z = point
    if y == 0 or z == 0:
        return (1, 1, 0)
    s = 4 * x * y * y % Q
    m = 3 * x * x % Q
    x_out = (m * m - 2 * s) % Q
    return (x_out, (m * (s - x_out) - 8 * pow(y, 4, Q)) % Q, 2 * y * z % Q)


def _jacobian_add(a: tuple[int, int, int], b: tuple[int, int, int]) -> tuple[int, int, int]:
    if a[2] == 0:
        return b
    if b[2] == 0:
        return a
    z1z1, z2z2 = a[2] * a[2] % Q, b[2] * b[2] % Q
    u1, u2 = a[0] * z2z2 % Q, b[0] * z1z1 % Q
    s1, s2 = a[1] * b[2] * z2z2 % Q, b[1] * a[2] * z1z1 % Q
    if u1 == u2:
        return _jacobian_double(a) if s1 == s2 else (1, 1, 0)
    h, r = (u2 - u1) % Q, (s2 - s1) % Q
    hh = h * h % Q
    hhh = h * hh % Q
    v = u1 * hh % Q
    x = (r * r - hhh - 2 * v) % Q
    return (x, (r * (v - x) - s1 * hhh) % Q, h * a[2] * b[2] % Q)


def multi_scalar(points: Sequence[Point], scalars: Sequence[int]) -> Point:
    """sum scalars_i * points_i, one doubling chain for all (Straus with four-bit windows).

    Assumes: points are on the curve or (0, 0); scalars are canonical.
    Cost: some 30 ms for 40 points.
    """
    tables = []
    for x, y in points:
        base = (1, 1, 0) if (x, y) == INFINITY else (x, y, 1)
        table = [(1, 1, 0), base]
        for _ in range(14):
            table.append(_jacobian_add(table[-1], base))
        tables.append(table)
    total = (1, 1, 0)
    for shift in range(252, -1, -4):
        for _ in range(4):
            total = _jacobian_double(total)
        for table, scalar in zip(tables, scalars, strict=True):
            digit = scalar >> shift & 15
            if digit:
                total = _jacobian_add(total, table[digit])
    x, y, z = total
    if z == 0:
        return INFINITY
    inverse = pow(z, -1, Q)
    square = inverse * inverse % Q
    return (x * square % Q, y * square * inverse % Q)


def _g1(point: Point) -> tuple:
    return bn128.Z1 if point == INFINITY else (FQ(point[0]), FQ(point[1]), FQ(1))


@lru_cache(maxsize=8)
def is_valid_g2(point: G2Point) -> bool:
    """Canonical, on the twist, in the subgroup of order r, and not the point at infinity."""
    if any(not 0 <= value < Q for pair in point for value in pair):
        return False
    candidate = (FQ2(list(point[0])), FQ2(list(point[1])), FQ2.one())
    if not bn128.is_on_curve(candidate, bn128.b2):
        return False
    return bn128.is_inf(bn128.multiply(candidate, bn128.curve_order))


def pairing_check(left: Point, witness: Point, tau_g2: G2Point) -> bool:
    """e(left, [1]_2) = e(witness, [tau]_2)."""
    negated = INFINITY if witness == INFINITY else (witness[0], (Q - witness[1]) % Q)
    tau = (FQ2(list(tau_g2[0])), FQ2(list(tau_g2[1])), FQ2.one())
    product = bn128.pairing(bn128.G2, _g1(left), final_exponentiate=False) * bn128.pairing(
        tau, _g1(negated), final_exponentiate=False
    )
    return bn128.final_exponentiate(product) == FQ12.one()
