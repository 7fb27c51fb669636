"""The venue's core with orders: the index behind it, and batches that no chip proves yet."""

from __future__ import annotations

import pytest

from circuits.air.shape import Shape
from circuits.chips.system import SHAPE_S
from circuits.exchange.apply import Command, Receipt, apply_batch
from circuits.exchange.commit import build_tree
from circuits.exchange.leaves import Side
from circuits.exchange.transactions.set_mode import SetMode
from sequencer.batcher import GENESIS
from sequencer.engine import Engine
from sequencer.errors import BatchError
from tests.support.distress import order
from tests.support.exchange import deposit
from tests.support.listed import ALICE, BOB, accept_all, listed, tick

EPOCH = 6


def traded(engine: Engine) -> list[Receipt]:
    """Orders that rest, fill and leave, in an exchange whose signatures all hold."""
    receipts = []
    for body in (
        tick(1000, 1000, 1000, time_ms=engine.state.time_ms),
        order(engine.state, ALICE, Side.BID, 990, 5),
        order(engine.state, BOB, Side.ASK, 1010, 5),
    ):
        receipts.append(engine.handle(Command(engine.state.time_ms, body), accept_all))
    for account, side, price in ((ALICE, Side.ASK, 1010), (BOB, Side.BID, 1010), (ALICE, 0, 990)):
        body = order(engine.state, account, side, price, 3)
        receipts.append(engine.handle(Command(engine.state.time_ms, body), accept_all))
    receipts.append(engine.handle(Command(engine.state.time_ms, SetMode(1)), accept_all))
    assert all(receipt.is_accepted for receipt in receipts)
    return receipts


def trading_engine(shape: Shape | None = None) -> Engine:
    state = listed()
    engine = Engine.resume(state, build_tree(state), GENESIS, EPOCH, 99)
    engine.shape = shape
    return engine


def test_a_batch_with_a_command_that_no_chip_proves_has_no_statement() -> None:
    engine = trading_engine()
    traded(engine)
    assert engine.queue_cursor == 1
    batch = engine.seal()
    assert batch.statement is None
    assert batch.number == 1
    assert (batch.new_root, engine.queue_cursor) == (engine.root, batch.after.queue_cursor)
    assert batch.new_root == build_tree(batch.state).root
    with pytest.raises(BatchError) as caught:
        batch.to_prove()
    assert str(caught.value) == (
        "batch 1: step 1: expected a deposit, register_key, transfer or withdraw, "
        "got oracle_tick, which no chip proves yet"
    )
    # The guide that the rules have without an index leads to the same state.
    assert apply_batch(batch.previous_state, batch.commands, verify=accept_all) == batch.state


def test_the_index_goes_on_after_a_restart() -> None:
    engine = trading_engine()
    traded(engine)
    engine.seal()
    resumed = Engine.resume(engine.state, build_tree(engine.state), engine.position, EPOCH, 99)
    for each in (engine, resumed):
        body = order(each.state, BOB, Side.ASK, 990, 9, reduce_only=1)
        assert each.handle(Command(each.state.time_ms, body), accept_all).rejected is None
    assert engine.state == resumed.state


def test_rows_are_counted_only_while_the_batch_can_be_proven() -> None:
    heights = dict(SHAPE_S.log_heights)
    small = Shape("small", tuple((heights | {"poseidon2": 7}).items()), SHAPE_S.log_chunk)
    engine = trading_engine(small)
    count = 0
    while not engine.is_seal_due:
        count += 1
        engine.handle(Command(engine.state.time_ms, deposit(20 + count, 5)))
    assert 0 < count < 6
    engine.seal()
    traded(engine)
    for account in (ALICE, *range(20, 26)):
        engine.handle(Command(engine.state.time_ms, deposit(account, 5)))
        assert not engine.is_seal_due
    assert engine.seal().statement is None
    # An account with more than cash cannot be proven either.
    for account in (ALICE, *range(20, 26)):
        engine.handle(Command(engine.state.time_ms, deposit(account, 5)))
        assert not engine.is_seal_due
