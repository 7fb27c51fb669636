"""Columns that are down to one cell of their chunk, bound as plain integers (protocol 3.4)."""

from collections.abc import Sequence

from circuits.field import R
from verifier.key import VerifyingKey

# (cell of P_k, cell of W_k); a missing cell is (0, 0).
Cell = tuple[int, int]
_ABSENT: Cell = (0, 0)


class ChunkCells:
    """The bound rest of the second sumcheck: sum over chunks and cells of P_k times W_k.

    `weights` are those of all columns, chips in order: the powers of gamma.
    """

    def __init__(self, key: VerifyingKey, gamma: int) -> None:
        self._pieces = key.layout.pieces
        self.weights = [pow(gamma, number, R) for number in range(key.columns)]
        self._cells: list[dict[int, Cell]] = [{} for _ in range(key.layout.chunks)]

    def place(self, chip: int, values: Sequence[int], equality: int) -> None:
        """Put down all columns of a chip whose rows are now bound.

        `values` are its columns at the bound point, `equality` the table that they share there.
        """
        for weight, piece in zip(self.weights, self._pieces, strict=True):
            if piece.chip == chip:
                self._cells[piece.chunk][piece.offset >> piece.log_height] = (
                    values[piece.column], weight * equality % R
                )  # fmt: skip

    def round_values(self) -> list[int]:
        """Values at 0, 1 and 2 of this round's polynomial."""
        totals = [0, 0, 0]
        for cells in self._cells:
            for block in {index >> 1 for index in cells}:
                p_0, w_0 = cells.get(2 * block, _ABSENT)
                p_1, w_1 = cells.get(2 * block + 1, _ABSENT)
                totals[0] += p_0 * w_0
                totals[1] += p_1 * w_1
                totals[2] += (2 * p_1 - p_0) * (2 * w_1 - w_0)
        return [value % R for value in totals]

    def bind(self, challenge: int) -> None:
        """Fix the lowest remaining variable."""
        self._cells = [_bind_cells(cells, challenge) for cells in self._cells]


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
