"""A node whose store, or a part of it, is out of reach."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from circuits.cli_support import ExitCode
from prover.node import jobs, notices
from prover.node import node as node_module
from prover.node.core import FailureKind
from prover.node.jobs import Job, JobState
from prover.node.roster import Orders, Roster
from prover.node.spool import SpooledProof
from tests.support.job_stores import store_with
from tests.support.node_child import now_ms
from tests.support.node_processes import wait_until
from tests.support.nodes import Outage, Run, Watched


@pytest.mark.parametrize("patience_s", [0.0, 30.0])
def test_a_store_that_goes_away_during_a_proof_loses_nothing(
    tmp_path: Path, monkeypatch, patience_s: float
) -> None:
    monkeypatch.setattr(node_module, "PATIENCE_S", patience_s)
    store = store_with(tmp_path, 2)
    outage = Outage(store)
    run = Run(store, tmp_path, Watched(outage.begin))
    kept: list[SpooledProof] = []

    def react(notice: notices.Notice) -> None:
        if isinstance(notice, notices.StoreAway):
            kept.extend(run.spool.found(store.id))
        outage.watch(notice)

    run.react = react
    assert run.run() == ExitCode.OK
    assert [job.state for job in store.jobs()] == [JobState.PROVEN] * 2
    assert len(run.of(notices.StoreAway)) == len(run.of(notices.StoreBack)) == 1
    assert list(run.spool.folder.iterdir()) == []
    assert not outage.elsewhere.exists()


def test_a_folder_that_is_missing_while_the_database_answers_is_told_and_waited_for(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(node_module, "PATIENCE_S", 0.0)
    store = store_with(tmp_path, 1)
    folder, elsewhere = store.folder / "proofs", tmp_path / "elsewhere"
    run = Run(store, tmp_path, Watched(lambda job: folder.rename(elsewhere) and None))

    def bring_it_back(notice: notices.Notice) -> None:
        if isinstance(notice, notices.StoreAway):
            run.node._heart.beat()  # which reaches the database
            assert not run.of(notices.StoreBack)
            elsewhere.rename(folder)

    run.react = bring_it_back
    assert run.run() == ExitCode.OK
    (away,) = run.of(notices.StoreAway)
    assert isinstance(away, notices.StoreAway)
    assert away.reason.startswith(f"{folder}/job-000001-lease-1-")
    assert away.reason.endswith(
        "expected a job store that can be read and written, got no such file or directory"
    )
    order = [type(each) for each in run.told if not isinstance(each, notices.QueueSeen)]
    assert order[-4:] == [
        notices.StoreAway, notices.Published, notices.StoreBack, notices.Left
    ]  # fmt: skip


def test_a_witness_that_cannot_be_read_does_not_hold_up_the_queue(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(node_module, "PATIENCE_S", 0.0)
    monkeypatch.setattr(jobs, "RETRY_DELAY_MS", 0)
    store = store_with(tmp_path, 2)
    path = store.files.witness(store.job(1).witness_hash)
    path.unlink()
    path.mkdir()
    run = Run(store, tmp_path)
    assert run.run() == ExitCode.REFUSED
    reason = f"{path}: expected a job store that can be read and written, got is a directory"
    assert run.of(notices.Failed) == [
        notices.Failed(1, 1, FailureKind.DEFECT, False, reason)
    ] * jobs.ATTEMPTS_MAX  # fmt: skip
    assert not run.of(notices.StoreAway)
    assert [job.state for job in store.jobs()] == [JobState.PARKED, JobState.PROVEN]


def test_a_store_that_is_away_at_the_start_is_waited_for(tmp_path: Path, monkeypatch) -> None:
    store = store_with(tmp_path, 1)
    run, outage = Run(store, tmp_path), Outage(store)
    outage.begin(store.job(1))
    run.react = outage.watch
    assert run.run() == ExitCode.OK
    kinds = [type(each) for each in run.told[:3]]
    assert kinds == [notices.StoreAway, notices.Started, notices.StoreBack]
    outage.begin(store.job(1))
    # Nobody brings it back: who is told to drain meanwhile leaves at once.
    late = Run(store, tmp_path)
    late.react = lambda notice: late.node.drain()
    assert late.run() == ExitCode.OK
    assert [type(each) for each in late.told] == [notices.StoreAway, notices.Left]


def test_a_defect_in_the_heart_is_told_and_outlived(tmp_path: Path, monkeypatch, capsys) -> None:
    store = store_with(tmp_path, 1)
    beat, wrong = Roster.beat, [sqlite3.OperationalError("no such table: nodes"), ValueError("x")]

    def fail_twice(roster: Roster, *arguments) -> Orders:
        if wrong:
            raise wrong.pop(0)
        return beat(roster, *arguments)

    monkeypatch.setattr(Roster, "beat", fail_twice)

    def wait_for_the_heart(job: Job) -> None:
        wait_until(lambda: bool(run.of(notices.StoreBack)), "the heart beats again")

    run = Run(store, tmp_path, Watched(wait_for_the_heart))
    assert run.run() == ExitCode.OK
    assert run.of(notices.StoreAway) == [
        notices.StoreAway("OperationalError: no such table: nodes")
    ]
    assert capsys.readouterr().err.count("Traceback") == 1


def test_whatever_ends_a_node_takes_it_off_the_list(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)

    def fail(notice: notices.Notice) -> None:
        raise ZeroDivisionError

    run = Run(store, tmp_path)
    run.react = fail
    with pytest.raises(ZeroDivisionError):
        run.run()
    assert Roster(store).nodes(now_ms()) == []
