import pytest

from circuits.air.check import check
from circuits.air.shape import Shape
from circuits.chips.system import SHAPE_M, SHAPE_S, margin_system
from circuits.errors import WitnessError
from circuits.witness.build import build
from tests.support import exchange
from tests.support.batches import batch_of, rich_batch, rich_forgery


def test_the_witness_of_a_batch_satisfies_every_chip() -> None:
    batch = rich_batch()
    witness = build(batch.statement, batch.events, batch.touched_nodes)
    assert witness.statement == batch.statement
    assert witness.shape_name == "S"
    assert [table.name for table in witness.tables] == [chip.name for chip in margin_system().chips]
    cells = {table.name: table.cells() for table in witness.tables}
    assert check(margin_system(), cells, witness.heights, batch.statement.words()) == []
    forged = {name: rich_forgery().cells[name] for name in cells}
    assert {name: len(each[0]) for name, each in forged.items()} == witness.heights


def test_look_up_tables_share_equal_rows() -> None:
    """Ten commands of one account: its identity is hashed once."""
    bodies = [exchange.withdraw(1, nonce, 1) for nonce in range(1, 11)]
    batch = batch_of(*bodies, state=exchange.funded(1))
    witness = build(batch.statement, batch.events, batch.touched_nodes)
    tree_hashes = 2 * witness.heights["tree"]
    leaves, identities, digests, challenges = 2, 1, 10, 20
    assert witness.heights["poseidon2"] == (
        tree_hashes + leaves + identities + digests + challenges
    )


def test_a_larger_shape_may_be_asked_for() -> None:
    batch = rich_batch()
    assert build(batch.statement, batch.events, batch.touched_nodes, SHAPE_M).shape_name == "M"


def test_a_batch_beyond_its_shape_names_chip_capacity_and_rows() -> None:
    batch = rich_batch()
    heights = tuple(
        (name, 4 if name == "tree" else log_height) for name, log_height in SHAPE_S.log_heights
    )
    tiny = Shape("tiny", heights, SHAPE_S.log_chunk)
    with pytest.raises(WitnessError) as caught:
        build(batch.statement, batch.events, batch.touched_nodes, tiny)
    rows = len(batch.touched_nodes)
    assert str(caught.value) == (
        f"batch 1: chip tree: expected at most 16 rows in shape tiny, got {rows}"
    )
