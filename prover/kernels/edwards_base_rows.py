"""Multiples of the base point row by row, on elements as in `scalar`; see `edwards_base`."""

from functools import cache

import numpy as np
from numba import njit

from circuits.edwards import BASE8
from circuits.field import R, inverse
from prover.kernels import fr
from prover.kernels.edwards import ROOT, add_multiple, double, enter, multiples, set_affine
from prover.kernels.scalar import (
    FR_ONE,
    MONTGOMERY_BITS,
    ZERO,
    fr_inverse,
    fr_mul,
    limbs,
    load,
    store,
)

# A digit is a byte of the scalar. The table has 32 * 255 summands, 1 MiB: a signer computes
# nothing else on the curve, so it pays for fewer additions than a verifier needs.
# These numbers are not literals, for each of which a kernel would be compiled anew.
_BITS = np.int64(8)
WINDOWS = np.int64(32)
MULTIPLES = np.int64(255)
# From x on the isomorphic curve of the kernels to x on the original one.
_FROM_ROOT = limbs(inverse(ROOT) * 2**MONTGOMERY_BITS % R)


@njit(nogil=True, cache=True)
def _fill_table(summands, x, y):
    """summands[255 w + k] = (k + 1) 2^(8w) (x, y)."""
    power = np.empty(16, dtype=np.uint64)
    enter(power, load(x, 0), load(y, 0))
    for window in range(WINDOWS):
        point = power.copy()
        multiples(summands, window * MULTIPLES, MULTIPLES, point)
        double(power, _BITS)


@cache
def tables() -> np.ndarray:
    """Summands uint64[32 * 255, 16], which `multiply_rows` takes last: (k + 1) 2^(8w) BASE8."""
    summands = np.empty((WINDOWS * MULTIPLES, 16), dtype=np.uint64)
    _fill_table(summands, fr.constant(BASE8[0]), fr.constant(BASE8[1]))
    return summands


@njit(nogil=True, cache=True)
def multiply_rows(start, stop, out, digits, table):
    """out[i] = x, y of the product with digits[i], by one inversion for all rows."""
    point = np.empty(16, dtype=np.uint64)
    depths = np.empty((stop - start, 4), dtype=np.uint64)
    prefix = np.empty((stop - start, 4), dtype=np.uint64)
    running = FR_ONE
    for i in range(start, stop):
        set_affine(point, ZERO, FR_ONE)
        for window in range(WINDOWS):
            add_multiple(point, table, window * MULTIPLES, np.int64(digits[i, window]))
        store(out, 2 * i, fr_mul(load(point, 0), _FROM_ROOT))
        store(out, 2 * i + 1, load(point, 1))
        store(depths, i - start, load(point, 2))
        store(prefix, i - start, running)
        running = fr_mul(running, load(point, 2))
    running = fr_inverse(running)
    for i in range(stop - 1, start - 1, -1):
        depth_inverse = fr_mul(running, load(prefix, i - start))
        running = fr_mul(running, load(depths, i - start))
        store(out, 2 * i, fr_mul(load(out, 2 * i), depth_inverse))
        store(out, 2 * i + 1, fr_mul(load(out, 2 * i + 1), depth_inverse))
