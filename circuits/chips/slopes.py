"""BabyJubJub in constraints, one committed cell a sum: the slope of the line through both points.

Points are pairs (u, v) of the form v^2 = u^3 + c u^2 + u (`circuits.montgomery`). From a slope
the sum follows by polynomials: its u has degree two and its v degree three, however many sums
came before, since only slopes enter them. So points on the way need no cells of their own.

What binds a slope. For two points of the curve that are not equal the chord does, and for a point
with v other than 0 the tangent does. For equal points the chord leaves the slope free, and the
sum is then on the curve only if the slope is the tangent: a line through a point of the curve and
the mirror image of the sum meets the curve a third time, in that point again. A *held* sum, one
that `assert_held` stands for too, has both its points on one curve, and the right slope if they
are equal. Off the curve a point stays off it:

- its double is off it, as the tangent is the same for all v^2 = u^3 + c u^2 + u + e;
- its sum with a point (u', v') of the curve is off it, unless that sum is (u', -v').

So it is enough to hold every second sum to the curve. Where the same point is added again and
again, it is enough to hold the last sum, because (u', -v') and (u', v') have no chord.

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
    """`left` plus `right`. Assumes: different points, or sums that are held as said above."""
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
