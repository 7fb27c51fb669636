"""BabyJubJub in constraints: doubling and the curve equation. For sums see `slopes`.

A point is a pair of expressions or of integers. The law is written without inverses, as
result * denominator = numerator, so it binds the result only where the denominator is not zero.
For points on the curve that always holds, because a is a square and d is not; for other points
the result could be free. Hence every caller says who guarantees that its points are on the curve.
"""

from circuits.air.builder import Builder
from circuits.air.expr import Expr, Operand
from circuits.edwards import A, D

SymbolicPoint = tuple[Operand, Operand]


def curve_residual(point: SymbolicPoint) -> Operand:
    """Zero exactly for the points on the curve."""
    x_square, y_square = point[0] * point[0], point[1] * point[1]
    return x_square * A + y_square - 1 - x_square * y_square * D


def negate(point: SymbolicPoint) -> SymbolicPoint:
    return (0 - point[0], point[1])


def assert_double(b: Builder, name: str, point: SymbolicPoint, doubled: tuple[Expr, Expr]) -> None:
    """`doubled` is twice `point`. Assumes: `point` on the curve.

    On the curve 1 + d x^2 y^2 = a x^2 + y^2, which keeps the degree at three.
    """
    x, y = point
    a_x_square, y_square = x * x * A, y * y
    b.assert_eq(f"{name} x", doubled[0] * (a_x_square + y_square), x * y * 2)
    b.assert_eq(f"{name} y", doubled[1] * (2 - a_x_square - y_square), y_square - a_x_square)
