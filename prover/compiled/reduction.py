"""The second sumcheck on kernels: all column claims become one (protocol 3.4).

W_k and P_k are never written out. While a chip's row variables are bound, its columns appear only
as one weighted sum times the equality table that they share; afterwards each column is a single
cell of its chunk, and a few hundred cells are bound as plain integers.
"""

from collections.abc import Sequence

from circuits.field import R
from prover.compiled.columns import ChipColumns
from prover.kernels import fr
from prover.kernels.fold import columns_at, mix_columns
from prover.kernels.sumcheck import bind_rows, product_values
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
        self._mixed, self._equality = [], []
        first = 0
        for chip, columns in zip(key.chips, chips, strict=True):
            weights = self._weights[first : first + chip.columns]
            first += chip.columns
            self._mixed.append(mix_columns(columns.places, columns.height, weights))
            self._equality.append(fr.eq_table(point[key.rounds - chip.log_height :]))
        self._place_columns()

    def round_values(self) -> list[int]:
        totals = [0, 0, 0]
        for number, chip in enumerate(self._key.chips):
            if chip.log_height > len(self._rho) and len(self._mixed[number]):
                values = product_values(self._mixed[number], self._equality[number])
                totals = [a + b for a, b in zip(totals, values, strict=True)]
        for cells in self._cells:
            for block in {index >> 1 for index in cells}:
                p_0, w_0 = cells.get(2 * block, _ABSENT)
                p_1, w_1 = cells.get(2 * block + 1, _ABSENT)
                totals[0] += p_0 * w_0
                totals[1] += p_1 * w_1
                totals[2] += (2 * p_1 - p_0) * (2 * w_1 - w_0)
        return [value % R for value in totals]

    def bind(self, challenge: int) -> None:
        for number, chip in enumerate(self._key.chips):
            if chip.log_height > len(self._rho):
                self._mixed[number] = bind_rows(self._mixed[number], challenge)
                self._equality[number] = fr.fold(self._equality[number], challenge)
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
        equality = {number: fr.to_ints(self._equality[number])[0] for number in values}
        for weight, piece in zip(self._weights, self._key.layout.pieces, strict=True):
            if piece.chip in values:
                self._cells[piece.chunk][piece.offset >> log_height] = (
                    values[piece.chip][piece.column], weight * equality[piece.chip] % R
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
