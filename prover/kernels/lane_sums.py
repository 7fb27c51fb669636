"""Sums of lane values that are left unreduced: cheap, for kernels that watch the bounds themselves.

Bounds, in multiples of p (see `lanes`): a lane value must stay below 84, which its limbs hold; a
product of operands below alpha and beta is below 2 + alpha * beta / 84. Only values below 4 may be
stored, compared or given to the reducing sums of `lanes`.
"""

from llvmlite import ir
from numba.extending import intrinsic

from circuits.field import R
from prover.kernels.lane_emission import (
    LIMB_BITS,
    LIMBS,
    MASK,
    RADIX,
    SHIFT_BITS,
    limbs52,
    pack,
    splat,
    unpack,
)
from prover.kernels.lanes import LANE_VALUE

MINUS_MULTIPLE = 4
"""`fr_minus` adds so many p, which its subtrahend must be below."""


def _carry(builder: ir.IRBuilder, parts: list[ir.Value]) -> list[ir.Value]:
    """Limbs below 2^52 from limbs below 2^63; the highest keeps its excess."""
    out, carry = [], None
    for k, part in enumerate(parts):
        total = part if carry is None else builder.add(part, carry)
        if k + 1 < LIMBS:
            carry = builder.lshr(total, splat(LIMB_BITS))
            total = builder.and_(total, splat(MASK))
        out.append(total)
    return out


def _emit_sum(context, builder: ir.IRBuilder, signature, arguments) -> ir.Value:
    limbs = zip(*(unpack(builder, value) for value in arguments), strict=True)
    totals = []
    for first, *others in limbs:
        total = first
        for other in others:
            total = builder.add(total, other)
        totals.append(total)
    return pack(builder, _carry(builder, totals))


@intrinsic
def add2(typing_context, a, b):
    """Return a + b, whose bounds add up."""
    return LANE_VALUE(LANE_VALUE, LANE_VALUE), _emit_sum


@intrinsic
def add3(typing_context, a, b, c):
    """Return a + b + c, with one carry chain."""
    return LANE_VALUE(LANE_VALUE, LANE_VALUE, LANE_VALUE), _emit_sum


@intrinsic
def add4(typing_context, a, b, c, d):
    """Return a + b + c + d, with one carry chain."""
    return LANE_VALUE(LANE_VALUE, LANE_VALUE, LANE_VALUE, LANE_VALUE), _emit_sum


@intrinsic
def fr_minus(typing_context, a, b):
    """Return a + 4 p - b, for b below 4 p."""

    def generate(context, builder, signature, arguments):
        padded = limbs52(MINUS_MULTIPLE * R)
        # Each limb borrows 2^52 from the one above, more than it can lose.
        for k in range(LIMBS - 1):
            padded[k] += RADIX
            padded[k + 1] -= 1
        x, y = (unpack(builder, value) for value in arguments)
        parts = [
            builder.sub(builder.add(p, splat(limb)), q)
            for p, q, limb in zip(x, y, padded, strict=True)
        ]
        return pack(builder, _carry(builder, parts))

    return LANE_VALUE(LANE_VALUE, LANE_VALUE), generate


def fr_reduction(multiple: int):
    """Make an intrinsic that takes `multiple` p off the lanes that are not below it."""

    @intrinsic
    def reduce(typing_context, a):
        def generate(context, builder, signature, arguments):
            plain = unpack(builder, arguments[0])
            complement = limbs52((1 << SHIFT_BITS) - multiple * R)
            less = [builder.add(x, splat(limb)) for x, limb in zip(plain, complement, strict=True)]
            less = _carry(builder, less)
            # Adding 2^260 - multiple p carries out of the highest limb exactly when a is not below.
            has_carry = builder.icmp_unsigned(">", less[-1], splat(MASK))
            less[-1] = builder.and_(less[-1], splat(MASK))
            chosen = [builder.select(has_carry, x, y) for x, y in zip(less, plain, strict=True)]
            return pack(builder, chosen)

        return LANE_VALUE(LANE_VALUE), generate

    return reduce
