"""Field operations on arrays, a row at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from circuits.field import R, inverse
from prover.bench.measure import Measurement, StopWatch
from prover.kernels import fr
from prover.memory import require_room

STAGE = "compute"
# Passes over the arrays in one repeat, so that also the quickest operation can be timed.
PASSES = 16
# From the first to the last at equal distances, so that every thread has some of them.
_CHECKED_ROWS = 128
# Two operands, a result, and one that is not freed yet.
_BYTES_PER_ELEMENT = 4 * 32
_LIMB_BITS = 61  # of the highest limb: everything below 2^253 is below r


def measure_field(log_size: int, repeat: int) -> list[Measurement]:
    """Multiplication, addition and batched inversion of 2^log_size elements.

    Every repeat is the mean of PASSES passes. Raises: NotEnoughMemory.
    """
    require_room(f"memory for 2^{log_size} elements", _BYTES_PER_ELEMENT << log_size)
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
    """Runs of one operation, some of its rows compared with plain integers."""
    runs, verified = [], True
    places = np.linspace(0, len(inputs[0]) - 1, _CHECKED_ROWS).astype(np.int64)
    rows = [fr.to_ints(each[places]) for each in inputs]
    wanted = [expected(a, b) % R for a, b in zip(*rows, strict=True)]
    for _ in range(repeat):
        watch = StopWatch()
        watch.begin(STAGE)
        for _ in range(PASSES):
            found = compute()
        runs.append(watch.stop().split(PASSES))
        verified &= fr.to_ints(found[places]) == wanted
    return Measurement(name, "element", len(inputs[0]), tuple(runs), verified)
