"""The windowed product S*B + h*N in integers: every point that the signature chips commit to."""

from dataclasses import dataclass
from itertools import chain

from circuits.edwards import (
    BASE8,
    IDENTITY,
    A,
    D,
    Point,
    add,
    extended_add,
    to_affine_batch,
    to_extended,
)
from circuits.field import R, batch_inverse
from circuits.signature import Signature

SCALAR_BITS = 256
HALF_BITS = SCALAR_BITS // 2
DIGIT_BITS = 2
DIGITS = 1 << DIGIT_BITS
DIGIT_MASK = DIGITS - 1

WINDOWS_PER_ROW = 8
ROWS_PER_HALF = HALF_BITS // DIGIT_BITS // WINDOWS_PER_ROW
# Step numbers of the two halves; the gap keeps the end of one from being the start of the other.
HIGH_START, HIGH_END = 0, ROWS_PER_HALF
LOW_START, LOW_END = 2 * ROWS_PER_HALF, 3 * ROWS_PER_HALF

_DIGITS_OF_OCTET = tuple(
    tuple(octet >> shift & DIGIT_MASK for shift in range(8 - DIGIT_BITS, -1, -DIGIT_BITS))
    for octet in range(256)
)

# (account key, digest, signature), as sent on the SIGNATURE bus.
Request = tuple[Point, int, Signature]

# B, 2B and 3B, the fixed part of the table entries.
BASE_MULTIPLES = (BASE8, add(BASE8, BASE8), add(add(BASE8, BASE8), BASE8))


@dataclass(frozen=True, slots=True)
class Product:
    """s*B + h*N with all points on the way.

    `entries[j][i]` is i*B + j*N, `fourth` is 4N. `digits` are those of (s, h) from the top, and
    `windows` hold per pair of digits the double, the quadruple, the entry and the sum.
    """

    s: int
    h: int
    negated: Point
    entries: tuple[tuple[Point, ...], ...]
    fourth: Point
    digits: tuple[tuple[int, int], ...]
    windows: tuple[tuple[Point, Point, Point, Point], ...]

    @property
    def result(self) -> Point:
        """The whole product."""
        return self.windows[-1][-1]


def digits_of(scalar: int) -> tuple[int, ...]:
    """The 128 digits of a scalar below 2^256, from the top."""
    octets = scalar.to_bytes(SCALAR_BITS // 8, "big")
    return tuple(chain.from_iterable(map(_DIGITS_OF_OCTET.__getitem__, octets)))


def multiply_windows(negated: Point, s: int, h: int) -> Product:
    """The product for any integers below 2^256. Assumes: N = `negated` on the curve."""
    entries, fourth = _entries(negated)
    digits = tuple(zip(digits_of(s), digits_of(h), strict=True))
    scaled_products = [[D * x * y % R for x, y in row] for row in entries]
    xs, ys, zs = [], [], []
    x, y, z = 0, 1, 1
    for digit_s, digit_h in digits:
        for _ in range(2):
            # extended_double, written out for the inner loop
            scaled, y_square = A * x * x % R, y * y % R
            cross, plus, height = 2 * x * y % R, scaled + y_square, scaled - y_square
            minus = plus - 2 * z * z % R
            t = cross * height
            x, y, z = cross * minus % R, plus * height % R, minus * plus % R
            xs.append(x)
            ys.append(y)
            zs.append(z)
        # extended_add with an entry of z = 1
        x_entry, y_entry = entries[digit_h][digit_s]
        x_product, y_product = x * x_entry % R, y * y_entry % R
        t_product = scaled_products[digit_h][digit_s] * t % R
        cross = (x + y) * (x_entry + y_entry) - x_product - y_product
        minus, plus, height = z - t_product, z + t_product, y_product - A * x_product
        x, y, z = cross * minus % R, plus * height % R, minus * plus % R
        xs.append(x)
        ys.append(y)
        zs.append(z)
    points = [
        (x * inverse % R, y * inverse % R)
        for x, y, inverse in zip(xs, ys, batch_inverse(zs), strict=True)
    ]
    added = [entries[digit_h][digit_s] for digit_s, digit_h in digits]
    windows = tuple(zip(points[0::3], points[1::3], added, points[2::3], strict=True))
    return Product(s, h, negated, entries, fourth, digits, windows)


def _entries(negated: Point) -> tuple[tuple[tuple[Point, ...], ...], Point]:
    step = to_extended(negated)
    bases = [to_extended(IDENTITY), step]
    while len(bases) <= DIGITS:
        bases.append(extended_add(bases[-1], step))
    fixed = [to_extended(point) for point in BASE_MULTIPLES]
    extended = [bases[DIGITS]]
    for base in bases[:DIGITS]:
        extended += [base, *(extended_add(base, multiple) for multiple in fixed)]
    fourth, *points = to_affine_batch(extended)
    rows = tuple(tuple(points[DIGITS * j : DIGITS * (j + 1)]) for j in range(DIGITS))
    return rows, fourth
