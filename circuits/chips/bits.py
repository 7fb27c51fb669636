"""Wide range checks: numbers of 112 or 128 bits, split into 16-bit limbs once for all chips."""

from collections.abc import Mapping
from typing import Any

from circuits.air.builder import Builder
from circuits.air.chip import Chip
from circuits.air.columns import U16, U32, Bit, Columns, Given
from circuits.air.expr import constant
from circuits.chips.buses import WIDE
from circuits.errors import ConstraintError

LIMBS = 8
LIMB_BITS = 16
WIDE_BITS = LIMBS * LIMB_BITS
NARROW_BITS = WIDE_BITS - LIMB_BITS

# (narrow, value): value < 2^112 if narrow is 1, value < 2^128 if narrow is 0.
Demand = tuple[int, int]


class WideChip(Chip):
    """One number below 2^128, or below 2^112 if it is narrow.

    Soundness: the limbs are ranged by range16, so their weighted sum is an integer below 2^128
    and, without the highest limb, below 2^112; both are below r, so the sum does not wrap.
    `count` is free: a table row says a true thing however often it is offered.
    """

    name = "wide"

    class Cols(Columns):
        limbs: U16[LIMBS]
        narrow: Bit
        count: Given[U32]

    def constrain(self, c: Any, b: Builder) -> None:
        b.assert_zero("narrow has no highest limb", c.narrow * c.limbs[LIMBS - 1])
        value = constant(0)
        for number, limb in enumerate(c.limbs):
            value = value + limb * (1 << LIMB_BITS * number)
        b.provide(WIDE, c.narrow, value, times=c.count)


def fill(demand: Mapping[Demand, int]) -> dict[str, Any]:
    """One row per distinct (narrow, value), looked up `demand[narrow, value]` times.

    Raises: ConstraintError for a value that the table cannot offer.
    """
    for narrow, value in demand:
        bits = NARROW_BITS if narrow else WIDE_BITS
        if not 0 <= value < 1 << bits:
            raise ConstraintError("wide look-up", f"a number below 2^{bits}", value)
    values = [value for _, value in demand]
    mask = (1 << LIMB_BITS) - 1
    return {
        "limbs": [
            [value >> LIMB_BITS * number & mask for value in values] for number in range(LIMBS)
        ],
        "narrow": [narrow for narrow, _ in demand],
        "count": list(demand.values()),
    }
