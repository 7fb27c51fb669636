"""Lane kernels over rows give the words of their scalar twins, for every range of rows."""

import random

import numpy as np
import pytest

from circuits.field import R
from prover.kernels import fr, fr_lanes, fr_rows

EDGES = [0, 1, R - 1, R - 2, 2**64, 2**208 - 1, (R - 1) // 2]
ROWS = 45
RANGES = [(0, ROWS), (0, 8), (0, 7), (3, 3), (5, 37), (1, 18), (2, 9), (16, 32)]


def _elements(seed: int, count: int = ROWS) -> np.ndarray:
    rng = random.Random(seed)
    return fr.from_ints([rng.choice([*EDGES, rng.randrange(R)]) for _ in range(count)])


def _both(name, start, stop, make_arguments):
    """Run the twins on equal arguments; return what each gave and what each wrote."""
    outcomes = []
    for module in (fr_rows, fr_lanes):
        arguments = make_arguments()
        outcomes.append((getattr(module, name)(start, stop, *arguments), arguments[0]))
    return outcomes


CONSTANTS = [fr.constant(value) for value in (0, 1, R - 1, 0x1234567890ABCDEF << 150)]
SMALL = np.array([0, 1, 2**64 - 1, 2**52, 2**52 - 1, *range(ROWS - 5)], dtype=np.uint64)


def _out() -> np.ndarray:
    return np.full((2 * ROWS, 4), 9, dtype=np.uint64)


@pytest.mark.parametrize(("start", "stop"), RANGES)
@pytest.mark.parametrize("factor", CONSTANTS)
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("add", lambda c: (_out(), _elements(1), _elements(2))),
        ("sub", lambda c: (_out(), _elements(1), _elements(2))),
        ("mul", lambda c: (_out(), _elements(1), _elements(2))),
        ("scale", lambda c: (_out(), _elements(3), c)),
        ("accumulate", lambda c: (_elements(4, 2 * ROWS), 2, _elements(5), c)),
        ("accumulate_small", lambda c: (_elements(4, 2 * ROWS), 2, SMALL, c)),
        ("powers", lambda c: (_out(), c)),
        ("eq_step", lambda c: (_elements(6, 2 * ROWS), ROWS, c)),
        ("fold", lambda c: (_out(), _elements(7, 2 * ROWS), c)),
    ],
)
def test_written_rows(name, arguments, factor, start, stop):
    (_, scalar), (_, vector) = _both(name, start, stop, lambda: arguments(factor))
    assert (scalar == vector).all()


@pytest.mark.parametrize(("start", "stop"), RANGES)
@pytest.mark.parametrize("factor", CONSTANTS)
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("inner_product", lambda c: (_elements(8), _elements(9))),
        ("total", lambda c: (_elements(10),)),
        ("evaluate", lambda c: (_elements(11), c)),
    ],
)
def test_returned_values(name, arguments, factor, start, stop):
    (scalar, _), (vector, _) = _both(name, start, stop, lambda: arguments(factor))
    assert scalar == vector
