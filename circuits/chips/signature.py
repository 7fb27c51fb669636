"""Signatures: S*B = R + h*K as a windowed product S*B + h*N = R with N = -K.

S and h are 256-bit integers, read as 128 digits of two bits from the top. Each window quadruples
the accumulator and adds the entry i*B + j*N for the digits i of S and j of h. The sixteen entries
of a signature come from its own table rows.
"""

from collections.abc import Sequence
from typing import Any

from circuits.air.builder import Builder
from circuits.air.chip import Chip, compile_chip
from circuits.air.columns import U8, U32, U128, Bit, Columns, Field, Given
from circuits.air.expr import ROW, Expr
from circuits.chips.bits import WideChip
from circuits.chips.buses import (
    HASH,
    PERMUTE,
    SIGNATURE,
    SIGNATURE_CHAIN,
    SIGNATURE_ENTRY,
    SIGNATURE_TABLE,
    WIDE,
)
from circuits.chips.edwards import assert_double, assert_sum, curve_residual, negate
from circuits.chips.signature_columns import signature_columns, table_columns, window_columns
from circuits.chips.signature_trace import (
    BASE_MULTIPLES,
    DIGITS,
    HALF_BITS,
    HIGH_END,
    HIGH_START,
    LOW_END,
    LOW_START,
    ROWS_PER_HALF,
    WINDOWS_PER_ROW,
    Request,
    multiply_windows,
)
from circuits.edwards import IDENTITY, SUBGROUP_ORDER
from circuits.errors import ConstraintError
from circuits.field import R
from circuits.poseidon2 import TAG_CHALLENGE, permute, sponge_iv

CHALLENGE_IV = sponge_iv(TAG_CHALLENGE, 5)


class SignatureChip(Chip):
    """One verified signature; its row number names it on the buses of the other two chips.

    Soundness. The key is on the curve by a constraint here: the key (0, 0) of an account without
    one would otherwise leave the doubling law free. It is in the subgroup because only the
    register chip makes keys, each eight times a point and not the identity. So every point of the
    product is on the curve, where addition is complete, and R, being the result, is in the
    subgroup; its x is not 0, hence R is not the identity.
    Both halves of h and S are sums of 64 ranged digits (SignatureWindowsChip), integers below
    2^128. The borrow look-ups show that r-1 - h and l-1 - S are not negative as integers: the
    differences stay below 2^130, far from wrapping, so exactly one digit string stands for h and
    a signature with S + l is refused. The challenge hash is the collision-resistant sponge of
    `circuits.signature.challenge` over R, key and digest, whose length is in its first capacity.
    """

    name = "signature"

    class Cols(Columns):
        key: Field[2]
        digest: Field
        r: Field[2]
        inverse_r_x: Field
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
        b.assert_eq("R is not the identity", c.r[0] * c.inverse_r_x, 1)

        b.lookup(PERMUTE, *c.r, c.key[0], CHALLENGE_IV, *c.state)
        h = c.h_low + c.h_high * (1 << HALF_BITS)
        absorbed = (c.state[0] + c.key[1], c.state[1] + c.digest, c.state[2], c.state[3])
        b.lookup(HASH, *absorbed, h)
        _assert_at_most(b, (c.h_high, c.h_low), R - 1, c.h_borrow)
        _assert_at_most(b, (c.s_high, c.s_low), SUBGROUP_ORDER - 1, c.s_borrow)

        b.send(SIGNATURE_TABLE, ROW, 0, *IDENTITY, *negate(c.key))
        b.send(SIGNATURE_CHAIN, ROW, HIGH_START, *IDENTITY, 0, 0)
        b.receive(SIGNATURE_CHAIN, ROW, HIGH_END, *c.middle, c.s_high, c.h_high)
        b.send(SIGNATURE_CHAIN, ROW, LOW_START, *c.middle, 0, 0)
        b.receive(SIGNATURE_CHAIN, ROW, LOW_END, *c.r, c.s_low, c.h_low)


def _assert_at_most(b: Builder, halves: tuple[Expr, Expr], bound: int, borrow: Expr) -> None:
    """The integer of two 128-bit halves is at most `bound`: subtract and range both digits."""
    high, low = halves
    bound_high, bound_low = divmod(bound, 1 << HALF_BITS)
    b.lookup(WIDE, 0, bound_low - low + borrow * (1 << HALF_BITS))
    b.lookup(WIDE, 0, bound_high - high - borrow)


class SignatureWindowsChip(Chip):
    """Eight windows of one signature's product: quadruple, add the entry of two digits.

    Soundness: a row takes the accumulator of one step and hands on that of the next, so from the
    start of a half, sent by the signature chip, exactly eight rows lead to its end: steps only
    rise, and nothing else sends or takes them. Digits are ranged to 0..3 by the table they are
    looked up in. The parts count the digits passed, below 2^128, and therefore do not wrap.
    Points are on the curve: the identity, the entries (SignatureTableChip) and their sums.
    """

    name = "signature_windows"

    class Cols(Columns):
        signature: Given[U32]
        step: Given[U8]
        start: Field[2]
        s_part: Given[U128]
        h_part: Given[U128]
        digit_s: Given[U8][WINDOWS_PER_ROW]
        digit_h: Given[U8][WINDOWS_PER_ROW]
        double_x: Field[WINDOWS_PER_ROW]
        double_y: Field[WINDOWS_PER_ROW]
        quad_x: Field[WINDOWS_PER_ROW]
        quad_y: Field[WINDOWS_PER_ROW]
        entry_x: Field[WINDOWS_PER_ROW]
        entry_y: Field[WINDOWS_PER_ROW]
        sum_x: Field[WINDOWS_PER_ROW]
        sum_y: Field[WINDOWS_PER_ROW]

    def constrain(self, c: Any, b: Builder) -> None:
        b.receive(SIGNATURE_CHAIN, c.signature, c.step, *c.start, c.s_part, c.h_part)
        point, s_part, h_part = c.start, c.s_part, c.h_part
        for w in range(WINDOWS_PER_ROW):
            double = (c.double_x[w], c.double_y[w])
            quad = (c.quad_x[w], c.quad_y[w])
            entry = (c.entry_x[w], c.entry_y[w])
            total = (c.sum_x[w], c.sum_y[w])
            assert_double(b, f"window {w} double", point, double)
            assert_double(b, f"window {w} quad", double, quad)
            b.lookup(SIGNATURE_ENTRY, c.signature, c.digit_s[w], c.digit_h[w], *entry)
            assert_sum(b, f"window {w} sum", quad, entry, total)
            point = total
            s_part = s_part * DIGITS + c.digit_s[w]
            h_part = h_part * DIGITS + c.digit_h[w]
        b.send(SIGNATURE_CHAIN, c.signature, c.step + 1, *point, s_part, h_part)


class SignatureTableChip(Chip):
    """One multiple j*N of one signature's negated key with the entries i*B + j*N, i = 0..3.

    Soundness: the signature chip sends (0, identity, N); each row takes multiple j and hands on
    j + 1, except that the last one stops. It may stop at j = 3 only, and it must stop, since no
    other chip takes the message and j cannot come back to 3; so j is 0, 1, 2, 3 and each entry is
    what its name says. N is on the curve (SignatureChip), hence all multiples and entries are.
    The last row still computes its next multiple, which nobody reads. Counts are free: an entry
    is true however often it is offered.
    """

    name = "signature_table"

    class Cols(Columns):
        signature: Given[U32]
        j: Given[U8]
        base: Field[2]  # j*N
        negated: Field[2]  # N
        entry_x: Field[DIGITS - 1]  # of i*B + j*N, i = 1..3
        entry_y: Field[DIGITS - 1]
        next: Field[2]
        count: Given[U32][DIGITS]
        last: Bit

    def constrain(self, c: Any, b: Builder) -> None:
        b.receive(SIGNATURE_TABLE, c.signature, c.j, *c.base, *c.negated)
        entries = [c.base, *zip(c.entry_x, c.entry_y, strict=True)]
        for i, multiple in enumerate(BASE_MULTIPLES, start=1):
            assert_sum(b, f"entry {i}", c.base, multiple, entries[i])
        assert_sum(b, "next", c.base, c.negated, c.next)
        for i, entry in enumerate(entries):
            b.provide(SIGNATURE_ENTRY, c.signature, i, c.j, *entry, times=c.count[i])
        b.assert_zero("last is multiple 3", c.last * (c.j - (DIGITS - 1)))
        b.send(SIGNATURE_TABLE, c.signature, c.j + 1, *c.next, *c.negated, times=1 - c.last)


def fill(requests: Sequence[Request]) -> dict[str, dict[str, Any]]:
    """Columns of the chips signature, signature_windows and signature_table, by chip name.

    Raises: ConstraintError for a signature that does not hold, since no rows could show it.
    Cost: about 3 ms per signature.
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
    }


def signature_cells() -> int:
    """Committed cells that one signature costs beside its two permutations."""
    signature, windows, table, wide = (
        compile_chip(chip, 0, R)
        for chip in (SignatureChip(), SignatureWindowsChip(), SignatureTableChip(), WideChip())
    )
    ranges = sum(1 for each in signature.interactions if each.bus == WIDE)
    return (
        signature.cells_per_row
        + 2 * ROWS_PER_HALF * windows.cells_per_row
        + DIGITS * table.cells_per_row
        + ranges * wide.cells_per_row
    )
