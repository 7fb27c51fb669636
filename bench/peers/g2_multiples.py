"""Many multiples of the BN254 G2 generator, in plain Python.

The setup of Groth16 needs one for each wire; the project's own protocol needs a single one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from circuits.field import Q
from verifier.pairing import G2Point, bn128

_WINDOW_BITS = 8
_WINDOWS = 32
INFINITY: G2Point = ((0, 0), (0, 0))

Fq2 = tuple[int, int]


def _multiply(a: Fq2, b: Fq2) -> Fq2:
    a0, a1 = a
    b0, b1 = b
    return (a0 * b0 - a1 * b1) % Q, (a0 * b1 + a1 * b0) % Q


def _inverses(values: Sequence[Fq2]) -> list[Fq2]:
    """All inverses with one inversion in Fq. Assumes: no value is zero."""
    prefixes: list[Fq2] = []
    product = (1, 0)
    for value in values:
        prefixes.append(product)
        product = _multiply(product, value)
    norm_inverse = pow(product[0] * product[0] + product[1] * product[1], -1, Q)
    suffix = (product[0] * norm_inverse % Q, -product[1] * norm_inverse % Q)
    found = []
    for value, prefix in zip(reversed(values), reversed(prefixes), strict=True):
        found.append(_multiply(suffix, prefix))
        suffix = _multiply(suffix, value)
    return found[::-1]


def _add_pairs(pairs: Sequence[tuple[G2Point, G2Point]]) -> list[G2Point]:
    """Sums of pairs of points that are neither infinity nor equal nor opposite."""
    differences = [
        ((right[0][0] - left[0][0]) % Q, (right[0][1] - left[0][1]) % Q) for left, right in pairs
    ]
    sums: list[G2Point] = []
    for (left, right), inverse in zip(pairs, _inverses(differences), strict=True):
        (x0, x1), (y0, y1) = left
        slope = _multiply((right[1][0] - y0, right[1][1] - y1), inverse)
        square = _multiply(slope, slope)
        x = ((square[0] - x0 - right[0][0]) % Q, (square[1] - x1 - right[0][1]) % Q)
        rise = _multiply(slope, (x0 - x[0], x1 - x[1]))
        sums.append((x, ((rise[0] - y0) % Q, (rise[1] - y1) % Q)))
    return sums


@cache
def _table() -> list[list[G2Point]]:
    """For each window w the points d 256^w G for d = 1..255, at place d - 1."""
    doubled, point = [], bn128.G2
    for _ in range(_WINDOW_BITS * _WINDOWS):
        doubled.append(_affine(point))
        point = bn128.double(point)
    rows: list[list[G2Point]] = [[] for _ in range(_WINDOWS)]
    for bit in range(_WINDOW_BITS):
        steps = doubled[bit::_WINDOW_BITS]
        pairs = [(known, step) for row, step in zip(rows, steps, strict=True) for known in row]
        sums = iter(_add_pairs(pairs))
        for row, step in zip(rows, steps, strict=True):
            new = [next(sums) for _ in row]
            row += [step, *new]
    return rows


def _affine(point: Any) -> G2Point:
    x, y = bn128.normalize(point)
    (x0, x1), (y0, y1) = ([int(part) for part in each.coeffs] for each in (x, y))
    return (x0, x1), (y0, y1)


def multiply_generator(scalars: Sequence[int]) -> list[G2Point]:
    """scalars[i] * G. Assumes: each below the group order. Cost: some 0.4 ms each.

    A partial sum is a smaller multiple of G than the table's entry that comes next, and both stay
    below the order, so no addition meets equal or opposite points.
    """
    totals = [INFINITY] * len(scalars)
    for window, row in enumerate(_table()):
        digits = [scalar >> (_WINDOW_BITS * window) & 0xFF for scalar in scalars]
        adding = []
        for index, digit in enumerate(digits):
            if digit and totals[index] == INFINITY:
                totals[index] = row[digit - 1]
            elif digit:
                adding.append(index)
        pairs = [(totals[index], row[digits[index] - 1]) for index in adding]
        for index, total in zip(adding, _add_pairs(pairs), strict=True):
            totals[index] = total
    return totals
