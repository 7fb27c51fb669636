"""Equality tables as a product of a short and a long one.

eq(point, x) for all x takes 32 bytes a row; split at LOW_BITS it takes a five-hundredth of that,
and a sum over rows takes one more product per 2^LOW_BITS rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prover.kernels import fr

LOW_BITS = 9


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
        """eq(point, x) for all x."""
        return SplitEquality(fr.eq_table(point[:LOW_BITS]), fr.eq_table(point[LOW_BITS:]))
