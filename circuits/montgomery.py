"""BabyJubJub in its other form, v^2 = u^3 + 168698 u^2 + u, on pairs of integers.

The form has no complete addition, but a sum is known by the slope of one line: chips commit to
the slope alone (`circuits.chips.slopes`). The identity has no image here, and the law is stated
for points of the subgroup, where no v is 0.

Source: EIP-2494, which gives both forms and the map between them.
"""

from circuits.edwards import A, D, Point
from circuits.errors import CurveError
from circuits.field import R, inverse

# 2 (a + d) / (a - d); the coefficient of v^2, 4 / (a - d), is one.
COEFFICIENT = 2 * (A + D) * inverse(A - D) % R


def image(point: Point) -> Point:
    """(u, v) of a point (x, y) of the Edwards form: u = (1 + y) / (1 - y), v = u / x.

    Raises: CurveError for the points of order 1 and 2, which have x = 0.
    """
    x, y = point
    if x == 0:
        raise CurveError("image", "a point with x other than 0", point)
    u = (1 + y) * inverse(1 - y) % R
    return (u, u * inverse(x) % R)


def is_on_curve(point: Point) -> bool:
    """True if both coordinates are canonical and satisfy the equation of this form."""
    u, v = point
    if not (0 <= u < R and 0 <= v < R):
        return False
    return (v * v - u * (u * u + COEFFICIENT * u + 1)) % R == 0


def tangent(point: Point) -> int:
    """The slope at a point, on the curve or on any that differs in the constant term alone.

    Raises: FieldError for v = 0.
    """
    u, v = point
    return (3 * u * u + 2 * COEFFICIENT * u + 1) * inverse(2 * v) % R


def chord(left: Point, right: Point) -> int:
    """The slope through two points, the tangent if they are one.

    Raises: FieldError for opposite points.
    """
    if left == right:
        return tangent(left)
    return (left[1] - right[1]) * inverse(left[0] - right[0]) % R


def third(left: Point, right_u: int, slope: int) -> Point:
    """The sum of `left` and a point with this u from the slope of the line through both."""
    u = (slope * slope - COEFFICIENT - left[0] - right_u) % R
    return (u, (slope * (left[0] - u) - left[1]) % R)
