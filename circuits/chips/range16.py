"""The table of all 16-bit numbers, to which every ranged limb of every chip is compared."""

from typing import Any

import numpy as np

from circuits.air.builder import RANGE16, Builder
from circuits.air.chip import Chip
from circuits.air.columns import U32, Columns, Given
from circuits.air.expr import ROW
from circuits.errors import ConstraintError

HEIGHT = 1 << 16


class Range16Chip(Chip):
    """One 16-bit number, its own row number, and how often it was looked up.

    Soundness: the table offers its row numbers below the height and nothing else, whatever
    `count` holds, so it is right as long as it has at most 2^16 rows; the shape fixes that.
    """

    name = "range16"

    class Cols(Columns):
        count: Given[U32]

    def constrain(self, c: Any, b: Builder) -> None:
        b.provide(RANGE16, ROW, times=c.count)


def fill(counts: np.ndarray) -> dict[str, Any]:
    """The columns for `counts[value]` look-ups of each 16-bit value.

    Shape: integers [65536]. Raises: ConstraintError for another shape.
    """
    if counts.shape != (HEIGHT,):
        raise ConstraintError("range16 counts", f"shape ({HEIGHT},)", counts.shape)
    return {"count": counts}
