"""Multi-scalar multiplication over the development setup, by width of the scalars."""

from __future__ import annotations

import numpy as np

from circuits.field import R
from prover.bench.field import random_elements
from prover.bench.measure import Measurement, StopWatch
from prover.kernels import fr
from prover.kernels.msm import msm
from prover.memory import BOUND_THREADS, SCALAR_BYTES, THREAD_SCALAR_BYTES, require_room
from prover.srs_tools import Srs, development_secret
from verifier.pairing import multi_scalar
from verifier.srs import GENERATOR
from verifier.transcript import Point

STAGE = "multiply"
FULL_BITS = 254
# The point, its scalar twice while it is made, and what a multiplication holds of both.
_BYTES_PER_POINT = 64 + 2 * 32 + SCALAR_BYTES + BOUND_THREADS * THREAD_SCALAR_BYTES
WIDTHS = (1, 8, 16, 32, 64, FULL_BITS)
_TYPES = {1: np.uint8, 8: np.uint8, 16: np.uint16, 32: np.uint32, 64: np.uint64}


def require_points(count: int) -> None:
    """Refuse more points than there is memory for. Raises: NotEnoughMemory."""
    require_room(f"memory for {count:,} points", _BYTES_PER_POINT * count)


def measure_msm(srs: Srs, bits: int, repeat: int) -> Measurement:
    """Random scalars of so many bits, one for each point of the development setup.

    The result is compared with the one multiplication that the known secret makes of it.
    Raises: NotEnoughMemory.
    """
    require_points(len(srs.bases))
    column = random_column(len(srs.bases), bits)
    wanted = _expected(column)
    runs, verified = [], True
    for _ in range(repeat):
        watch = StopWatch()
        watch.begin(STAGE)
        found = msm(srs.bases, [(0, column, bits)])
        runs.append(watch.stop())
        verified &= found == wanted
    return Measurement(f"{bits} bit", "point", len(column), tuple(runs), verified)


def random_column(count: int, bits: int) -> np.ndarray:
    """A column of the narrowest type for so many bits, or plain integers uint64[count, 4]."""
    if bits == FULL_BITS:
        return fr.from_montgomery(random_elements(count, bits))
    random = np.random.default_rng(bits)
    return random.integers(0, 1 << bits, size=count, dtype=_TYPES[bits])


def _expected(column: np.ndarray) -> Point:
    """sum_i column[i] * [tau^i] = [sum_i column[i] tau^i]."""
    elements = fr.from_small(column) if column.ndim == 1 else fr.to_montgomery(column)
    powers = fr.powers(development_secret(), len(column))
    return multi_scalar([GENERATOR], [fr.inner_product(elements, powers) % R])
