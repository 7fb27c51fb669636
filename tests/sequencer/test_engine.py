"""The venue's core: receipts, seals, statements, and replay of what it sealed."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from circuits.air.shape import Shape
from circuits.chips.system import SHAPE_S, fits
from circuits.exchange.apply import Command, Receipt, apply_batch
from circuits.exchange.bodies import Body
from circuits.exchange.codec import encode_command
from circuits.exchange.commit import build_tree
from circuits.exchange.errors import QueueGuaranteeBroken, RejectReason
from circuits.exchange.pubdata_reader import published_of
from circuits.exchange.region import AccountRegion
from circuits.exchange.transactions.deposit import Deposit
from circuits.merkle import default_root
from circuits.statement import PUBLIC_WORDS
from circuits.witness.demand import RowDemand
from sequencer.batcher import Batch, Batcher
from sequencer.engine import Engine, run_commands
from sequencer.errors import BatchError
from sequencer.hash_chains import extend_journal, extend_queue_chain, public_word
from tests.support.exchange import (
    DOMAIN,
    OFF_CURVE,
    Events,
    applied,
    deposit,
    funded,
    register,
    transfer,
    tried,
    withdraw,
)

EPOCH = 6
BODIES: list[Body] = [
    register(1),
    deposit(1, 50),
    register(2, OFF_CURVE),
    deposit(2, 8),
    transfer(1, 1, 2, 10),
    transfer(1, 1, 2, 10),
    register(3, OFF_CURVE),
    withdraw(1, 3, 40),
    withdraw(1, 4, 1),
    register(2),
    transfer(2, 1, 1, 18),
]
COMMANDS = [Command(10 * number, body) for number, body in enumerate(BODIES, 1)]


def run(commands: list[Command], batch_commands_max: int) -> tuple[list[Receipt], list[Batch]]:
    outputs = list(run_commands(Engine(DOMAIN, EPOCH, batch_commands_max), commands))
    receipts = [output for output in outputs if isinstance(output, Receipt)]
    return receipts, [output for output in outputs if isinstance(output, Batch)]


def test_batches_hold_accepted_commands_only() -> None:
    receipts, batches = run(COMMANDS, 4)
    assert [receipt.command for receipt in receipts] == COMMANDS
    refused = {
        number: receipt.rejected.reason
        for number, receipt in enumerate(receipts, 1)
        if receipt.rejected
    }
    assert refused == {
        6: RejectReason.NONCE_NOT_INCREASING,
        9: RejectReason.INSUFFICIENT_MARGIN,
    }
    accepted = [command for number, command in enumerate(COMMANDS, 1) if number not in refused]
    assert [len(batch.commands) for batch in batches] == [4, 4, 1]
    assert [command for batch in batches for command in batch.commands] == accepted


def test_statement_of_the_second_batch() -> None:
    _, batches = run(COMMANDS, 4)
    first, second = batches[0], batches[1]
    queue_chain, journal = 0, 0
    for request in (*first.published.requests, *second.published.requests):
        queue_chain = extend_queue_chain(queue_chain, request)
    for command in (*first.commands, *second.commands):
        journal = extend_journal(journal, command)
    root = build_tree(second.state)
    expected = {
        "domain": DOMAIN,
        "batch_number": 2,
        "sequencer_epoch": EPOCH,
        "old_root": first.new_root,
        "new_root": root.root,
        "root_accounts": root.region_roots()[0],
        "root_markets": default_root(15),
        "root_books": default_root(15),
        "root_system": default_root(15),
        "time_first_ms": 50,
        "time_last_ms": 100,
        "queue_cursor_before": 4,
        "queue_hash": public_word(queue_chain),
        "journal_head": public_word(journal),
        "command_count": 4,
        "queue_count": 2,
        "withdrawal_count": 1,
        "account_count": 2,
        "deposit_total": 0,
        "withdrawal_total": 40,
    }
    assert {name: getattr(second.statement, name) for name in PUBLIC_WORDS} == expected
    assert second.statement.pubdata == second.published.words
    assert second.number == 2


def test_the_journal_head_follows_every_accepted_command() -> None:
    engine, head = Engine(DOMAIN, EPOCH, 99), 0
    for number, command in enumerate(COMMANDS):
        encoded = encode_command(command) if number % 2 else None
        if engine.handle(command, encoded=encoded).is_accepted:
            head = extend_journal(head, command)
        assert engine.journal_head == head
        assert engine.position.journal_head == 0
    assert engine.seal().after.journal_head == engine.position.journal_head == head
    assert engine.journal_head == head


def test_batches_continue_one_another() -> None:
    _, batches = run(COMMANDS, 2)
    assert batches[0].statement.old_root == default_root(16)
    for earlier, later in pairwise(batches):
        assert later.number == earlier.number + 1
        assert later.before == earlier.after
        assert later.statement.old_root == earlier.new_root == later.previous_tree.root
        assert later.previous_state == earlier.state.at_batch_start()
        assert later.statement.time_first_ms >= earlier.statement.time_last_ms


@pytest.mark.parametrize("batch_commands_max", [1, 3, 100])
def test_the_final_root_does_not_depend_on_where_batches_end(batch_commands_max: int) -> None:
    _, batches = run(COMMANDS, batch_commands_max)
    assert batches[-1].new_root == run(COMMANDS, 4)[1][-1].new_root
    assert batches[-1].after.queue_chain == run(COMMANDS, 4)[1][-1].after.queue_chain


def test_a_sealed_batch_replays_to_its_state_and_events() -> None:
    for batch in run(COMMANDS, 4)[1]:
        observer = Events()
        assert apply_batch(batch.previous_state, batch.commands, observer) == batch.state
        assert tuple(observer.events) == batch.events
        assert [event.step for event in batch.events] == list(range(1, len(batch.commands) + 1))


def test_touched_nodes_lead_from_the_old_root_to_the_new() -> None:
    _, batches = run(COMMANDS, 4)
    for batch in batches:
        top = batch.touched_nodes[0]
        assert (top.level, top.old_hash, top.new_hash) == (
            16,
            batch.statement.old_root,
            batch.new_root,
        )


def test_a_batch_of_one_refused_key_leaves_the_root() -> None:
    (batch,) = run([Command(1, register(1, OFF_CURVE))], 1)[1]
    assert batch.touched_nodes == ()
    assert batch.statement.old_root == batch.new_root
    assert (batch.statement.queue_count, batch.statement.account_count) == (1, 0)


def test_accounts_rebuild_from_the_statements_alone() -> None:
    _, batches = run(COMMANDS, 3)
    region = AccountRegion()
    for batch in batches:
        region.take(published_of(batch.statement))
    assert region.root == batches[-1].statement.root_accounts
    totals = [batch.statement for batch in batches]
    custody = sum(batch.deposit_total - batch.withdrawal_total for batch in totals)
    assert sum(account.cash for account in region.accounts.values()) == custody * 10**12


def test_a_full_batch_takes_nothing_more() -> None:
    engine = Engine(DOMAIN, EPOCH, 1)
    engine.handle(COMMANDS[0])
    assert engine.is_seal_due
    with pytest.raises(BatchError) as caught:
        engine.handle(COMMANDS[1])
    assert str(caught.value) == (
        "open batch: expected a seal before the next command, got a full batch"
    )
    root_before = engine.root
    assert engine.seal().new_root == engine.root != root_before
    assert engine.handle(COMMANDS[1]).is_accepted
    assert engine.open_count == 1


def test_a_batch_is_full_before_its_rows_outgrow_the_shape() -> None:
    heights = dict(SHAPE_S.log_heights)
    small = Shape("small", tuple((heights | {"poseidon2": 7}).items()), SHAPE_S.log_chunk)
    engine = Engine(DOMAIN, EPOCH, 99, small)
    batches = [each for each in run_commands(engine, COMMANDS) if isinstance(each, Batch)]
    assert len(batches) > 1
    for batch in batches:
        demand = RowDemand()
        for event in batch.events:
            demand.add(event)
        assert fits(demand.rows(), small)
    _, (whole,) = run(COMMANDS, 99)
    assert whole.new_root == batches[-1].new_root


def test_an_empty_batch_is_not_sealed() -> None:
    with pytest.raises(BatchError) as caught:
        Engine(DOMAIN, EPOCH, 1).seal()
    assert str(caught.value) == "open batch: expected at least one accepted command, got none"


def test_a_batch_needs_room() -> None:
    with pytest.raises(BatchError) as caught:
        Engine(DOMAIN, EPOCH, 0)
    assert str(caught.value) == "commands per batch: expected at least 1, got 0"


def test_a_refused_receipt_is_not_taken() -> None:
    state = funded()
    receipt = tried(state, transfer(1, 1, 1, 1))
    with pytest.raises(BatchError) as caught:
        Batcher(EPOCH, state, build_tree(state)).add(receipt)
    assert str(caught.value) == (
        "receipt: expected an accepted command, got "
        "transfer_to_self: expected another account, got the sender 1"
    )


def test_a_broken_queue_stops_the_engine_and_leaves_its_state() -> None:
    engine = Engine(DOMAIN, EPOCH, 9)
    engine.handle(COMMANDS[1])
    state = engine.state
    with pytest.raises(QueueGuaranteeBroken):
        engine.handle(Command(20, Deposit(1, 5, 5)))
    assert engine.state is state
    assert engine.open_count == 1


def test_a_batcher_can_start_anywhere() -> None:
    state = funded()
    _, batches = run(COMMANDS, 4)
    batcher = Batcher(EPOCH, state, build_tree(state), batches[1].after)
    batcher.add(tried(state, transfer(1, 1, 2, 5)))
    batch = batcher.seal()
    assert batch.number == 3
    assert batch.statement.queue_cursor_before == 6
    assert batch.state == replace(applied(state, transfer(1, 1, 2, 5)), step=state.step + 1)


@pytest.mark.parametrize("time_ms", [0, 9])
def test_a_command_from_the_past_is_refused(time_ms: int) -> None:
    engine = Engine(DOMAIN, EPOCH, 9)
    engine.handle(Command(10, deposit(1, 5)))
    receipt = engine.handle(Command(time_ms, deposit(1, 5)))
    assert receipt.rejected.reason is RejectReason.TIME_BACKWARDS
    assert engine.handle(Command(10, deposit(1, 5))).is_accepted


def test_a_batch_waits_no_longer_than_it_may() -> None:
    engine = Engine(DOMAIN, EPOCH, 99)
    assert not engine.is_seal_overdue(10**9)
    engine.batch_age_max_ms = 25
    assert not engine.is_seal_overdue(10**9)
    batches = [each for each in run_commands(engine, COMMANDS) if isinstance(each, Batch)]
    assert [[command.time_ms for command in batch.commands] for batch in batches] == [
        [10, 20, 30],
        [40, 50],
        [70, 80],
        [100, 110],
    ]
    engine.handle(Command(200, deposit(1, 5)))
    assert engine.seal_if_due(224) is None
    batch = engine.seal_if_due(225)
    assert batch is not None
    assert len(batch.commands) == 1
