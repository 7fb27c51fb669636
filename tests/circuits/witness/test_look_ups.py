"""Packed look-ups against those counted tuple by tuple, in the same order."""

from __future__ import annotations

import numpy as np
import pytest

from circuits.air.builder import RANGE16
from circuits.chips import range16
from circuits.chips.buses import HASH, WIDE
from circuits.chips.system import margin_system
from circuits.errors import ConstraintError
from circuits.witness.build import fill_cells
from circuits.witness.look_ups import LookUps, look_ups, range_counts, rows_as_bytes
from circuits.witness.table import CellColumns, CellLists, integers
from sequencer.batcher import Batch
from tests.support import exchange
from tests.support.batches import batch_of, rich_batch, trace_of
from tests.support.look_ups import demand

BATCHES = {
    "rich": rich_batch,
    "unsigned": lambda: batch_of(exchange.deposit(1, 5)),
    "refused": lambda: batch_of(exchange.register(1, exchange.OFF_CURVE)),
}
TABLES = ("poseidon2", "wide", "range16")


def cells_of(batch: Batch) -> tuple[dict[str, CellColumns], dict[str, CellLists]]:
    """Cells of all chips but the look-up tables, typed and as integers."""
    filled = fill_cells(trace_of(batch), batch.to_prove().words())
    typed = {name: columns for name, columns in filled.items() if name not in TABLES}
    lists = {name: [integers(each) for each in columns] for name, columns in typed.items()}
    return typed, lists


@pytest.mark.parametrize("name", BATCHES)
def test_every_table_is_asked_the_same(name: str) -> None:
    batch = BATCHES[name]()
    words = batch.to_prove().words()
    typed, lists = cells_of(batch)
    for bus in (HASH, WIDE):
        found = look_ups(margin_system(), bus, typed, words)
        expected = demand(bus, lists, words)
        assert list(found.as_mapping().items()) == list(expected.items()), bus.name
        assert found.words.shape == (len(expected), bus.arity, 4)
    counts = np.zeros(range16.HEIGHT, dtype=np.uint32)
    for (value,), count in demand(RANGE16, lists, words).items():
        counts[value] += count
    assert np.array_equal(range_counts(margin_system(), typed, words), counts)


def test_a_number_that_the_range_table_lacks_is_refused() -> None:
    typed, _ = cells_of(rich_batch())
    columns = margin_system().chip("leaf").columns
    gap = next(number for number, each in enumerate(columns) if each.name == "gap.0")
    leaf = list(typed["leaf"])
    leaf[gap] = leaf[gap].astype(np.uint32)
    leaf[gap][1] = 2**16
    with pytest.raises(ConstraintError) as caught:
        range_counts(margin_system(), typed | {"leaf": tuple(leaf)}, rich_batch().statement.words())
    assert str(caught.value) == "range16 look-up: expected a number below 65536, got 65536"


def test_counts_by_tuples() -> None:
    words = np.zeros((2, 2, 4), dtype=np.uint64)
    words[0, 1] = [5, 0, 0, 1]
    words[1, 0, 0] = 7
    assert LookUps(words, np.array([3, 4])).as_mapping() == {(0, 2**192 + 5): 3, (7, 0): 4}


def test_rows_are_told_apart_by_every_byte() -> None:
    rows = np.zeros((3, 2, 4), dtype=np.uint64)
    rows[1, 1, 3] = np.uint64(1 << 63)
    keys = rows_as_bytes(rows)
    assert keys[0] == keys[2] == bytes(64)
    assert keys[1] == rows[1].tobytes()
    assert rows_as_bytes(rows[:0]) == []
