"""Many Poseidon2 permutations at once, on compiled field arithmetic.

A state is four elements as in `scalar`: canonical Montgomery limbs.
"""

from collections.abc import Sequence
from itertools import chain

import numpy as np

from circuits.poseidon2 import WIDTH, Lanes
from prover.kernels import fr, poseidon2_lanes, poseidon2_rows
from prover.kernels.choice import KERNELS, Kernels
from prover.kernels.parallel import run_rows
from prover.kernels.poseidon2_rows import SBOX_COUNT

_twin = poseidon2_rows if KERNELS is Kernels.SCALAR else poseidon2_lanes
# A hundred permutations take about a millisecond, far more than the hand-over to a thread.
_ROWS_MIN = 100
_NO_CELLS = np.empty((SBOX_COUNT, 0, 4), dtype=np.uint64)


def permute(states: np.ndarray) -> np.ndarray:
    """Permute every state.

    Shape: uint64[n, 4, 4] of states, lanes and limbs; so is the result.
    Cost: 488 multiplications a state.
    """
    return _run(states, _NO_CELLS)


def trace_cells(states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Permute every state and keep what each S-box put out, in the order of use.

    Shape: states and permuted states uint64[n, 4, 4] in Montgomery form; S-box outputs
    uint64[88, n, 4] as plain integers, the cells of the permutation chip.
    Cost: 576 multiplications a state.
    """
    cells = np.empty((SBOX_COUNT, len(states), 4), dtype=np.uint64)
    return _run(states, cells), cells


def from_lanes(states: Sequence[Lanes]) -> np.ndarray:
    """States of integers in [0, r) as uint64[n, 4, 4]. Raises: ValueError outside."""
    return fr.from_ints(chain.from_iterable(states)).reshape(-1, WIDTH, 4)


def to_lanes(states: np.ndarray) -> list[Lanes]:
    """The states uint64[n, 4, 4] as integers in [0, r)."""
    lanes = iter(fr.to_ints(_states(states).reshape(-1, 4)))
    return list(zip(lanes, lanes, lanes, lanes, strict=True))


def permute_many(states: Sequence[Lanes]) -> list[Lanes]:
    """`circuits.poseidon2.permute` of every state, which must be canonical.

    Raises: ValueError for a lane that is not in [0, r).
    Cost: about 3 microseconds a state to convert, beside the permutation.
    """
    return to_lanes(permute(from_lanes(states)))


def warm() -> None:
    """Compile every kernel of this module, or load it from the cache."""
    permute_many([(0, 1, 2, 3)])


def _run(states: np.ndarray, cells: np.ndarray) -> np.ndarray:
    out = np.empty_like(_states(states))
    arguments = (out, states, _twin.numbers(), cells)
    run_rows(_twin.permute_rows, len(states), *arguments, rows_min=_ROWS_MIN)
    return out


def _states(states: np.ndarray) -> np.ndarray:
    if states.dtype != np.uint64 or states.shape[1:] != (WIDTH, 4) or not states.flags.c_contiguous:
        raise TypeError(
            f"expected a C-contiguous uint64 array [n, 4, 4], "
            f"got {states.dtype} {list(states.shape)}"
        )
    return states
