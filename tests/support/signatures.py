"""Rows of the signature chips: honest ones, and those of a forger's product."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from circuits.chips.buses import BASE_CHAIN, SIGNATURE_CHAIN, SIGNATURE_TABLE
from circuits.chips.signature import (
    CHALLENGE_IV,
    BaseTableChip,
    SignatureChip,
    SignatureTableChip,
    SignatureWindowsChip,
)
from circuits.chips.signature_columns import (
    base_columns,
    signature_columns,
    table_columns,
    window_columns,
)
from circuits.chips.signature_trace import (
    BASE_ENTRIES,
    BASE_IMAGES,
    BYTES_PER_WINDOW,
    DIGIT_BITS,
    DIGITS,
    DIGITS_PER_WINDOW,
    HALF_BITS,
    OFFSET_IMAGE,
    START_IMAGE,
    WINDOWS,
    WINDOWS_PER_ROW,
    Product,
    Request,
    bytes_of,
    chain,
    digits_of,
)
from circuits.edwards import Point
from circuits.field import R, inverse
from circuits.montgomery import chord, tangent, third
from circuits.poseidon2 import permute
from circuits.signature import account_key, sign
from tests.support.harness import Harness

CHIPS = (SignatureChip(), SignatureWindowsChip(), SignatureTableChip(), BaseTableChip())


def request_of(secret: int, digest: int) -> Request:
    return (account_key(secret), digest, sign(secret, digest))


def harness_of(columns: dict[str, dict[str, Any]]) -> Harness:
    closed = (SIGNATURE_CHAIN, SIGNATURE_TABLE, BASE_CHAIN)
    return Harness.honest(CHIPS, columns, closed=closed)


def hash_of(request: Request) -> int:
    """The hash whose low half is the challenge."""
    key, digest, signature = request
    return permute((signature.r_x, key[0], digest, CHALLENGE_IV))[0]


def forge(
    request: Request,
    product: Product,
    windows: dict[str, Any] | None = None,
    hashed: int | None = None,
    **changed: Any,
) -> Harness:
    """Rows for a product of the forger's choice; `changed` replaces columns of the first chip.

    `hashed` is what the rows call the hash: without it the true one, but with h for its low half.
    """
    if hashed is None:
        hashed = hash_of(request) >> HALF_BITS << HALF_BITS | product.h
    columns = {
        "signature": signature_columns([request], [hashed], [product]) | changed,
        "signature_windows": window_columns([product]) | (windows or {}),
        "signature_table": table_columns([product]),
        "base_table": base_columns([product.s]),
    }
    return harness_of(columns)


def edwards(image: Point) -> Point:
    """The point of the Edwards form that an image with v other than 0 stands for."""
    u, v = image
    return (u * inverse(v) % R, (u - 1) * inverse(u + 1) % R)


def walk(negated: Point, s: int, h: int, wrong: dict[int, int] | None = None) -> Product:
    """The product in affine steps, from the image of N, which may be any point of the curve.

    `wrong` adds to slopes by their number; the walk goes on from where they lead.
    """
    return walk_digits(negated, (s, h), bytes_of(s), digits_of(h), wrong)


def walk_digits(
    negated: Point,
    scalars: tuple[int, int],
    octets: Sequence[int],
    digits: Sequence[int],
    wrong: dict[int, int] | None = None,
) -> Product:
    """The same from bytes of s and digits of h, which may be beyond their ranges."""
    multiples, table_slopes = chain(OFFSET_IMAGE, negated, 2 * DIGITS)
    point, slopes, row_points = START_IMAGE, [], []

    def step(right: Point, slope: int) -> Point:
        slopes.append((slope + (wrong or {}).get(len(slopes), 0)) % R)
        return third(point, right[0], slopes[-1])

    for window in range(WINDOWS):
        if window % WINDOWS_PER_ROW == 0:
            row_points.append(point)
        first = DIGITS_PER_WINDOW * window
        for digit in digits[first : first + DIGITS_PER_WINDOW]:
            for _ in range(DIGIT_BITS):
                point = step(point, tangent(point))
            point = step(multiples[digit], chord(point, multiples[digit]))
        for half, entries in enumerate(base_entries()):
            base = entries[octets[BYTES_PER_WINDOW * window + half]]
            point = step(base, chord(point, base))
    row_points.append(point)
    return Product(
        *scalars,
        negated,
        multiples[: DIGITS + 1],
        table_slopes[:DIGITS],
        tuple(slopes),
        tuple(row_points),
        edwards(point),
    )


@cache
def base_entries() -> tuple[tuple[Point, ...], ...]:
    """T + i*C and T + i*B as images, for more i than the tables offer."""
    return tuple(chain(OFFSET_IMAGE, step, 2 * BASE_ENTRIES)[0] for step in BASE_IMAGES)
