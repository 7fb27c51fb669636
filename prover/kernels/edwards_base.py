"""Many multiples of the base point of BabyJubJub at once, as affine points."""

import numpy as np

from prover.kernels import edwards_base_lanes, edwards_base_rows
from prover.kernels.cells import as_argument
from prover.kernels.choice import KERNELS, Kernels
from prover.kernels.edwards_base_rows import WINDOWS
from prover.kernels.parallel import run_rows

_twin = edwards_base_rows if KERNELS is Kernels.SCALAR else edwards_base_lanes
# Fewer rows are not worth a thread, whose range ends with an inversion: about 50 multiplications.
_ROWS_MIN = 32


def multiply_base8(digits: np.ndarray) -> np.ndarray:
    """x and y of every scalar times BASE8.

    Shape: digits uint8[n, 32], the bytes of scalars below 2^256, lowest first; result
    uint64[n, 2, 4] in Montgomery form.
    Cost: about 260 multiplications a row.
    """
    out = np.empty((len(digits), 2, 4), dtype=np.uint64)
    arguments = (out, as_argument(digits), _twin.tables())
    run_rows(_twin.multiply_rows, len(digits), *arguments, rows_min=_ROWS_MIN)
    return out


def warm() -> None:
    """Compile every kernel of this module, or load it from the cache."""
    multiply_base8(np.ones((1, WINDOWS), dtype=np.uint8))
