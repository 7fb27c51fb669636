"""Signatures: S*B = R + h*K as a windowed product S*B + h*N = R with N = -K.

h and both halves of S are 128-bit integers, read from the top: a window takes a byte of each. For
each digit of four bits of h it multiplies the accumulator by sixteen and adds an entry of the
signature's own table; for the bytes of S it adds entries of the base tables, of B for the low half
and of 2^128*B for the high one, which all signatures share. Sums are committed to as slopes alone
(`circuits.chips.slopes`).
"""

from collections.abc import Sequence
from typing import Any

from circuits.air.builder import Builder
from circuits.air.chip import Chip
from circuits.air.columns import U8, U32, U128, Bit, Columns, Field, Given
from circuits.air.expr import ROW, Expr
from circuits.chips.buses import (
    BASE_CHAIN,
    BASE_ENTRY,
    BASE_HIGH_ENTRY,
    HASH,
    SIGNATURE,
    SIGNATURE_CHAIN,
    SIGNATURE_ENTRY,
    SIGNATURE_TABLE,
    WIDE,
)
from circuits.chips.edwards import SymbolicPoint, curve_residual, negate
from circuits.chips.signature_columns import (
    BYTES_PER_ROW,
    DIGITS_PER_ROW,
    base_columns,
    signature_columns,
    table_columns,
    window_columns,
)
from circuits.chips.signature_trace import (
    BASE_END_IMAGES,
    BASE_ENTRIES,
    BASE_IMAGES,
    BYTES_PER_WINDOW,
    DIGIT_BITS,
    DIGITS,
    DIGITS_PER_WINDOW,
    HALF_BITS,
    MULTIPLES_PER_ROW,
    OFFSET_IMAGE,
    SLOPES_PER_ROW,
    START_IMAGE,
    WINDOW_ROWS,
    WINDOWS_PER_ROW,
    Request,
    halves_of,
    multiply_windows,
)
from circuits.chips.slopes import added, assert_held, assert_image, doubled
from circuits.edwards import SUBGROUP_ORDER
from circuits.errors import ConstraintError
from circuits.field import R
from circuits.poseidon2 import TAG_CHALLENGE, permute, sponge_iv

CHALLENGE_IV = sponge_iv(TAG_CHALLENGE, 3)


class SignatureChip(Chip):
    """One verified signature; its row number names it on the buses of the other chips.

    Soundness. The key is on the curve by a constraint here: the key (0, 0) of an account without
    one is not, and would leave its image free. It is in the subgroup because only the register
    chip makes keys, each eight times a point and not the identity. So every point of the product
    has an image on the curve and in the subgroup, where slopes are bound, and R, being the point
    with the product for its image, is in the subgroup and not the identity, which has none. Its x
    is u / v, and no v there is 0. The hash is that of `circuits.signature.challenge`, whose length
    is in its capacity; of R and key it takes x, which no other point of the subgroup has.
    Its high half is ranged here, and the low one, h, as well as both halves of S are sums of ranged
    digits (SignatureWindowsChip): integers below 2^128. The borrow look-ups show that the hash is
    at most r-1 and S at most l-1 as integers: the differences stay below 2^130, far from wrapping.
    So exactly one h stands for a hash, and a signature with S + l is refused.
    Completeness: see `circuits.chips.signature_trace` on the offsets.
    """

    name = "signature"

    class Cols(Columns):
        key: Field[2]
        negated: Field[2]  # the image of N
        digest: Field
        r_x: Field
        r_image: Field[2]
        s_high: Given[U128]
        s_low: Given[U128]
        h_high: Given[U128]  # of the hash
        h_low: Given[U128]  # the challenge
        s_borrow: Bit
        h_borrow: Bit

    def constrain(self, c: Any, b: Builder) -> None:
        b.receive(SIGNATURE, *c.key, c.digest)
        b.assert_zero("key is on the curve", curve_residual(c.key))
        assert_image(b, "negated key", negate(c.key), c.negated)
        b.assert_eq("R x", c.r_x * c.r_image[1], c.r_image[0])

        hashed = c.h_low + c.h_high * (1 << HALF_BITS)
        b.lookup(HASH, c.r_x, c.key[0], c.digest, CHALLENGE_IV, hashed)
        b.lookup(WIDE, 0, c.h_high)
        _assert_at_most(b, (c.h_high, c.h_low), R - 1, c.h_borrow)
        _assert_at_most(b, (c.s_high, c.s_low), SUBGROUP_ORDER - 1, c.s_borrow)

        b.send(SIGNATURE_TABLE, ROW, 0, *OFFSET_IMAGE, *c.negated)
        b.send(SIGNATURE_CHAIN, ROW, 0, *START_IMAGE, 0, 0, 0)
        b.receive(SIGNATURE_CHAIN, ROW, WINDOW_ROWS, *c.r_image, c.s_high, c.s_low, c.h_low)


def _assert_at_most(b: Builder, halves: tuple[Expr, Expr], bound: int, borrow: Expr) -> None:
    """The integer of two 128-bit halves is at most `bound`: subtract and range both digits."""
    high, low = halves
    bound_high, bound_low = divmod(bound, 1 << HALF_BITS)
    b.lookup(WIDE, 0, bound_low - low + borrow * (1 << HALF_BITS))
    b.lookup(WIDE, 0, bound_high - high - borrow)


class SignatureWindowsChip(Chip):
    """Two windows of one signature's product, each a byte of both halves of S and of h.

    Soundness: a row takes the accumulator of one step and hands on that of the next, so from the
    start, sent by the signature chip, exactly eight rows lead to the end: steps only rise, and
    nothing else sends or takes them. Digits and bytes are ranged by the tables they are looked up
    in. The parts count the digits passed, below 2^128, and therefore do not wrap.
    Points are on the curve and in the subgroup: the start, the entries, and what becomes of them,
    as every sum is held to the curve. Equal points need that: a key made from T meets them.
    """

    name = "signature_windows"

    class Cols(Columns):
        signature: Given[U32]
        step: Given[U8]
        start: Field[2]
        s_high_part: Given[U128]
        s_low_part: Given[U128]
        h_part: Given[U128]
        byte_s: Given[U8][BYTES_PER_ROW]  # of the high half and of the low one, by turns
        digit_h: Given[U8][DIGITS_PER_ROW]
        base: Field[2 * BYTES_PER_ROW]  # u and v of an entry of the half's table for each byte
        multiple: Field[2 * DIGITS_PER_ROW]  # of T + j*N for each digit j
        slope: Field[SLOPES_PER_ROW]  # in the order of use

    def constrain(self, c: Any, b: Builder) -> None:
        parts = (c.s_high_part, c.s_low_part)
        b.receive(SIGNATURE_CHAIN, c.signature, c.step, *c.start, *parts, c.h_part)
        point, s_parts, h_part = c.start, list(parts), c.h_part
        slopes = iter(c.slope)

        def add(name: str, entry: SymbolicPoint) -> SymbolicPoint:
            slope = next(slopes)
            assert_held(b, name, point, entry, slope)
            return added(b, name, point, entry, slope)

        for w in range(WINDOWS_PER_ROW):
            for k in range(DIGITS_PER_WINDOW * w, DIGITS_PER_WINDOW * (w + 1)):
                for time in range(DIGIT_BITS):
                    point = doubled(b, f"digit {k} double {time}", point, next(slopes))
                multiple = c.multiple[2 * k : 2 * k + 2]
                b.lookup(SIGNATURE_ENTRY, c.signature, c.digit_h[k], *multiple)
                point = add(f"digit {k} sum", multiple)
                h_part = h_part * DIGITS + c.digit_h[k]
            for half, bus in enumerate((BASE_HIGH_ENTRY, BASE_ENTRY)):
                k = BYTES_PER_WINDOW * w + half
                base = c.base[2 * k : 2 * k + 2]
                b.lookup(bus, c.byte_s[k], *base)
                point = add(f"byte {k} sum", base)
                s_parts[half] = s_parts[half] * BASE_ENTRIES + c.byte_s[k]
        b.send(SIGNATURE_CHAIN, c.signature, c.step + 1, *point, *s_parts, h_part)


class SignatureTableChip(Chip):
    """Four entries T + j*N of one signature's negated key N, for j and the three after it.

    Soundness: the signature chip sends (0, T, N); each row takes entry j and hands on j + 4,
    except that the last one stops. It may stop at j = 12 only, and it must stop, since no other
    chip takes the message and j cannot come back to 12; so j is 0, 4, 8, 12 and each entry is
    what its name says. T and N are on the curve and in the subgroup (SignatureChip), and so are
    all entries, as N is added again and again and the last sum of each row is held to the curve.
    The last row still computes its next entry, which nobody reads. Counts are free: an entry is
    true however often it is offered.
    """

    name = "signature_table"

    class Cols(Columns):
        signature: Given[U32]
        j: Given[U8]
        first: Field[2]  # T + j*N
        negated: Field[2]  # N
        slope: Field[MULTIPLES_PER_ROW]  # from each entry to the next
        count: Given[U32][MULTIPLES_PER_ROW]
        last: Bit

    def constrain(self, c: Any, b: Builder) -> None:
        b.receive(SIGNATURE_TABLE, c.signature, c.j, *c.first, *c.negated)
        entry = c.first
        for k in range(MULTIPLES_PER_ROW):
            b.provide(SIGNATURE_ENTRY, c.signature, c.j + k, *entry, times=c.count[k])
            if k == MULTIPLES_PER_ROW - 1:
                assert_held(b, f"entry {k + 1}", entry, c.negated, c.slope[k])
            entry = added(b, f"entry {k + 1}", entry, c.negated, c.slope[k])
        last_j = DIGITS - MULTIPLES_PER_ROW
        b.assert_zero(f"last has multiple {last_j}", c.last * (c.j - last_j))
        following = c.j + MULTIPLES_PER_ROW
        b.send(SIGNATURE_TABLE, c.signature, following, *entry, *c.negated, times=1 - c.last)


class BaseTableChip(Chip):
    """Entries T + i*B and T + i*C of the tables that all signatures share, with C = 2^128*B.

    Soundness: i is the number of the row. Each row takes the entries i and hands on i + 1. What
    row 0 takes only a first row sends, hence there is one, and only one, and both entries 0 are T.
    That row also takes those of 256, which row 255 hands on; what the last row hands on nobody
    else takes, so 255 is the last. No entry is B or C, so chords bind all slopes. Counts are free:
    an entry is true however often it is offered.
    """

    name = "base_table"

    class Cols(Columns):
        entry_high: Field[2]  # T + i*C
        entry_low: Field[2]  # T + i*B
        slope_high: Field  # to the next entry
        slope_low: Field
        count_high: Given[U32]
        count_low: Given[U32]
        first: Bit

    def constrain(self, c: Any, b: Builder) -> None:
        b.receive(BASE_CHAIN, ROW, *c.entry_high, *c.entry_low)
        b.provide(BASE_HIGH_ENTRY, ROW, *c.entry_high, times=c.count_high)
        b.provide(BASE_ENTRY, ROW, *c.entry_low, times=c.count_low)
        high = added(b, "next high entry", c.entry_high, BASE_IMAGES[0], c.slope_high)
        low = added(b, "next low entry", c.entry_low, BASE_IMAGES[1], c.slope_low)
        b.send(BASE_CHAIN, ROW + 1, *high, *low)
        b.send(BASE_CHAIN, 0, *OFFSET_IMAGE, *OFFSET_IMAGE, times=c.first)
        ends = (*BASE_END_IMAGES[0], *BASE_END_IMAGES[1])
        b.receive(BASE_CHAIN, BASE_ENTRIES, *ends, times=c.first)


def fill(requests: Sequence[Request]) -> dict[str, dict[str, Any]]:
    """Columns of the four chips of this module, by chip name.

    Raises: ConstraintError for a signature that does not hold, since no rows could show it;
    FieldError for a key with which an entry of its table is the identity, and CurveError for a
    key or commitment without an image.
    Cost: about 6 ms per signature.
    """
    hashes, products = [], []
    for number, (key, digest, signature) in enumerate(requests):
        hashed = permute((signature.r_x, key[0], digest, CHALLENGE_IV))[0]
        _, h = halves_of(hashed)
        product = multiply_windows((-key[0] % R, key[1]), signature.s, h)
        if product.result != signature.r_point:
            raise ConstraintError(f"signature {number}", signature.r_point, product.result)
        hashes.append(hashed)
        products.append(product)
    return {
        SignatureChip.name: signature_columns(requests, hashes, products),
        SignatureWindowsChip.name: window_columns(products),
        SignatureTableChip.name: table_columns(products),
        BaseTableChip.name: base_columns([product.s for product in products]),
    }
