"""Field operations on arrays, a row at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from circuits.field import R, inverse
from prover.bench.measure import Measurement, StopWatch
from prover.kernels import fr

STAGE = "compute"
# Passes over the arrays in one repeat, so that a repeat lasts some tenths of a second.
PASSES = 16
_CHECKED_ROWS = 64
_LIMB_BITS = 61  # of the highest limb: everything below 2^253 is below r


def measure_field(log_size: int, repeat: int) -> list[Measurement]:
    """Multiplication, addition and batched inversion of 2^log_size elements."""
    left, right = random_elements(1 << log_size, 1), random_elements(1 << log_size, 2)
    return [
        _measure("fr_mul", repeat, lambda: fr.mul(left, right), (left, right), lambda a, b: a * b),
        _measure("fr_add", repeat, lambda: fr.add(left, right), (left, right), lambda a, b: a + b),
        _measure("inverse", repeat, lambda: fr.batch_inverse(left), (left, right), _inverse),
    ]


def random_elements(count: int, seed: int) -> np.ndarray:
    """Elements uint64[count, 4] in Montgomery form, below 2^253 as numbers of limbs."""
    random = np.random.default_rng(seed)
    limbs = random.integers(0, 1 << 64, size=(count, 4), dtype=np.uint64)
    limbs[:, 3] >>= np.uint64(64 - _LIMB_BITS)
    return limbs


def _inverse(a: int, b: int) -> int:
    return inverse(a)


def _measure(
    name: str,
    repeat: int,
    compute: Callable[[], np.ndarray],
    inputs: tuple[np.ndarray, np.ndarray],
    expected: Callable[[int, int], int],
) -> Measurement:
    """Runs of one operation, its first rows compared with plain integers."""
    runs, verified = [], True
    rows = [fr.to_ints(each[:_CHECKED_ROWS].copy()) for each in inputs]
    wanted = [expected(a, b) % R for a, b in zip(*rows, strict=True)]
    for _ in range(repeat):
        watch = StopWatch()
        watch.begin(STAGE)
        for _ in range(PASSES):
            found = compute()
        runs.append(watch.stop())
        verified &= fr.to_ints(found[:_CHECKED_ROWS].copy()) == wanted
    return Measurement(name, "element", PASSES * len(inputs[0]), tuple(runs), verified)
