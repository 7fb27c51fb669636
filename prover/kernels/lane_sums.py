"""Sums of lane values that are left unreduced: cheap, for kernels that watch the bounds themselves.

Bounds, in multiples of p (see `lanes`): a lane value must stay below 84, which its limbs hold; a
product of operands below alpha and beta is below 2 + alpha * beta / 84. Only values below 4 may be
stored, compared or given to the reducing sums of `lanes`.
"""

from llvmlite import ir
from numba.extending import intrinsic

from circuits.field import R
from prover.kernels.lane_emission import emit_carry, emit_rest, emit_sub_loose, pack, unpack
from prover.kernels.lanes import LANE_VALUE


def _emit_sum(context, builder: ir.IRBuilder, signature, arguments) -> ir.Value:
    limbs = zip(*(unpack(builder, value) for value in arguments), strict=True)
    totals = []
    for first, *others in limbs:
        total = first
        for other in others:
            total = builder.add(total, other)
        totals.append(total)
    return pack(builder, emit_carry(builder, totals))


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
        x, y = (unpack(builder, value) for value in arguments)
        return pack(builder, emit_sub_loose(builder, x, y, R))

    return LANE_VALUE(LANE_VALUE, LANE_VALUE), generate


def fr_reduction(multiple: int):
    """Make an intrinsic that takes `multiple` p off the lanes that are not below it."""

    @intrinsic
    def reduce(typing_context, a):
        def generate(context, builder, signature, arguments):
            plain = unpack(builder, arguments[0])
            return pack(builder, emit_rest(builder, plain, plain, multiple * R))

        return LANE_VALUE(LANE_VALUE), generate

    return reduce
