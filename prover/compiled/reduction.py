"""The second sumcheck on kernels: all column claims become one (protocol 3.4).

W_k and P_k are never written out. While a chip's row variables are bound, its columns appear only
as one weighted sum times the equality table that they share; afterwards each column is a single
cell of its chunk (`ChunkCells`).
"""

from collections.abc import Sequence

from circuits.field import R
from prover.compiled.chunk_cells import ChunkCells
from prover.compiled.columns import ChipColumns
from prover.kernels import fr
from prover.kernels.fold import columns_at, mix_columns
from prover.kernels.sumcheck import bind_rows, product_values
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
        self._mixed, self._equality = [], []
        first = 0
        for chip, columns in zip(key.chips, chips, strict=True):
            weights = self._cells.weights[first : first + chip.columns]
            first += chip.columns
            self._mixed.append(mix_columns(columns.places, columns.height, weights))
            self._equality.append(fr.eq_table(point[key.rounds - chip.log_height :]))
        self._place_columns()

    def round_values(self) -> list[int]:
        totals = self._cells.round_values()
        for number, chip in enumerate(self._key.chips):
            if chip.log_height > len(self._rho) and len(self._mixed[number]):
                values = product_values(self._mixed[number], self._equality[number])
                totals = [a + b for a, b in zip(totals, values, strict=True)]
        return [value % R for value in totals]

    def bind(self, challenge: int) -> None:
        for number, chip in enumerate(self._key.chips):
            if chip.log_height > len(self._rho):
                self._mixed[number] = bind_rows(self._mixed[number], challenge)
                self._equality[number] = fr.fold(self._equality[number], challenge)
        self._cells.bind(challenge)
        self._rho.append(challenge)
        self._place_columns()

    def _place_columns(self) -> None:
        """Turn the columns of chips whose rows are all bound into single cells."""
        for number, chip in enumerate(self._key.chips):
            if chip.log_height == len(self._rho):
                columns = self._chips[number]
                values = columns_at(columns.places, columns.height, self._rho)
                self._cells.place(number, values, fr.to_ints(self._equality[number])[0])
