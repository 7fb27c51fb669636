"""Equality tables as a product of a short and a long one.

eq(point, x) for all x takes 32 bytes a row; split at LOW_BITS it takes a five-hundredth of that,
and a sum over rows takes one more product per 2^LOW_BITS rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prover.kernels import fr

LOW_BITS = 9
LOW = 1 << LOW_BITS


@dataclass(frozen=True, slots=True)
class SplitEquality:
    """eq(point, x) = low[x mod 2^LOW_BITS] * high[x div 2^LOW_BITS].

    Shape: low uint64[min(2^LOW_BITS, 2^len(point)), 4]; high uint64[the rest, 4].
    """

    low: np.ndarray
    high: np.ndarray

    @staticmethod
    def of(point: Sequence[int]) -> "SplitEquality":
        return SplitEquality(fr.eq_table(point[:LOW_BITS]), fr.eq_table(point[LOW_BITS:]))
