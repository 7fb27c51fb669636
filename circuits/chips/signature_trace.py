"""The windowed product s*B + h*N in integers: every number that the signature chips commit to.

With s = s_low + 2^128 s_high that is s_high*C + s_low*B + h*N for the fixed point C = 2^128 B, and
all three scalars have 128 bits. They are read a byte at a time, from the top:

    point = 16 point + (T + j N)      for the high digit j of the byte of h
    point = 16 point + (T + j N)      for the low one
    point = point + (T + i C)         for the byte i of s_high
    point = point + (T + i B)         for that of s_low

Every summand has the offset T, and the start is the multiple of T that all offsets take away
again. So no point on the way is the identity, which has no slope: that would give a relation
between T and the other two points, and nobody knows one for a key whose secret he knows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from circuits.edwards import (
    BASE8,
    IDENTITY,
    SUBGROUP_ORDER,
    ExtendedPoint,
    Point,
    add,
    extended_add,
    extended_double,
    multiply,
    to_affine,
    to_affine_batch,
    to_extended,
)
from circuits.errors import ConstraintError
from circuits.field import R, batch_inverse
from circuits.montgomery import COEFFICIENT, chord, image, third
from circuits.signature import CHALLENGE_BITS, Signature

HALF_BITS = CHALLENGE_BITS
SCALAR_BITS = 2 * HALF_BITS
BYTE_BITS = 8
DIGIT_BITS = 4
DIGITS = 1 << DIGIT_BITS
BASE_ENTRIES = 1 << BYTE_BITS
DIGITS_PER_WINDOW = BYTE_BITS // DIGIT_BITS
BYTES_PER_WINDOW = SCALAR_BITS // HALF_BITS
WINDOWS = HALF_BITS // BYTE_BITS

WINDOWS_PER_ROW = 2
WINDOW_ROWS = WINDOWS // WINDOWS_PER_ROW
# Four doublings and a sum for each digit of h, and a sum for each byte of s.
SLOPES_PER_WINDOW = DIGITS_PER_WINDOW * (DIGIT_BITS + 1) + BYTES_PER_WINDOW
SLOPES_PER_ROW = WINDOWS_PER_ROW * SLOPES_PER_WINDOW
MULTIPLES_PER_ROW = 4
TABLE_ROWS = DIGITS // MULTIPLES_PER_ROW

# (account key, digest, signature), as sent on the SIGNATURE bus.
Request = tuple[Point, int, Signature]

OFFSET_DOMAIN = b"plasmaperps/signature-offset/"
"""T is 8 times the first point whose y is the SHA-512 of this and a number, modulo r."""

OFFSET: Point = (
    11985521275820891173244337018211108354963683508117966821024710470394832916067,
    15005883213209902930935570763834341471195716350685004041298202035572047340038,
)
"""T: nobody knows its logarithm to the base point."""

# A window takes the multiple t of T to 256 t + 19. From this start on the last one is 0.
OFFSETS_PER_WINDOW = sum(DIGITS**place for place in range(DIGITS_PER_WINDOW)) + BYTES_PER_WINDOW
START_MULTIPLE = (
    -OFFSETS_PER_WINDOW
    * (BASE_ENTRIES**WINDOWS - 1)
    * pow((BASE_ENTRIES - 1) * BASE_ENTRIES**WINDOWS, -1, SUBGROUP_ORDER)
    % SUBGROUP_ORDER
)
START = multiply(OFFSET, START_MULTIPLE)

BASE_POINTS: tuple[Point, Point] = (multiply(BASE8, 1 << HALF_BITS), BASE8)
"""What the high and the low half of s are multiplied with: C and B."""

OFFSET_IMAGE, START_IMAGE = image(OFFSET), image(START)
BASE_IMAGES = tuple(map(image, BASE_POINTS))
BASE_END_IMAGES = tuple(image(add(OFFSET, multiply(p, BASE_ENTRIES))) for p in BASE_POINTS)


@dataclass(frozen=True, slots=True)
class Product:
    """s*B + h*N with all slopes on the way; points are images (`circuits.montgomery`).

    `multiples[j]` is T + j N for j up to 16, and `table_slopes[j]` leads from one to the next.
    `slopes` are those of all windows in the order of use, and `row_points` the points between
    rows of windows, from the start to the result.
    """

    s: int
    h: int
    negated: Point
    multiples: tuple[Point, ...]
    table_slopes: tuple[int, ...]
    slopes: tuple[int, ...]
    row_points: tuple[Point, ...]
    result: Point


def halves_of(s: int) -> tuple[int, int]:
    """The high and the low half of a scalar below 2^256."""
    return divmod(s, 1 << HALF_BITS)


def bytes_of(s: int) -> tuple[int, ...]:
    """The 32 bytes of a scalar below 2^256 in the order of use: of the high half, of the low."""
    high, low = (half.to_bytes(WINDOWS, "big") for half in halves_of(s))
    return tuple(octet for pair in zip(high, low, strict=True) for octet in pair)


def digits_of(h: int) -> tuple[int, ...]:
    """The 32 digits of a challenge below 2^128, from the top."""
    octets = h.to_bytes(WINDOWS, "big")
    return tuple(digit for octet in octets for digit in divmod(octet, DIGITS))


Chain = tuple[tuple[Point, ...], tuple[int, ...]]
"""Images, and the slopes from each to the next."""


def chain(first: Point, step: Point, count: int) -> Chain:
    """first, first + step, ... as images: `count` sums, and the slope of each.

    Raises: FieldError when a sum is the identity.
    """
    points, slopes = [first], []
    for _ in range(count):
        slopes.append(chord(points[-1], step))
        points.append(third(points[-1], step[0], slopes[-1]))
    return tuple(points), tuple(slopes)


@cache
def base_chains() -> tuple[Chain, Chain]:
    """T + i C and T + i B for i up to 256."""
    high, low = (chain(OFFSET_IMAGE, step, BASE_ENTRIES) for step in BASE_IMAGES)
    return high, low


def multiply_windows(negated: Point, s: int, h: int) -> Product:
    """The product for any s below 2^256 and h below 2^128.

    Assumes: N = `negated`, a point of the Edwards form, is in the subgroup.
    Raises: ConstraintError when the result, or a point on the way, is the identity; FieldError
    when an entry T + j N is, and CurveError when N has no image.
    Cost: about 5 ms.
    """
    step = image(negated)
    multiples, table_slopes = chain(OFFSET_IMAGE, step, DIGITS)
    summands = _summands(negated, DIGITS, multiples)
    walk = _Walk()
    octets, digits = iter(bytes_of(s)), iter(digits_of(h))
    for window in range(WINDOWS):
        if window % WINDOWS_PER_ROW == 0:
            walk.keep()
        for _ in range(DIGITS_PER_WINDOW):
            for _ in range(DIGIT_BITS):
                walk.double()
            walk.add(summands[next(digits)])
        for base in _base_summands():
            walk.add(base[next(octets)])
    walk.keep()
    slopes, row_points, result = walk.finish()
    return Product(s, h, step, multiples, table_slopes, slopes, row_points, result)


Summand = tuple[ExtendedPoint, Point]
"""A point in extended form and its image."""


def _summands(step: Point, count: int, images: Sequence[Point]) -> list[Summand]:
    """T + k * step for k below `count`, with their images."""
    points, extended_step = [to_extended(OFFSET)], to_extended(step)
    for _ in range(count - 1):
        points.append(extended_add(points[-1], extended_step))
    affine = to_affine_batch(points)
    return [(to_extended(point), images[k]) for k, point in enumerate(affine)]


@cache
def _base_summands() -> tuple[list[Summand], ...]:
    return tuple(
        _summands(step, BASE_ENTRIES, images)
        for step, (images, _) in zip(BASE_POINTS, base_chains(), strict=True)
    )


class _Walk:
    """A point X, Y, Z of the Edwards form on its way, with the slopes as unreduced fractions.

    With its image ((Z + Y) / (Z - Y), (Z + Y) Z / ((Z - Y) X)) a slope needs no division.
    """

    def __init__(self) -> None:
        self._point = to_extended(START)
        self._kept: list[ExtendedPoint] = []
        self._numerators: list[int] = []
        self._denominators: list[int] = []

    def keep(self) -> None:
        """Remember the point as the border of a row."""
        self._kept.append(self._point)

    def double(self) -> None:
        self._tangent()
        self._point = extended_double(self._point)

    def add(self, summand: Summand) -> None:
        extended, (u, v) = summand
        x, y, z, _ = self._point
        numerator = ((z + y) * z - v * (z - y) * x) % R
        denominator = x * (z + y - u * (z - y)) % R
        if numerator or denominator:
            self._numerators.append(numerator)
            self._denominators.append(denominator)
        else:
            self._tangent()
        self._point = extended_add(self._point, extended)

    def finish(self) -> tuple[tuple[int, ...], tuple[Point, ...], Point]:
        """All slopes, the images of the points kept, and the last of them itself."""
        kept = self._kept
        denominators = [*self._denominators, *((z - y) * x % R for x, y, z, _ in kept)]
        if not all(denominators):
            raise ConstraintError("windowed product", "points other than the identity", IDENTITY)
        inverses = batch_inverse(denominators)
        slopes = [
            numerator * inverse % R
            for numerator, inverse in zip(self._numerators, inverses, strict=False)
        ]
        images = [
            ((z + y) * x * inverse % R, (z + y) * z * inverse % R)
            for (x, y, z, _), inverse in zip(kept, inverses[len(slopes) :], strict=True)
        ]
        return tuple(slopes), tuple(images), to_affine(kept[-1])

    def _tangent(self) -> None:
        x, y, z, _ = self._point
        plus, minus = z + y, z - y
        self._numerators.append(
            x * (3 * plus * plus + 2 * COEFFICIENT * plus * minus + minus * minus) % R
        )
        self._denominators.append(2 * z * plus * minus % R)
