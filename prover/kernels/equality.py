"""Equality tables as a product of a short and a long one.

eq(point, x) for all x takes 32 bytes a row; split at LOW rows it takes a five-hundredth of that,
and a sum over rows takes one more product per LOW rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prover.kernels import fr

_LOW_BITS = 9
LOW = 1 << _LOW_BITS


@dataclass(frozen=True, slots=True)
class SplitEquality:
    """Weights of rows: row x has low[x mod len(low)] * high[x div len(low)].

    Any weights will do for kernels, as long as len(low) is a multiple of `program.BLOCK` or there
    is one high row: a part of a table, or a table that is not split.

    Shape: low uint64[n, 4]; high uint64[m, 4].
    """

    low: np.ndarray
    high: np.ndarray

    @staticmethod
    def of(point: Sequence[int]) -> "SplitEquality":
        """eq(point, x) for all x; `low` has LOW rows, or all there are."""
        return SplitEquality(fr.eq_table(point[:_LOW_BITS]), fr.eq_table(point[_LOW_BITS:]))
