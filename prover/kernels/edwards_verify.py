"""Many signatures verified at once, on compiled curve arithmetic."""

import numpy as np

from circuits.edwards import BASE8
from prover.kernels import edwards_verify_lanes, edwards_verify_rows, fr
from prover.kernels.choice import KERNELS, Kernels
from prover.kernels.parallel import run_rows

_twin = edwards_verify_rows if KERNELS is Kernels.SCALAR else edwards_verify_lanes
# A few signatures take about a millisecond, far more than the hand-over to a thread.
_ROWS_MIN = 16


def verify(points: np.ndarray, s: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Check S * BASE8 = R + h * K on the curve; say of each row HOLDS or the first fault.

    The codes are those of `edwards_verify_rows`. OFF_CURVE and SMALL_ORDER speak of R. A key off
    the curve is an EQUATION that does not hold; a key on it may be any.

    Shape: points uint64[n, 4, 4], the coordinates of R and K in Montgomery form; s and h
    uint64[n, 4], plain integers below the subgroup order and below 2^128; result uint8[n].
    Cost: about 1,600 multiplications a row.
    """
    out = np.empty(len(points), dtype=np.uint8)
    arguments = (out, points, s, h, _twin.tables())
    run_rows(_twin.verify_rows, len(points), *arguments, rows_min=_ROWS_MIN)
    return out


def warm() -> None:
    """Compile every kernel of this module, or load it from the cache."""
    points = fr.from_ints([*BASE8, *BASE8]).reshape(1, 4, 4)
    one = np.array([[1, 0, 0, 0]], dtype=np.uint64)
    verify(points, one, one)
