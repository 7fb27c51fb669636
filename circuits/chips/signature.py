"""Signatures: S*B = R + h*K as a windowed product S*B + h*N = R with N = -K.

S and h are 256-bit integers, read from the top: a window takes a byte of S and two digits of h.
For each digit it multiplies the accumulator by sixteen and adds an entry of the signature's own
table; for the byte it adds an entry of the base table, which all signatures share. Sums are
committed to as slopes alone (`circuits.chips.slopes`).
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
    HASH,
    PERMUTE,
    SIGNATURE,
    SIGNATURE_CHAIN,
    SIGNATURE_ENTRY,
    SIGNATURE_TABLE,
    WIDE,
)
from circuits.chips.edwards import SymbolicPoint, curve_residual, negate
from circuits.chips.signature_columns import (
    base_columns,
    signature_columns,
    table_columns,
    window_columns,
)
from circuits.chips.signature_trace import (
    BASE_END_IMAGE,
    BASE_ENTRIES,
    BASE_IMAGE,
    DIGIT_BITS,
    DIGITS,
    DIGITS_PER_WINDOW,
    HALF_BITS,
    HIGH_END,
    HIGH_START,
    LOW_END,
    LOW_START,
    MULTIPLES_PER_ROW,
    OFFSET_IMAGE,
    SLOPES_PER_ROW,
    START_IMAGE,
    WINDOWS_PER_ROW,
    Request,
    multiply_windows,
)
from circuits.chips.slopes import added, assert_held, assert_image, doubled
from circuits.edwards import SUBGROUP_ORDER
from circuits.errors import ConstraintError
from circuits.field import R
from circuits.poseidon2 import TAG_CHALLENGE, permute, sponge_iv

CHALLENGE_IV = sponge_iv(TAG_CHALLENGE, 5)


class SignatureChip(Chip):
    """One verified signature; its row number names it on the buses of the other chips.

    Soundness. The key is on the curve by a constraint here: the key (0, 0) of an account without
    one is not, and would leave its image free. It is in the subgroup because only the register
    chip makes keys, each eight times a point and not the identity. So every point of the product
    has an image on the curve and in the subgroup, where slopes are bound, and R, being the point
    with the product for its image, is in the subgroup and not the identity, which has none.
    Both halves of h and S are sums of ranged digits (SignatureWindowsChip), integers below
    2^128. The borrow look-ups show that r-1 - h and l-1 - S are not negative as integers: the
    differences stay below 2^130, far from wrapping, so exactly one digit string stands for h and
    a signature with S + l is refused. The challenge hash is the collision-resistant sponge of
    `circuits.signature.challenge` over R, key and digest, whose length is in its first capacity.
    Completeness: see `circuits.chips.signature_trace` on the offsets.
    """

    name = "signature"

    class Cols(Columns):
        key: Field[2]
        negated: Field[2]  # the image of N
        digest: Field
        r: Field[2]
        r_image: Field[2]
        state: Field[4]  # of the challenge sponge after its first block
        middle: Field[2]  # the product after the high halves
        s_high: Given[U128]
        s_low: Given[U128]
        h_high: Given[U128]
        h_low: Given[U128]
        s_borrow: Bit
        h_borrow: Bit

    def constrain(self, c: Any, b: Builder) -> None:
        b.receive(SIGNATURE, *c.key, c.digest)
        b.assert_zero("key is on the curve", curve_residual(c.key))
        assert_image(b, "negated key", negate(c.key), c.negated)
        assert_image(b, "R", c.r, c.r_image)

        b.lookup(PERMUTE, *c.r, c.key[0], CHALLENGE_IV, *c.state)
        h = c.h_low + c.h_high * (1 << HALF_BITS)
        absorbed = (c.state[0] + c.key[1], c.state[1] + c.digest, c.state[2], c.state[3])
        b.lookup(HASH, *absorbed, h)
        _assert_at_most(b, (c.h_high, c.h_low), R - 1, c.h_borrow)
        _assert_at_most(b, (c.s_high, c.s_low), SUBGROUP_ORDER - 1, c.s_borrow)

        b.send(SIGNATURE_TABLE, ROW, 0, *OFFSET_IMAGE, *c.negated)
        b.send(SIGNATURE_CHAIN, ROW, HIGH_START, *START_IMAGE, 0, 0)
        b.receive(SIGNATURE_CHAIN, ROW, HIGH_END, *c.middle, c.s_high, c.h_high)
        b.send(SIGNATURE_CHAIN, ROW, LOW_START, *c.middle, 0, 0)
        b.receive(SIGNATURE_CHAIN, ROW, LOW_END, *c.r_image, c.s_low, c.h_low)


def _assert_at_most(b: Builder, halves: tuple[Expr, Expr], bound: int, borrow: Expr) -> None:
    """The integer of two 128-bit halves is at most `bound`: subtract and range both digits."""
    high, low = halves
    bound_high, bound_low = divmod(bound, 1 << HALF_BITS)
    b.lookup(WIDE, 0, bound_low - low + borrow * (1 << HALF_BITS))
    b.lookup(WIDE, 0, bound_high - high - borrow)


class SignatureWindowsChip(Chip):
    """Two windows of one signature's product, each a byte of S and two digits of h.

    Soundness: a row takes the accumulator of one step and hands on that of the next, so from the
    start of a half, sent by the signature chip, exactly eight rows lead to its end: steps only
    rise, and nothing else sends or takes them. Digits and bytes are ranged by the tables they are
    looked up in. The parts count the digits passed, below 2^128, and therefore do not wrap.
    Points are on the curve and in the subgroup: the start, the entries, and what becomes of them,
    as every sum is held to the curve. Equal points need that: a key made from T meets them.
    """

    name = "signature_windows"

    class Cols(Columns):
        signature: Given[U32]
        step: Given[U8]
        start: Field[2]
        s_part: Given[U128]
        h_part: Given[U128]
        byte_s: Given[U8][WINDOWS_PER_ROW]
        digit_h: Given[U8][WINDOWS_PER_ROW * DIGITS_PER_WINDOW]
        base: Field[2 * WINDOWS_PER_ROW]  # u and v of T + i*B for each byte i
        multiple: Field[2 * WINDOWS_PER_ROW * DIGITS_PER_WINDOW]  # of T + j*N for each digit j
        slope: Field[SLOPES_PER_ROW]  # in the order of use

    def constrain(self, c: Any, b: Builder) -> None:
        b.receive(SIGNATURE_CHAIN, c.signature, c.step, *c.start, c.s_part, c.h_part)
        point, s_part, h_part = c.start, c.s_part, c.h_part
        slopes = iter(c.slope)

        def add(name: str, entry: SymbolicPoint) -> SymbolicPoint:
            slope = next(slopes)
            assert_held(b, name, point, entry, slope)
            return added(b, name, point, entry, slope)

        for w, (byte, base) in enumerate(zip(c.byte_s, _pairs(c.base), strict=True)):
            first = DIGITS_PER_WINDOW * w
            for k in range(first, first + DIGITS_PER_WINDOW):
                for time in range(DIGIT_BITS):
                    point = doubled(b, f"digit {k} double {time}", point, next(slopes))
                multiple = c.multiple[2 * k : 2 * k + 2]
                b.lookup(SIGNATURE_ENTRY, c.signature, c.digit_h[k], *multiple)
                point = add(f"digit {k} sum", multiple)
                h_part = h_part * DIGITS + c.digit_h[k]
            b.lookup(BASE_ENTRY, byte, *base)
            point = add(f"byte {w} sum", base)
            s_part = s_part * BASE_ENTRIES + byte
        b.send(SIGNATURE_CHAIN, c.signature, c.step + 1, *point, s_part, h_part)


def _pairs(coordinates: Sequence[Expr]) -> list[tuple[Expr, Expr]]:
    """Points from their coordinates in a row."""
    return list(zip(coordinates[::2], coordinates[1::2], strict=True))


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
    """One entry T + i*B of the base point's table, which all signatures of a batch share.

    Soundness: i is the number of the row. Each row takes entry i and hands on i + 1. What row 0
    takes only a first row sends, hence there is one, and only one, and entry 0 is T. That row
    also takes (256, T + 256*B), which row 255 hands on; what the last row hands on nobody else
    takes, so 255 is the last. No entry is B, so chords bind all slopes. Counts are free: an entry
    is true however often it is offered.
    """

    name = "base_table"

    class Cols(Columns):
        entry: Field[2]
        slope: Field  # to the next entry
        count: Given[U32]
        first: Bit

    def constrain(self, c: Any, b: Builder) -> None:
        b.receive(BASE_CHAIN, ROW, *c.entry)
        b.provide(BASE_ENTRY, ROW, *c.entry, times=c.count)
        b.send(BASE_CHAIN, ROW + 1, *added(b, "next", c.entry, BASE_IMAGE, c.slope))
        b.send(BASE_CHAIN, 0, *OFFSET_IMAGE, times=c.first)
        b.receive(BASE_CHAIN, BASE_ENTRIES, *BASE_END_IMAGE, times=c.first)


def fill(requests: Sequence[Request]) -> dict[str, dict[str, Any]]:
    """Columns of the four chips of this module, by chip name.

    Raises: ConstraintError for a signature that does not hold, since no rows could show it;
    FieldError for a key with which an entry of its table is the identity, and CurveError for a
    key or commitment without an image.
    Cost: about 10 ms per signature.
    """
    states, products = [], []
    for number, (key, digest, signature) in enumerate(requests):
        state = permute((*signature.r_point, key[0], CHALLENGE_IV))
        h = permute(((state[0] + key[1]) % R, (state[1] + digest) % R, state[2], state[3]))[0]
        product = multiply_windows((-key[0] % R, key[1]), signature.s, h)
        if product.result != signature.r_point:
            raise ConstraintError(f"signature {number}", signature.r_point, product.result)
        states.append(state)
        products.append(product)
    return {
        SignatureChip.name: signature_columns(requests, states, products),
        SignatureWindowsChip.name: window_columns(products),
        SignatureTableChip.name: table_columns(products),
        BaseTableChip.name: base_columns([product.s for product in products]),
    }
