import pytest

from circuits.air.check import check
from circuits.air.shape import Shape
from circuits.chips.system import SHAPE_M, SHAPE_S, margin_system
from circuits.errors import WitnessError
from circuits.exchange.transactions.cancel_all import CancelAll
from circuits.witness.build import build
from tests.support import exchange
from tests.support.batches import batch_of, rich_batch, rich_forgery
from tests.support.exchange import signed
from tests.support.leaves import executed


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
    leaves, identities, digests, challenges = 2, 1, 10, 10
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


def test_a_command_that_no_chip_proves_is_named() -> None:
    batch = rich_batch()
    event, _ = executed(batch.state, {}, signed(CancelAll(1, 9, 9, 0)))
    events = [*batch.events, event]
    with pytest.raises(WitnessError) as caught:
        build(batch.statement, events, batch.touched_nodes)
    assert str(caught.value) == (
        f"batch 1: step {len(events)}: expected a deposit, register_key, transfer or withdraw, "
        "got cancel_all, which no chip proves yet"
    )


def test_an_account_with_more_than_cash_is_named() -> None:
    state = exchange.funded(2)
    busy = state.accounts.get(2)._replace(orders=1)
    batch = batch_of(
        exchange.deposit(1, 5), exchange.transfer(1, 1, 2, 5), state=state.with_account(2, busy)
    )
    assert batch.statement is None
    with pytest.raises(WitnessError) as caught:
        build(rich_batch().statement, batch.events, batch.touched_nodes)
    assert str(caught.value) == (
        "batch 1: step 2: expected accounts with nothing but cash, "
        "got account 2 with more, which no chip proves yet"
    )
