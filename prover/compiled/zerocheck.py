"""The first sumcheck on kernels: constraints and bus sums of all chips (protocol 3.3).

A chip with fewer variables than the highest one sleeps in the first rounds: its part of the round
polynomial is then its total times the variable, as its constraints vanish on all rows. Awake, the
equality factor of the current variable is split off, so a chip is evaluated at as many points as
its own degree asks for; the value at 1 follows from the previous round.
"""

from collections.abc import Sequence

import numpy as np

from circuits.field import R
from prover.kernels import fr
from prover.kernels.sumcheck import (
    bind_columns,
    constraint_values,
    even_and_odd_sum,
    halve_equality,
    product_values,
)
from prover.kernels.tape import Program, RowState
from prover.rounds import extend, value_at


class ConstraintRounds:
    """sum over rows of equality * folded constraints, one variable after the other.

    Assumes: all constraints vanish on all rows, so the first claim is zero.
    """

    def __init__(self, program: Program, degree: int, tau_point: Sequence[int]) -> None:
        self._program = program
        self._tau = list(tau_point)
        self._equality = fr.eq_table(self._tau[1:])
        self._scale = 1
        self._claim = 0
        # In the first round the polynomial is zero at 0 and at 1: nothing to compute there.
        self._wanted = np.arange(max(degree, 1) + 1) > 1
        self._values: list[int] = []

    def values(self, matrix: np.ndarray, state: RowState, count: int) -> list[int]:
        """Values at 0 .. count - 1."""
        tau = self._tau[0]
        values = [0] * len(self._wanted)
        if self._wanted.any() and matrix.shape[1]:
            values = constraint_values(matrix, self._program, state, self._equality, self._wanted)
        # tau is a power of a challenge, so it is not zero.
        values[1] = (self._claim - (1 - tau) * values[0]) * pow(tau, -1, R) % R
        self._values = values
        equality = (self._scale * (1 - tau + t * (2 * tau - 1)) for t in range(count))
        return [a * b % R for a, b in zip(equality, extend(values, count), strict=True)]

    def bind(self, challenge: int) -> None:
        tau = self._tau.pop(0)
        self._claim = value_at(self._values, challenge)
        self._scale = self._scale * (1 - tau + challenge * (2 * tau - 1)) % R
        self._wanted[0] = True
        if self._tau:
            self._equality = halve_equality(self._equality)


class ChipRounds:
    """One chip's bracket: constraints, weighted helper sums, and the published words if any.

    Shape: matrix uint64[main + helper columns, height, 4], left unchanged.
    """

    def __init__(
        self,
        matrix: np.ndarray,
        main_columns: int,
        constraints: ConstraintRounds | None,
        sum_weight: int,
        word_powers: np.ndarray | None,
    ) -> None:
        self._matrix = matrix
        self._main_columns = main_columns
        self._constraints = constraints
        self._sum_weight = sum_weight
        self._word_powers = word_powers
        self._state = RowState.start(matrix.shape[1])

    def total(self) -> int:
        """Sum over all rows while nothing is bound; constraints add nothing to it."""
        total = self._sum_weight * sum(even_and_odd_sum(self._matrix, self._main_columns))
        if self._word_powers is not None:
            words = fr.inner_product(self._matrix[0], self._word_powers[: self._matrix.shape[1]])
            total += self._sum_weight**2 * words
        return total % R

    def values(self, count: int) -> list[int]:
        """Values at 0 .. count - 1."""
        even, odd = even_and_odd_sum(self._matrix, self._main_columns)
        values = [self._sum_weight * (even + t * (odd - even)) for t in range(count)]
        if self._constraints is not None:
            parts = self._constraints.values(self._matrix, self._state, count)
            values = [a + b for a, b in zip(values, parts, strict=True)]
        if self._word_powers is not None:
            parts = extend(product_values(self._matrix[0], self._word_powers), count)
            values = [a + self._sum_weight**2 * b for a, b in zip(values, parts, strict=True)]
        return [value % R for value in values]

    def bind(self, challenge: int) -> None:
        self._matrix = bind_columns(self._matrix, challenge)
        self._state = self._state.bind(challenge)
        if self._constraints is not None:
            self._constraints.bind(challenge)
        if self._word_powers is not None:
            self._word_powers = fr.fold(self._word_powers, challenge)

    def evaluations(self) -> list[int]:
        """All column values, once every variable is bound."""
        columns, rows = self._matrix.shape[:2]
        if not rows:
            return [0] * columns
        return fr.to_ints(np.ascontiguousarray(self._matrix[:, 0]))


class KernelZerocheck:
    """All chips; `missing[c]` is how many rounds chip c sleeps."""

    def __init__(self, chips: Sequence[ChipRounds], missing: Sequence[int], degree: int) -> None:
        self._chips = chips
        self._missing = missing
        self._degree = degree
        self._totals = [
            chip.total() if rounds else 0 for chip, rounds in zip(chips, missing, strict=True)
        ]
        self._factors = [1] * len(chips)
        self._round = 0

    def round_values(self) -> list[int]:
        totals = [0] * (self._degree + 1)
        for number, chip in enumerate(self._chips):
            if self._round < self._missing[number]:
                values = [t * self._totals[number] for t in range(self._degree + 1)]
            else:
                values = chip.values(self._degree + 1)
            factor = self._factors[number]
            totals = [a + factor * b for a, b in zip(totals, values, strict=True)]
        return [value % R for value in totals]

    def bind(self, challenge: int) -> None:
        for number, chip in enumerate(self._chips):
            if self._round < self._missing[number]:
                self._factors[number] = self._factors[number] * challenge % R
            else:
                chip.bind(challenge)
        self._round += 1

    def evaluations(self) -> list[int]:
        return [value for chip in self._chips for value in chip.evaluations()]
