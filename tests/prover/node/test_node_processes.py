"""Nodes as processes: side by side, told to stop, and killed in the middle."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM

import pytest

from circuits.cli_support import ExitCode
from prover.node.database import FILE_NAME
from prover.node.jobs import JobState
from prover.node.roster import Roster
from prover.node.store import JobStore
from tests.support.job_stores import proof_of, store_with
from tests.support.node_child import DEATHS, now_ms
from tests.support.node_processes import NodeProcess, running_node, wait_until


def states(store: JobStore) -> list[tuple[JobState, int]]:
    return [(job.state, job.attempts) for job in store.jobs()]


def test_two_nodes_share_the_jobs_and_publish_each_once(tmp_path: Path) -> None:
    count = 20
    store, gate, spool = store_with(tmp_path, count), tmp_path / "gate", tmp_path / "spool"
    with (
        running_node(store.folder, spool, gate=gate) as one,
        running_node(store.folder, spool, gate=gate) as two,
    ):
        one.wait_for("taken")
        two.wait_for("taken")
        gate.touch()
        assert (one.wait(), two.wait()) == (0, 0)
    published = [event["job"] for node in (one, two) for event in node.events("published")]
    assert sorted(map(int, published)) == list(range(1, count + 1))
    assert all(node.events("published") for node in (one, two))
    assert not any(node.events("lease_lost") for node in (one, two))
    assert states(store) == [(JobState.PROVEN, 1)] * count
    assert all(store.proof(job) == proof_of(job) for job in store.jobs())
    assert len(list((store.folder / "proofs").iterdir())) == count
    assert list(spool.iterdir()) == []
    assert Roster(store).nodes(now_ms()) == []


@pytest.mark.parametrize("number", [SIGTERM, SIGINT])
def test_a_signal_drains(tmp_path: Path, number) -> None:
    store, gate = store_with(tmp_path, 2), tmp_path / "gate"
    with running_node(store.folder, tmp_path / "spool", "forever", gate=gate) as node:
        node.wait_for("taken")
        node.send(number)
        node.wait_for("drain_changed")
        assert node.process.poll() is None
        assert [job.state for job in store.jobs()] == [JobState.LEASED, JobState.QUEUED]
        gate.touch()
        assert node.wait() == ExitCode.OK
    assert states(store) == [(JobState.PROVEN, 1), (JobState.QUEUED, 0)]
    assert node.events("left") == [
        node.events("left")[0] | {"exit_code": "0", "published": "1", "failed": "0"}
    ]


def test_an_idle_node_leaves_at_the_first_signal(tmp_path: Path) -> None:
    store = store_with(tmp_path, 0)
    with running_node(store.folder, tmp_path / "spool", "forever", poll_s=50) as node:
        node.wait_for("started")
        node.send(SIGTERM)
        assert node.wait() == ExitCode.OK


def test_a_second_signal_gives_the_job_back_and_leaves(tmp_path: Path) -> None:
    store, gate = store_with(tmp_path, 1), tmp_path / "gate"
    with running_node(store.folder, tmp_path / "spool", "forever", gate=gate) as node:
        node.wait_for("stage_ended")
        node.send(SIGTERM)
        node.wait_for("drain_changed")
        node.send(SIGTERM)
        assert node.wait() == ExitCode.INTERRUPTED
        assert node.events("released")
    assert states(store) == [(JobState.QUEUED, 0)]
    assert Roster(store).nodes(now_ms()) == []


def test_the_job_of_a_killed_node_is_done_by_another(tmp_path: Path) -> None:
    store, gate = store_with(tmp_path, 2), tmp_path / "gate"
    spool = tmp_path / "spool"
    with running_node(store.folder, spool, "forever", lease_s=1, gate=gate) as killed:
        killed.wait_for("stage_ended")
        wait_until(lambda: Roster(store).nodes(now_ms())[0].stage == "commit", "the stage is shown")
        killed.send(SIGKILL)
        assert killed.wait() == -SIGKILL
    (silent,) = Roster(store).nodes(now_ms())
    assert (silent.job_id, silent.batch_number) == (1, 1)
    with running_node(store.folder, spool, lease_s=1) as other:
        assert other.wait() == 0
        assert sorted(event["job"] for event in other.events("published")) == ["1", "2"]
    assert states(store) == [(JobState.PROVEN, 2), (JobState.PROVEN, 1)]


def test_a_third_signal_ends_the_process_as_it_stands(tmp_path: Path) -> None:
    store, gate = store_with(tmp_path, 1), tmp_path / "gate"
    with running_node(store.folder, tmp_path / "spool", "forever", gate=gate) as node:
        node.wait_for("stage_ended")
        node.send(SIGTERM)
        node.wait_for("drain_changed")
        with closing(sqlite3.connect(store.folder / FILE_NAME, isolation_level=None)) as holder:
            # Whoever holds the database holds up the node that gives its job back.
            holder.execute("BEGIN IMMEDIATE")
            assert catches(node, SIGTERM)
            node.send(SIGTERM)
            wait_until(lambda: not catches(node, SIGTERM), "the second signal is handled")
            node.send(SIGTERM)
            assert node.wait() == -SIGTERM
        assert not node.events("released")
    assert states(store) == [(JobState.LEASED, 1)]


def catches(node: NodeProcess, number: int) -> bool:
    """Whether the process handles a signal itself, as Linux tells it."""
    status = Path(f"/proc/{node.process.pid}/status").read_text()
    (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> number - 1 & 1)


@pytest.mark.parametrize("moment", DEATHS)
def test_a_node_that_is_killed_with_a_proof_in_hand_loses_nothing(
    tmp_path: Path, moment: str
) -> None:
    store, gate, spool = store_with(tmp_path, 1), tmp_path / "gate", tmp_path / "spool"
    gate.touch()
    with running_node(store.folder, spool, gate=gate, dies_after=moment) as killed:
        assert killed.wait() == -SIGKILL
        assert not killed.events("published")
    assert states(store) == [(JobState.LEASED, 1)]
    assert len(list(spool.iterdir())) == 1
    left = list((store.folder / "proofs").iterdir())
    assert len(left) == (1 if moment == "proof kept" else 0)
    with running_node(store.folder, spool) as other:
        assert other.wait() == 0
        assert [event["is_from_spool"] for event in other.events("published")] == ["yes"]
    # The lease was never waited for, and no second proof made.
    assert states(store) == [(JobState.PROVEN, 1)]
    assert store.proof(store.job(1)) == proof_of(store.job(1))
    assert list(spool.iterdir()) == []


def test_a_lease_outlives_a_proof_that_takes_longer(tmp_path: Path) -> None:
    """The heart beats beside the proof: another node gets nothing for several leases."""
    store, gate = store_with(tmp_path, 1), tmp_path / "gate"
    spool = tmp_path / "spool"
    with running_node(store.folder, spool, "forever", lease_s=2, gate=gate) as slow:
        slow.wait_for("stage_ended")
        first = store.jobs()[0].free_at_ms
        with running_node(store.folder, spool, "forever", lease_s=2) as other:
            other.wait_for("started")
            wait_until(lambda: store.jobs()[0].free_at_ms > first + 4_000, "two more leases")
            gate.touch()
            slow.wait_for("published")
            assert not other.events("taken")
    assert states(store) == [(JobState.PROVEN, 1)]


def test_the_store_drains_its_nodes(tmp_path: Path) -> None:
    store, gate = store_with(tmp_path, 2), tmp_path / "gate"
    roster, spool = Roster(store), tmp_path / "spool"
    with running_node(store.folder, spool, "forever", gate=gate) as busy:
        # Started side by side, the other node could take both jobs.
        busy.wait_for("taken")
        with running_node(store.folder, spool, "forever") as idle:
            idle.wait_for("started")
            idle_name = idle.events("started")[0]["node"]
            roster.ask_to_drain(idle_name)
            assert idle.wait() == ExitCode.OK
        assert not busy.events("drain_changed")
        roster.ask_to_drain(None)
        busy.wait_for("drain_changed")
        roster.ask_to_drain(None, undo=True)
        assert busy.wait_for("drain_changed", 2)["is_draining"] == "no"
        roster.ask_to_drain(None)
        busy.wait_for("drain_changed", 3)
        gate.touch()
        assert busy.wait() == ExitCode.OK
    with running_node(store.folder, spool) as late:
        assert late.wait() == 1
        assert any("expected a store that takes nodes" in line for line in late.lines)
