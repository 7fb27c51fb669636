"""Tables filled by kernels are those that the chips fill, cell for cell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuits.air.check import check
from circuits.chips import signature
from circuits.chips.poseidon2 import trace_each
from circuits.chips.system import margin_system
from circuits.errors import ConstraintError
from circuits.field import R
from circuits.signature import account_key, sign
from circuits.witness.build import build
from circuits.witness.file import Witness
from prover.witness_fills import KERNEL_FILLS, fill_signatures, trace_permutations
from sequencer.batcher import Batch
from tests.support import exchange
from tests.support.batches import batch_of, rich_batch

REQUEST = (account_key(5), 17, sign(5, 17))


def both(batch: Batch) -> tuple[Witness, Witness]:
    parts = (batch.statement, batch.events, batch.touched_nodes)
    return build(*parts), build(*parts, fills=KERNEL_FILLS)


@pytest.mark.parametrize(
    "batch", [rich_batch, lambda: batch_of(exchange.deposit(1, 5))], ids=["rich", "unsigned"]
)
def test_witnesses_are_equal(batch: object) -> None:
    assert callable(batch)
    plain, filled = both(batch())
    assert (plain.statement, plain.shape_name) == (filled.statement, filled.shape_name)
    for expected, table in zip(plain.tables, filled.tables, strict=True):
        assert (expected.name, expected.height) == (table.name, table.height)
        for wanted, column in zip(expected.columns, table.columns, strict=True):
            assert (wanted.dtype, wanted.shape) == (column.dtype, column.shape)
            assert np.array_equal(wanted, column), table.name


def test_the_witness_satisfies_every_chip() -> None:
    batch = rich_batch()
    _, witness = both(batch)
    cells = {table.name: table.cells() for table in witness.tables}
    assert check(margin_system(), cells, witness.heights, batch.statement.words()) == []


def test_traces_are_those_of_the_chip() -> None:
    inputs = [(0, 0, 0, 0), (1, 2, 3, 4), (R - 1, R - 1, R - 1, R - 1)]
    outputs, columns = trace_permutations(inputs)
    expected_outputs, expected_columns = trace_each(inputs)
    assert outputs == expected_outputs
    found = [[int.from_bytes(cell.tobytes(), "little") for cell in column] for column in columns]
    assert found == expected_columns


def test_a_signature_that_does_not_hold_is_refused_alike() -> None:
    key, digest, sound = REQUEST
    requests = [REQUEST, (key, digest, replace(sound, s=sound.s + 1))]
    with pytest.raises(ConstraintError) as plain:
        signature.fill(requests)
    with pytest.raises(ConstraintError) as filled:
        fill_signatures(requests)
    assert str(filled.value) == str(plain.value)
    assert str(plain.value).startswith("signature 1: ")


def test_no_rows_stand_for_a_key_off_the_curve() -> None:
    _, digest, sound = REQUEST
    with pytest.raises(ConstraintError):
        fill_signatures([((0, 0), digest, sound)])
