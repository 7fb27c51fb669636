"""One sumcheck round over arrays: bind the low variable, sums of pairs, products of pairs.

A table of `rows` rows stands for a longer one that is zero beyond; a missing odd row is zero.
"""

import numpy as np
from numba import njit

from circuits.field import R
from prover.kernels import fr
from prover.kernels.parallel import row_ranges, run_jobs, run_rows, threads
from prover.kernels.scalar import ZERO, fr_add, fr_mul, fr_sub, load, store
from prover.kernels.tape import Program, RowState, round_sums, sample_program

# Fewer interpreted operations than this are not worth a second thread.
OPERATIONS_MIN = 1 << 15


def bind_columns(matrix: np.ndarray, challenge: int) -> np.ndarray:
    """Bind the lowest row variable of every column.

    Shape: matrix uint64[columns, rows, 4] -> uint64[columns, ceil(rows / 2), 4].
    """
    columns, rows = matrix.shape[:2]
    out = np.empty((columns, (rows + 1) // 2, 4), dtype=np.uint64)
    run_rows(_bind, out.shape[0] * out.shape[1], out, matrix, fr.constant(challenge))
    return out


def halve_equality(table: np.ndarray) -> np.ndarray:
    """Drop the lowest coordinate of an equality table: sum of each even and odd row."""
    out = np.empty((len(table) // 2, 4), dtype=np.uint64)
    run_rows(_add_pairs, len(out), out, table)
    return out


def even_and_odd_sum(matrix: np.ndarray, first_column: int) -> tuple[int, int]:
    """Sums of all even and of all odd rows over the columns from `first_column` on."""
    parts = run_rows(_even_and_odd, matrix.shape[0] - first_column, matrix, first_column)
    return _sum([even for even, _ in parts]), _sum([odd for _, odd in parts])


def product_values(a: np.ndarray, b: np.ndarray) -> list[int]:
    """Values at 0, 1, 2 of the sum over pairs of (a at t) * (b at t).

    Shape: a uint64[rows, 4], b uint64[rows or more, 4], of even length.
    """
    parts = run_rows(_products, (len(a) + 1) // 2, a, b)
    return [_sum([part[t] for part in parts]) for t in range(3)]


def constraint_values(
    matrix: np.ndarray,
    program: Program,
    state: RowState,
    equality: np.ndarray,
    wanted: np.ndarray,
) -> list[int]:
    """sum over pairs of equality * folded constraints at t for each wanted[t], else 0.

    Shape: see `tape.round_sums`.
    Cost: per pair and wanted point the program; 30 ns or less per operation on one thread.
    """
    pairs = (matrix.shape[1] + 1) // 2
    operations = pairs * len(program.code) * int(wanted.sum())
    parts = threads() if operations >= OPERATIONS_MIN else 1
    sums = run_jobs(
        round_sums,
        [
            (
                start, stop, matrix, program.columns, program.code, program.scalars,
                program.slots, program.result, state.full, state.scalars(), equality, wanted,
            )
            for start, stop in row_ranges(pairs, parts)
        ],
    )  # fmt: skip
    return [sum(column) % R for column in zip(*map(fr.to_ints, sums), strict=True)]


def _sum(parts: list[tuple]) -> int:
    return sum(fr.to_ints(np.array(parts, dtype=np.uint64).reshape(-1, 4))) % R


@njit(nogil=True, cache=True)
def _bind(start, stop, out, matrix, challenge):
    r = load(challenge, 0)
    rows, half = matrix.shape[1], out.shape[1]
    for k in range(start, stop):
        column = k // half
        row = 2 * (k - column * half)
        place = column * rows + row
        even = load(matrix, place)
        odd = load(matrix, place + 1) if row + 1 < rows else ZERO
        store(out, k, fr_add(even, fr_mul(r, fr_sub(odd, even))))


@njit(nogil=True, cache=True)
def _add_pairs(start, stop, out, table):
    for j in range(start, stop):
        store(out, j, fr_add(load(table, 2 * j), load(table, 2 * j + 1)))


@njit(nogil=True, cache=True)
def _even_and_odd(start, stop, matrix, first_column):
    rows = matrix.shape[1]
    even, odd = ZERO, ZERO
    for column in range(first_column + start, first_column + stop):
        for row in range(0, rows - 1, 2):
            even = fr_add(even, load(matrix, column * rows + row))
            odd = fr_add(odd, load(matrix, column * rows + row + 1))
        if rows & 1:
            even = fr_add(even, load(matrix, column * rows + rows - 1))
    return even, odd


@njit(nogil=True, cache=True)
def _products(start, stop, a, b):
    at_0, at_1, at_2 = ZERO, ZERO, ZERO
    for j in range(start, stop):
        a_0, b_0 = load(a, 2 * j), load(b, 2 * j)
        a_1 = load(a, 2 * j + 1) if 2 * j + 1 < a.shape[0] else ZERO
        b_1 = load(b, 2 * j + 1)
        at_0 = fr_add(at_0, fr_mul(a_0, b_0))
        at_1 = fr_add(at_1, fr_mul(a_1, b_1))
        a_2 = fr_add(a_1, fr_sub(a_1, a_0))
        b_2 = fr_add(b_1, fr_sub(b_1, b_0))
        at_2 = fr_add(at_2, fr_mul(a_2, b_2))
    return at_0, at_1, at_2


def warm() -> None:
    """Compile every kernel of this module, or load it from the cache."""
    matrix = bind_columns(fr.from_ints([1, 2, 3, 4]).reshape(1, 4, 4), 5)
    even_and_odd_sum(matrix, 0)
    product_values(matrix[0], matrix[0])
    equality = halve_equality(fr.eq_table([7]))
    constraint_values(
        matrix, sample_program(folded=True), RowState.start(2), equality, np.ones(2, dtype=bool)
    )
