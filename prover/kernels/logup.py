"""Helper columns: per group of interactions the sum of signed multiplicity / fingerprint."""

from collections.abc import Sequence

import numpy as np

from prover.kernels import logup_lanes, logup_rows
from prover.kernels.cells import places_of
from prover.kernels.choice import KERNELS, Kernels
from prover.kernels.parallel import row_ranges, run_jobs, threads
from prover.kernels.program import BLOCK, RowProgram, value_program
from prover.kernels.tape import RowState, sample_tape

_helper_rows = logup_rows.helper_rows if KERNELS is Kernels.SCALAR else logup_lanes.helper_rows


def helper_columns(
    places: np.ndarray,
    height: int,
    program: RowProgram,
    group_ends: Sequence[int],
    first_row: int = 0,
) -> np.ndarray | None:
    """All helper columns of a chip as plain integers; None if a fingerprint is zero.

    `program` has as results the denominators of all interactions, then their numerators. The
    places are those of `height` active rows from the chip's row `first_row` on.

    Shape: places int64[main columns, 2], see `cells` -> uint64[groups, height, 4].
    Cost: per row the program, and 4 products per interaction whose numerator is not zero.
    """
    ends = np.array(group_ends, dtype=np.int64)
    out = np.empty((len(ends), height, 4), dtype=np.uint64)
    read = np.ascontiguousarray(places[program.columns])
    state = RowState(height, 0, first_row, 1)
    found = run_jobs(
        _helper_rows,
        [
            (
                start, stop, out, read, program.program, state.full, state.scalars(), ends,
            )
            for start, stop in row_ranges(height, threads() if height > BLOCK else 1)
        ],
    ) if height else []  # fmt: skip
    return out if all(found) else None


def warm() -> None:
    """Compile the helper kernels, or load them from the cache."""
    cells = np.ones(8, dtype=np.uint8)
    helper_columns(places_of([cells]), len(cells), value_program(sample_tape(), [], []), [])
