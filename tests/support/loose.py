"""Points as kernels leave them, made canonical."""

from __future__ import annotations

import numpy as np
from numba import njit

from prover.kernels import g1
from prover.kernels.scalar import store


def canonical(rows: np.ndarray) -> np.ndarray:
    """Points uint64[n, 8] whose coordinates may be loose, see `g1`."""
    out = np.empty(rows.shape, dtype=np.uint64)
    _to_canonical(out, np.ascontiguousarray(rows))
    return out


@njit
def _to_canonical(out, rows):
    for row in range(rows.shape[0]):
        x, y = g1.load_loose(rows, row)
        store(out, 2 * row, x)
        store(out, 2 * row + 1, y)
