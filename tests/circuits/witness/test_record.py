import pytest

from circuits.chips.trace import Header
from circuits.errors import ConstraintError
from circuits.exchange.commit import header_leaf
from circuits.exchange.events import Outcome
from circuits.witness.record import Recorder, accesses, make_trace
from tests.support import exchange
from tests.support.batches import batch_of, rich_batch


def test_a_recorder_keeps_the_events_in_order() -> None:
    recorder = Recorder()
    for event in rich_batch().events:
        recorder.record(event)
    assert tuple(recorder.events) == rich_batch().events


def test_a_refused_key_touches_no_account() -> None:
    (event,) = batch_of(exchange.register(1, exchange.OFF_CURVE)).events
    assert event.outcome is Outcome.INVALID_KEY
    assert accesses(event) == ()


def test_a_transfer_touches_sender_and_recipient() -> None:
    (event,) = batch_of(exchange.transfer(1, 1, 2, 5), state=exchange.funded(2)).events
    assert [account for account, _, _ in accesses(event)] == [1, 2]


def test_leaves_are_read_off_the_tree() -> None:
    batch = rich_batch()
    trace = make_trace(batch.statement, batch.events, batch.touched_nodes)
    for each in trace.accounts:
        assert each.new_leaf == header_leaf(*each.after)
        existed = each.before != Header(0, 0, 0)
        assert each.old_leaf == (header_leaf(*each.before) if existed else 0)


def test_a_missing_tree_node_is_named() -> None:
    batch = rich_batch()
    with pytest.raises(ConstraintError) as caught:
        make_trace(batch.statement, batch.events, batch.touched_nodes[:-1])
    assert str(caught.value) == ("tree node (1, 64): expected a node above account 4, got none")
