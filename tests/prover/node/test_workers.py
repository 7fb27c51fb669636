"""Where a node's workers find a job, and what a log is told of them."""

from __future__ import annotations

from pathlib import Path

from prover.cluster.events import ClusterEvent, EventKind
from prover.cluster.folder import open_folder
from prover.node import notices
from prover.node.workers import WorkFolder, cluster_watch
from tests.support.job_stores import LEASE_MS, add_batch, proof_of, store_with


def test_jobs_that_are_done_or_gone_are_forgotten(tmp_path: Path) -> None:
    store, folder = store_with(tmp_path, 4), WorkFolder(tmp_path / "work")
    proven = store.lease("node", 0, LEASE_MS)
    assert proven is not None
    store.publish(proven.id, proven.token, proof_of(proven), 0)
    refused = store.lease("node", 0, LEASE_MS)
    assert refused is not None
    store.refuse(refused.id, refused.token, "broken")
    leased = store.lease("node", 0, LEASE_MS)
    assert leased is not None
    names = [folder.name(job) for job in store.jobs()]
    assert names == ["job-1", "job-2", "job-3", "job-4"]
    others = {"job-of-somebody-else", "job-007", "job-\N{ARABIC-INDIC DIGIT NINE}", "notes"}
    for name in (*names, "job-99", f"job-{10**23}", *others):
        (folder.path / name).mkdir(parents=True)
    folder.prune(store)
    left = {path.name for path in folder.path.iterdir()}
    assert left == {"job-3", "job-4"} | others
    folder.forget(leased)
    folder.forget(leased)
    assert not (folder.path / "job-3").exists()


def test_a_folder_that_a_process_still_works_in_stays(tmp_path: Path) -> None:
    store, folder = store_with(tmp_path, 0), WorkFolder(tmp_path / "work")
    job = add_batch(store, tmp_path, 1).job
    store.remove(job.id, 0)
    with open_folder(folder.path, folder.name(job)) as held:
        held.checkpoint.touch()
        folder.prune(store)
        folder.forget(job)
        assert held.checkpoint.exists()
    folder.prune(store)
    assert list(folder.path.iterdir()) == []


def test_there_may_be_no_folder_yet(tmp_path: Path) -> None:
    WorkFolder(tmp_path / "absent").prune(store_with(tmp_path, 1))
    assert not (tmp_path / "absent").exists()
    WorkFolder(tmp_path / "absent").remove_if_empty()


def test_an_empty_folder_goes_and_another_stays(tmp_path: Path) -> None:
    folder = WorkFolder(tmp_path / "work")
    (folder.path / "job-1").mkdir(parents=True)
    folder.remove_if_empty()
    (folder.path / "job-1").rmdir()
    folder.remove_if_empty()
    assert not folder.path.exists()


def test_news_of_workers_are_told_but_not_every_step() -> None:
    told: list[notices.Notice] = []
    notify = cluster_watch(told.append)
    for kind in EventKind:
        notify(ClusterEvent(kind, "worker-1", "why"))
    kinds = [kind for kind in EventKind if kind is not EventKind.ASKED]
    assert told == [notices.Cluster(kind, "worker-1", "why") for kind in kinds]
