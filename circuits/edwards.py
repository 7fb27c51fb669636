"""BabyJubJub: a x^2 + y^2 = 1 + d x^2 y^2 over Fr, cofactor 8.

Points are (x, y) tuples of canonical ints. Since a is a square and d is not, the affine addition
law is complete for points on the curve; off the curve it means nothing, so callers check first.
The extended form (X, Y, Z, T) with x = X/Z, y = Y/Z, T = XY/Z adds without inversions.

Source: EIP-2494; formulas add-2008-hwcd and dbl-2008-hwcd of ePrint 2008/522.
"""

from collections.abc import Sequence
from functools import cache

from circuits.errors import CurveError
from circuits.field import R, batch_inverse, inverse, is_canonical, square_root

A = 168700
D = 168696
COFACTOR = 8
SUBGROUP_ORDER = 2736030358979909402780800718157159386076813972158567259200215660948447373041

Point = tuple[int, int]
ExtendedPoint = tuple[int, int, int, int]

IDENTITY: Point = (0, 1)
GENERATOR: Point = (
    995203441582195749578291179787384436505546430278305826713579947235728471134,
    5472060717959818805561601436314318772137091100104008585924551046643952123905,
)
BASE8: Point = (
    5299619240641551281634865583518297030282874472190772894086521144482721001553,
    16950150798460657717958625567821834550301663161624707787222815936182638968203,
)
EXTENDED_IDENTITY: ExtendedPoint = (0, 1, 1, 0)

PACKED_BYTES = 32
_WINDOW_BITS = 4
_WINDOWS = 63  # 63 * 4 bits cover every scalar below the 251-bit subgroup order


def is_on_curve(point: Point) -> bool:
    """True if both coordinates are canonical and satisfy the curve equation."""
    x, y = point
    if not (is_canonical(x) and is_canonical(y)):
        return False
    x_square = x * x % R
    y_square = y * y % R
    return (A * x_square + y_square - 1 - D * x_square * y_square) % R == 0


def negate(point: Point) -> Point:
    """The inverse of a point: the mirror image in x."""
    return (-point[0] % R, point[1])


def add(left: Point, right: Point) -> Point:
    """Sum of two points by the complete affine law.

    Assumes: both points on the curve, or the denominators may vanish.
    """
    x_left, y_left = left
    x_right, y_right = right
    cross = D * x_left * x_right * y_left * y_right % R
    inverse_plus, inverse_minus = batch_inverse((1 + cross, 1 - cross))
    x = (x_left * y_right + y_left * x_right) % R * inverse_plus % R
    y = (y_left * y_right - A * x_left * x_right) % R * inverse_minus % R
    return (x, y)


def to_extended(point: Point) -> ExtendedPoint:
    """The extended form with Z = 1."""
    x, y = point
    return (x, y, 1, x * y % R)


def to_affine(point: ExtendedPoint) -> Point:
    """Back to two coordinates, at the price of one inversion."""
    inverse_z = inverse(point[2])
    return (point[0] * inverse_z % R, point[1] * inverse_z % R)


def to_affine_batch(points: Sequence[ExtendedPoint]) -> list[Point]:
    """`to_affine` of many points with a single inversion."""
    inverses = batch_inverse([point[2] for point in points])
    return [
        (point[0] * inverse_z % R, point[1] * inverse_z % R)
        for point, inverse_z in zip(points, inverses, strict=True)
    ]


def extended_add(left: ExtendedPoint, right: ExtendedPoint) -> ExtendedPoint:
    """Sum in extended form; complete, so it also doubles and takes the identity."""
    x_left, y_left, z_left, t_left = left
    x_right, y_right, z_right, t_right = right
    x_product = x_left * x_right % R
    y_product = y_left * y_right % R
    t_product = D * t_left * t_right % R
    z_product = z_left * z_right % R
    cross = (x_left + y_left) * (x_right + y_right) - x_product - y_product
    minus = z_product - t_product
    plus = z_product + t_product
    height = y_product - A * x_product
    return (
        cross * minus % R,
        plus * height % R,
        minus * plus % R,
        cross * height % R,
    )


def extended_double(point: ExtendedPoint) -> ExtendedPoint:
    """Twice a point in extended form; T of the argument is not read."""
    x, y, z, _ = point
    x_square = x * x % R
    y_square = y * y % R
    scaled = A * x_square
    cross = 2 * x * y % R
    plus = scaled + y_square
    minus = plus - 2 * z * z % R
    height = scaled - y_square
    return (
        cross * minus % R,
        plus * height % R,
        minus * plus % R,
        cross * height % R,
    )


def extended_multiply(point: Point, scalar: int) -> ExtendedPoint:
    """A non-negative multiple of any point on the curve, in 4-bit windows."""
    if scalar < 0:
        raise CurveError("scalar", "a number not below zero", scalar)
    multiples = _multiples(to_extended(point), 1 << _WINDOW_BITS)
    total = EXTENDED_IDENTITY
    for position in range(-(-scalar.bit_length() // _WINDOW_BITS) - 1, -1, -1):
        for _ in range(_WINDOW_BITS):
            total = extended_double(total)
        digit = scalar >> (_WINDOW_BITS * position) & (1 << _WINDOW_BITS) - 1
        if digit:
            total = extended_add(total, multiples[digit])
    return total


def multiply(point: Point, scalar: int) -> Point:
    """A non-negative multiple of any point on the curve."""
    return to_affine(extended_multiply(point, scalar))


def _multiples(point: ExtendedPoint, count: int) -> list[ExtendedPoint]:
    multiples = [EXTENDED_IDENTITY]
    for _ in range(count - 1):
        multiples.append(extended_add(multiples[-1], point))
    return multiples


@cache
def base8_table() -> tuple[tuple[ExtendedPoint, ...], ...]:
    """63 rows of the multiples 0..15 of 16^row * BASE8, made at the first use."""
    rows = []
    row_base = to_extended(BASE8)
    for _ in range(_WINDOWS):
        multiples = _multiples(row_base, 1 << _WINDOW_BITS)
        rows.append(tuple(multiples))
        row_base = extended_add(multiples[-1], row_base)
    return tuple(rows)


def extended_multiply_base8(scalar: int) -> ExtendedPoint:
    """scalar * BASE8 by table: one addition per 4 bits, no doubling."""
    total = EXTENDED_IDENTITY
    remaining = scalar % SUBGROUP_ORDER
    for row in base8_table():
        digit = remaining & (1 << _WINDOW_BITS) - 1
        if digit:
            total = extended_add(total, row[digit])
        remaining >>= _WINDOW_BITS
    return total


def multiply_base8(scalar: int) -> Point:
    """scalar * BASE8; the scalar counts modulo the subgroup order."""
    return to_affine(extended_multiply_base8(scalar))


def extended_equal(left: ExtendedPoint, right: ExtendedPoint) -> bool:
    """True if both stand for the same point."""
    x_difference = left[0] * right[2] - right[0] * left[2]
    y_difference = left[1] * right[2] - right[1] * left[2]
    return x_difference % R == 0 and y_difference % R == 0


def times_cofactor(point: Point) -> Point:
    """8 times a point on the curve."""
    extended = to_extended(point)
    for _ in range(3):
        extended = extended_double(extended)
    return to_affine(extended)


def clear_cofactor(point: Point) -> Point | None:
    """The subgroup point 8A that stands for a public key A, or None if A must be refused.

    Refused are coordinates out of range, points off the curve and points of order 1, 2, 4, 8.
    """
    if not is_on_curve(point):
        return None
    cleared = times_cofactor(point)
    return None if cleared == IDENTITY else cleared


def is_in_subgroup(point: Point) -> bool:
    """True if the point is on the curve and its order divides the subgroup order."""
    return is_on_curve(point) and multiply(point, SUBGROUP_ORDER) == IDENTITY


def pack_point(point: Point) -> bytes:
    """32 bytes: y little-endian, top bit set if x is the larger of its two roots.

    Source: circomlibjs src/babyjub.js packPoint. Raises: CurveError for a point off the curve.
    """
    if not is_on_curve(point):
        raise CurveError("point", "a point on BabyJubJub", point)
    x, y = point
    packed = bytearray(y.to_bytes(PACKED_BYTES, "little"))
    if x > R // 2:
        packed[-1] |= 0x80
    return bytes(packed)


def unpack_point(packed: bytes) -> Point:
    """The point of `pack_point`; every point has exactly one accepted form.

    Raises: CurveError for a wrong length, y not below r, no such x, or the sign of x = 0 set.
    """
    if len(packed) != PACKED_BYTES:
        raise CurveError("packed point", f"{PACKED_BYTES} bytes", f"{len(packed)} bytes")
    is_larger_root = bool(packed[-1] & 0x80)
    y = int.from_bytes(packed, "little") & (1 << 255) - 1
    if not is_canonical(y):
        raise CurveError("packed point y", "a field element below r", y)
    y_square = y * y % R
    # a - d y^2 has no root because a is a square and d is not.
    x = square_root((1 - y_square) * inverse(A - D * y_square))
    if x is None:
        raise CurveError("packed point y", "the y of a point on BabyJubJub", y)
    if x == 0 and is_larger_root:
        raise CurveError("packed point sign", "a clear sign bit for x = 0", "a set bit")
    return (R - x if is_larger_root else x, y)
