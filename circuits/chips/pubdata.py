"""Published words: the one table that the contract reads, as calldata."""

from typing import Any

from circuits.air.builder import Builder
from circuits.air.chip import Chip
from circuits.air.columns import Columns, Field
from circuits.air.expr import ROW
from circuits.chips.buses import PUBLISHED
from circuits.chips.trace import Trace


class PubdataChip(Chip):
    """One published word, at the index of its row.

    Soundness: every row takes the word of its own index from the chip that published it, so the
    column is what the chips say, in their order. The verifier sets the height to the number of
    words in the statement and ties the column to the calldata words.
    """

    name = "pubdata"

    class Cols(Columns):
        word: Field

    def constrain(self, c: Any, b: Builder) -> None:
        b.receive(PUBLISHED, ROW, c.word)


def fill(trace: Trace) -> dict[str, Any]:
    """One row per word of the statement."""
    return {"word": list(trace.statement.pubdata)}
