"""The second sumcheck on kernels: all column claims become one (protocol 3.4).

W_k and P_k are never written out. While a chip's row variables are bound, its columns appear only
as one weighted sum times the equality polynomial that they share, whose factor in the current
variable is split off; afterwards each column is a single cell of its chunk, and a few hundred
cells are bound as plain integers.
"""

from collections.abc import Sequence

import numpy as np

from circuits.field import R
from prover.compiled.columns import ChipColumns
from prover.kernels.equality import SplitEquality
from prover.kernels.fold import columns_at, mix_columns
from prover.kernels.sumcheck import bind_rows, half_sums
from verifier.key import VerifyingKey

# (cell of P_k, cell of W_k); a missing cell is (0, 0).
Cell = tuple[int, int]
_ABSENT: Cell = (0, 0)


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
        self._weights = [pow(gamma, number, R) for number in range(key.columns)]
        self._cells: list[dict[int, Cell]] = [{} for _ in range(key.layout.chunks)]
        self._mixed: list[np.ndarray] = []
        # Coordinates of the rows that are not bound yet, and the equality factor of the others.
        self._points: list[list[int]] = []
        self._scales = [1] * len(chips)
        first = 0
        for chip, columns in zip(key.chips, chips, strict=True):
            weights = self._weights[first : first + chip.columns]
            first += chip.columns
            self._mixed.append(mix_columns(columns.places, columns.height, weights))
            self._points.append(list(point[key.rounds - chip.log_height :]))
        self._place_columns()

    def round_values(self) -> list[int]:
        totals = [0, 0, 0]
        for rows, coordinates, scale in zip(self._mixed, self._points, self._scales, strict=True):
            if coordinates and len(rows):
                x, *rest = coordinates
                even, odd = half_sums(rows, SplitEquality.of(rest))
                for t in range(3):
                    equality = scale * (1 - x + t * (2 * x - 1))
                    totals[t] += equality * (even + t * (odd - even))
        for cells in self._cells:
            for block in {index >> 1 for index in cells}:
                p_0, w_0 = cells.get(2 * block, _ABSENT)
                p_1, w_1 = cells.get(2 * block + 1, _ABSENT)
                totals[0] += p_0 * w_0
                totals[1] += p_1 * w_1
                totals[2] += (2 * p_1 - p_0) * (2 * w_1 - w_0)
        return [value % R for value in totals]

    def bind(self, challenge: int) -> None:
        for number, coordinates in enumerate(self._points):
            if coordinates:
                x = coordinates.pop(0)
                self._mixed[number] = bind_rows(self._mixed[number], challenge)
                factor = 1 - x + challenge * (2 * x - 1)
                self._scales[number] = self._scales[number] * factor % R
        self._cells = [_bind_cells(cells, challenge) for cells in self._cells]
        self._rho.append(challenge)
        self._place_columns()

    def _place_columns(self) -> None:
        """Turn the columns of chips whose rows are all bound into single cells."""
        log_height = len(self._rho)
        values: dict[int, list[int]] = {}
        for number, chip in enumerate(self._key.chips):
            if chip.log_height == log_height:
                columns = self._chips[number]
                values[number] = columns_at(columns.places, columns.height, self._rho)
        for weight, piece in zip(self._weights, self._key.layout.pieces, strict=True):
            if piece.chip in values:
                self._cells[piece.chunk][piece.offset >> log_height] = (
                    values[piece.chip][piece.column], weight * self._scales[piece.chip] % R
                )  # fmt: skip


def _bind_cells(cells: dict[int, Cell], challenge: int) -> dict[int, Cell]:
    bound = {}
    for block in {index >> 1 for index in cells}:
        p_0, w_0 = cells.get(2 * block, _ABSENT)
        p_1, w_1 = cells.get(2 * block + 1, _ABSENT)
        bound[block] = (
            (p_0 + challenge * (p_1 - p_0)) % R,
            (w_0 + challenge * (w_1 - w_0)) % R,
        )
    return bound
