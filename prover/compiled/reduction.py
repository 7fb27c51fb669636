"""The second sumcheck on kernels: all column claims become one (protocol 3.4).

W_k and P_k are never written out. While a chip's row variables are bound, its columns appear only
as one weighted sum times the equality polynomial that they share, whose factor in the current
variable is split off; afterwards each column is a single cell of its chunk (`ChunkCells`).
"""

from collections.abc import Sequence

import numpy as np

from circuits.field import R
from prover.compiled.chunk_cells import ChunkCells
from prover.compiled.columns import ChipColumns
from prover.kernels.equality import SplitEquality
from prover.kernels.fold import columns_at, mix_columns
from prover.kernels.sumcheck import bind_rows, half_sums
from verifier.key import VerifyingKey


class KernelReduction:
    """Rounds of degree 2 over log_chunk variables."""

    def __init__(
        self,
        key: VerifyingKey,
        chips: Sequence[ChipColumns],
        point: Sequence[int],
        gamma: int,
    ) -> None:
        self._key = key
        self._chips = chips
        self._rho: list[int] = []
        self._cells = ChunkCells(key, gamma)
        self._mixed: list[np.ndarray] = []
        # Coordinates of the rows that are not bound yet, and the equality factor of the others.
        self._points: list[list[int]] = []
        self._scales = [1] * len(chips)
        first = 0
        for chip, columns in zip(key.chips, chips, strict=True):
            weights = self._cells.weights[first : first + chip.columns]
            first += chip.columns
            self._mixed.append(mix_columns(columns.places, columns.height, weights))
            self._points.append(list(point[key.rounds - chip.log_height :]))
        self._place_columns()

    def round_values(self) -> list[int]:
        totals = self._cells.round_values()
        for rows, coordinates, scale in zip(self._mixed, self._points, self._scales, strict=True):
            if coordinates and len(rows):
                x, *rest = coordinates
                even, odd = half_sums(rows, SplitEquality.of(rest))
                for t in range(3):
                    equality = scale * (1 - x + t * (2 * x - 1))
                    totals[t] += equality * (even + t * (odd - even))
        return [value % R for value in totals]

    def bind(self, challenge: int) -> None:
        for number, coordinates in enumerate(self._points):
            if coordinates:
                x = coordinates.pop(0)
                self._mixed[number] = bind_rows(self._mixed[number], challenge)
                factor = 1 - x + challenge * (2 * x - 1)
                self._scales[number] = self._scales[number] * factor % R
        self._cells.bind(challenge)
        self._rho.append(challenge)
        self._place_columns()

    def _place_columns(self) -> None:
        """Turn the columns of chips whose rows are all bound into single cells."""
        for number, chip in enumerate(self._key.chips):
            if chip.log_height == len(self._rho):
                columns = self._chips[number]
                values = columns_at(columns.places, columns.height, self._rho)
                self._cells.place(number, values, self._scales[number])
