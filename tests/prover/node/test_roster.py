"""Who works on a store, and who shall stop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from prover.node.errors import NodeNotFound, StoreDraining
from prover.node.jobs import JobState
from prover.node.roster import FORGOTTEN_MS, SILENT_MS, Lease, NodeRecord, Roster
from tests.support.job_stores import LEASE_MS, proof_of, store_with

ONE, TWO = NodeRecord("one", 1, 1), NodeRecord("two", 2, 2)


def test_a_beat_shows_the_node_and_prolongs_its_lease(tmp_path: Path) -> None:
    store = store_with(tmp_path, 2)
    roster = Roster(store)
    roster.join(ONE)
    job = store.lease("one", 0, LEASE_MS)
    assert job is not None
    lease = Lease(job.id, job.token, LEASE_MS)
    busy = replace(ONE, seen_ms=500, job_id=job.id, batch_number=1, stage="commit")
    orders = roster.beat(busy, lease)
    assert roster.nodes(500) == [busy]
    assert (orders.is_asked_to_drain, orders.is_lease_lost) == (False, False)
    assert orders.counts.by_state[JobState.LEASED] == 1
    assert store.job(job.id).free_at_ms == 500 + LEASE_MS
    taken = store.lease("two", 500 + LEASE_MS, LEASE_MS)
    assert taken is not None
    assert roster.beat(busy, lease).is_lease_lost
    store.publish(taken.id, taken.token, proof_of(taken), 1)
    store.remove(taken.id, 1)
    assert roster.beat(busy, lease).is_lease_lost
    roster.leave("one")
    assert roster.nodes(500) == []


def test_orders_reach_one_node_or_all_and_stay_with_the_store(tmp_path: Path) -> None:
    roster = Roster(store_with(tmp_path, 0))
    for record in (ONE, TWO):
        roster.join(record)
    roster.ask_to_drain("two")
    assert [roster.beat(each, None).is_asked_to_drain for each in (ONE, TWO)] == [False, True]
    assert [each.is_asked_to_drain for each in roster.nodes(500)] == [False, True]
    roster.ask_to_drain("two", undo=True)
    roster.ask_to_drain(None)
    assert roster.is_draining()
    assert all(roster.beat(each, None).is_asked_to_drain for each in (ONE, TWO))
    with pytest.raises(StoreDraining) as still:
        roster.ask_to_drain("two", undo=True)
    assert str(still.value) == (
        "node two: expected a store that does not drain (prover drain --undo --jobs "
        f"{roster.store.folder}), got one that drains all its nodes"
    )
    assert roster.beat(TWO, None).is_asked_to_drain
    with pytest.raises(StoreDraining):
        roster.join(NodeRecord("three", 3, 3))
    roster.ask_to_drain(None, undo=True)
    assert not roster.is_draining()
    assert not any(roster.beat(each, None).is_asked_to_drain for each in (ONE, TWO))
    with pytest.raises(NodeNotFound) as caught:
        roster.ask_to_drain("three")
    assert str(caught.value) == "node three: expected a node of this store, got no such node"


def test_a_silent_node_is_told_from_a_busy_one_and_forgotten_in_the_end(tmp_path: Path) -> None:
    roster = Roster(store_with(tmp_path, 0))
    roster.join(ONE)
    assert not ONE.is_silent(ONE.seen_ms + SILENT_MS)
    assert ONE.is_silent(ONE.seen_ms + SILENT_MS + 1)
    end_ms = ONE.seen_ms + FORGOTTEN_MS
    assert [each.id for each in roster.nodes(end_ms)] == ["one"]
    assert roster.nodes(end_ms + 1) == []
    roster.beat(replace(TWO, seen_ms=end_ms), None)
    assert [each.id for each in roster.nodes(end_ms)] == ["one", "two"]
    roster.beat(replace(TWO, seen_ms=end_ms + 1), None)
    assert [each.id for each in roster.nodes(0)] == ["two"]
