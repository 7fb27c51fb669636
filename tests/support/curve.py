"""BN254 G1 by py_ecc: the slow, independent answer that kernels are compared with."""

from collections.abc import Sequence

from py_ecc import optimized_bn128

from circuits.field import R

Point = tuple[int, int]


def multiply(point: Point, scalar: int) -> Point:
    """Return scalar * point; (0, 0) is infinity."""
    if point == (0, 0):
        return (0, 0)
    x, y = (optimized_bn128.FQ(coordinate) for coordinate in point)
    return _affine(optimized_bn128.multiply((x, y, optimized_bn128.FQ.one()), scalar % R))


def generator_multiple(scalar: int) -> Point:
    """Return scalar times the generator."""
    return multiply((1, 2), scalar)


def multi_scalar(points: Sequence[Point], scalars: Sequence[int]) -> Point:
    """Return the sum of scalars[i] * points[i], one product at a time."""
    total = optimized_bn128.Z1
    for point, scalar in zip(points, scalars, strict=True):
        x, y = (optimized_bn128.FQ(coordinate) for coordinate in multiply(point, scalar))
        if (x, y) != (0, 0):
            total = optimized_bn128.add(total, (x, y, optimized_bn128.FQ.one()))
    return _affine(total)


def _affine(point) -> Point:
    if optimized_bn128.is_inf(point):
        return (0, 0)
    x, y = optimized_bn128.normalize(point)
    return (x.n, y.n)
