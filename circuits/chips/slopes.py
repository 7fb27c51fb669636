"""BabyJubJub in constraints, one committed cell a sum: the slope of the line through both points.

Points are pairs (u, v) of the form v^2 = u^3 + c u^2 + u (`circuits.montgomery`). From a slope
the sum follows by polynomials: its u has degree two and its v degree three, however many sums
came before, since only slopes enter them. So points on the way need no cells of their own.

What binds a slope. For two points of the curve that are not equal the chord does, and for a point
with v other than 0 the tangent does. For equal points the chord leaves the slope free. A *held*
sum, one that `assert_held` stands for too, has both its points on one curve
v^2 = u^3 + c u^2 + u + e, and its slope is the tangent if they are equal. So a sum of points on the
curve is right if it is held, or if its points cannot be equal.

Where one point is added again and again, it is enough to hold the last of these sums. A wrong slope
of equal points (u, v) leads off the curve, or to (u, -v), to which (u, v) cannot be added. And off
the curve it stays: a chord to a point (u', v') of the curve leads to the curve from a point off it
only at (u', -v'), to which again (u', v') cannot be added.

No slope leads to the identity, which has no pair: no row shows such a sum.
"""

from circuits.air.builder import Builder
from circuits.air.expr import Expr, Operand
from circuits.chips.edwards import SymbolicPoint
from circuits.montgomery import COEFFICIENT


def assert_image(b: Builder, name: str, point: SymbolicPoint, image: tuple[Expr, Expr]) -> None:
    """`image` is (u, v) of the Edwards point (x, y): u = (1 + y) / (1 - y), v = u / x.

    Each side fixes the other: `point` on its curve with x other than 0 leaves one image, and
    `image` on its curve with v other than 0 leaves one point, on its curve with x other than 0.
    """
    (x, y), (u, v) = point, image
    b.assert_eq(f"{name} u", u * (1 - y), y + 1)
    b.assert_eq(f"{name} v", v * x, u)


def doubled(b: Builder, name: str, point: SymbolicPoint, slope: Expr) -> SymbolicPoint:
    """Twice `point`. Assumes: v is not 0, as for all points of odd order."""
    u, v = point
    b.assert_eq(f"{name} tangent", slope * v * 2, u * u * 3 + u * (2 * COEFFICIENT) + 1)
    return _third(point, u, slope)


def added(
    b: Builder, name: str, left: SymbolicPoint, right: SymbolicPoint, slope: Expr
) -> SymbolicPoint:
    """`left` plus `right`. Assumes: different points on the curve, or a sum held as said above."""
    b.assert_eq(f"{name} chord", slope * (left[0] - right[0]), left[1] - right[1])
    return _third(left, right[0], slope)


def assert_held(
    b: Builder, name: str, left: SymbolicPoint, right: SymbolicPoint, slope: Expr
) -> None:
    """With the chord: both points are on one curve, and for equal points the slope is its tangent.

    The chord times (v + v') is this equation times (u - u') exactly for points of one curve.
    """
    total = left[0] + right[0]
    square_terms = total * total - left[0] * right[0]
    b.assert_eq(
        f"{name} on one curve", slope * (left[1] + right[1]), square_terms + total * COEFFICIENT + 1
    )


def _third(left: SymbolicPoint, u_right: Operand, slope: Expr) -> SymbolicPoint:
    u = slope * slope - COEFFICIENT - left[0] - u_right
    return (u, slope * (left[0] - u) - left[1])
