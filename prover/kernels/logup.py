"""Helper columns: per group of interactions the sum of signed multiplicity / fingerprint."""

import numpy as np
from numba import njit

from prover.kernels import fr
from prover.kernels.parallel import row_ranges, run_jobs, threads
from prover.kernels.scalar import FR_ONE, ZERO, fr_add, fr_inverse, fr_mul, is_zero, load, store
from prover.kernels.tape import (
    BLOCK,
    Program,
    RowState,
    load_rows,
    new_work,
    run_code,
    sample_program,
)


def fill_helpers(
    matrix: np.ndarray, height: int, program: Program, group_ends: list[int], first_row: int = 0
) -> bool:
    """Write the helper columns behind the main columns of `matrix`; False if a fingerprint is 0.

    `program` has as results the denominators of all interactions, then their numerators. The
    matrix holds `height` active rows of a chip from `first_row` on.

    Shape: matrix uint64[main + helper columns, height, 4], Montgomery form.
    Cost: per row the program, and 4 products per interaction.
    """
    ends = np.array(group_ends, dtype=np.int64)
    state = RowState(height, 0, first_row, 1)
    found = run_jobs(
        _helper_rows,
        [
            (
                start, stop, matrix, program.columns, program.code, program.scalars,
                program.slots, program.result, state.full, state.scalars(), ends,
            )
            for start, stop in row_ranges(height, threads() if height > BLOCK else 1)
        ],
    ) if height else []  # fmt: skip
    return all(found)


@njit(nogil=True, cache=True)
def _helper_rows(
    start, stop, matrix, columns, code, scalars, slots, result, full, state, group_ends
):
    interactions = group_ends[-1] if group_ends.shape[0] else 0
    numerators = result + interactions * BLOCK
    rows = matrix.shape[1]
    work = new_work(slots, scalars)
    prefix = np.empty((max(interactions, 1) * BLOCK, 4), dtype=np.uint64)
    for first in range(start, stop, BLOCK):
        count = min(BLOCK, stop - first)
        load_rows(work, matrix, columns, first, count, full, state)
        run_code(code, work, count)
        if not _invert_denominators(work, result, interactions, count, prefix):
            return False
        begin = 0
        for group in range(group_ends.shape[0]):
            for i in range(count):
                total = ZERO
                for j in range(begin, group_ends[group]):
                    inverse = load(work, result + j * BLOCK + i)
                    total = fr_add(total, fr_mul(load(work, numerators + j * BLOCK + i), inverse))
                store(matrix, (columns + group) * rows + first + i, total)
            begin = group_ends[group]
    return True


@njit(nogil=True, cache=True)
def _invert_denominators(work, result, interactions, count, prefix):
    """Invert the first result slots in place with one inversion; False if any is zero."""
    running = FR_ONE
    for j in range(interactions):
        for i in range(count):
            store(prefix, j * BLOCK + i, running)
            running = fr_mul(running, load(work, result + j * BLOCK + i))
    if is_zero(running):
        return False
    running = fr_inverse(running)
    for j in range(interactions - 1, -1, -1):
        for i in range(count - 1, -1, -1):
            value = load(work, result + j * BLOCK + i)
            store(work, result + j * BLOCK + i, fr_mul(running, load(prefix, j * BLOCK + i)))
            running = fr_mul(running, value)
    return True


def warm() -> None:
    """Compile the helper kernel, or load it from the cache."""
    fill_helpers(fr.from_ints([3, 0]).reshape(2, 1, 4), 1, sample_program(folded=False), [])
