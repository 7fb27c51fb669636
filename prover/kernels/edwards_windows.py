"""The windowed product s*B + h*N of `circuits.chips.signature_trace`, for many signatures at once.

Both scalars are read as 128 digits of two bits from the top. A window doubles the accumulator
twice and adds the entry i*B + j*N of its digits i of s and j of h.
"""

from dataclasses import dataclass

import numpy as np

from prover.kernels import edwards_windows_lanes, edwards_windows_rows, fr
from prover.kernels.choice import KERNELS, Kernels
from prover.kernels.edwards_windows_rows import DIGITS, KINDS, ROWS, WINDOWS_PER_ROW
from prover.kernels.parallel import run_rows

_twin = edwards_windows_rows if KERNELS is Kernels.SCALAR else edwards_windows_lanes
_ROWS_MIN = 16


@dataclass(frozen=True, slots=True)
class WindowPoints:
    """Every point on the way of n products, as plain integers.

    Shape: windows uint64[4 kinds, 2 axes, 8, 16 n, 4], the kinds being double, quadruple, entry
    and sum; entries uint64[4, 2, 4 n, 4] with i*B + j*N of product k at [i, :, 4 k + j]; fourth
    uint64[2, n, 4] with 4N.
    """

    windows: np.ndarray
    entries: np.ndarray
    fourth: np.ndarray


def trace(negated: np.ndarray, s: np.ndarray, h: np.ndarray) -> WindowPoints:
    """All points of s*B + h*N, row by row. Assumes: every N on the curve.

    Shape: negated uint64[n, 2, 4] in Montgomery form, s and h uint64[n, 4] plain integers.
    Cost: about 5,400 multiplications a row.
    """
    count = len(negated)
    made = WindowPoints(
        np.empty((KINDS, 2, WINDOWS_PER_ROW, ROWS * count, 4), dtype=np.uint64),
        np.empty((DIGITS, 2, DIGITS * count, 4), dtype=np.uint64),
        np.empty((2, count, 4), dtype=np.uint64),
    )
    arrays = (made.windows, made.entries, made.fourth, negated.reshape(-1, 8), s, h, _twin.tables())
    run_rows(_twin.trace_rows, count, *arrays, rows_min=_ROWS_MIN)
    return made


def warm() -> None:
    """Compile every kernel of this module, or load it from the cache."""
    identity = fr.from_ints([0, 1]).reshape(1, 2, 4)
    one = np.array([[1, 0, 0, 0]], dtype=np.uint64)
    trace(identity, one, one)
