"""A coordinator that ends anywhere goes on where it was, with any number of workers."""

import fcntl
import shutil
from dataclasses import replace

import pytest

from prover.cluster.errors import CheckpointMismatch, JobInUse, StoreMismatch
from prover.cluster.events import EventKind
from prover.cluster.folder import JobFolder, open_folder
from prover.cluster.steps import Combine, CommitCells, CommitRange, RoundSums
from tests.prover.cluster.test_audit import LieOnce
from tests.support.cluster_jobs import SHARE_ALL, Watch, inline_proof, local_cluster, toy_job
from tests.support.local_fleet import LocalFleet
from tests.support.toy_system import toy_witness


class Killed(BaseException):
    """Ends a coordinator between two lines, as a signal does."""


def stop_at(number):
    """A watch under which the coordinator ends when it begins its `number`-th step on workers."""
    asked = []

    def react(event):
        if event.kind is EventKind.ASKED:
            asked.append(event)
            if len(asked) > number:
                raise Killed

    return Watch(react)


def killed_at(job, folder, number, workers=2, fleet=None) -> bool:
    """Whether the coordinator came so far that it could be ended there."""
    cluster = local_cluster(folder, fleet or LocalFleet(), workers, watch=stop_at(number))
    with cluster as coordinator:
        try:
            coordinator.prove(job)
        except Killed:
            return True
    return False


def test_a_coordinator_that_ends_at_any_step_goes_on_there(quick_job, tmp_path):
    expected, number = inline_proof(quick_job), 0
    while killed_at(quick_job, tmp_path, number):
        fleet, watch = LocalFleet(), Watch()
        with local_cluster(tmp_path, fleet, 1 + number % 3, watch=watch) as coordinator:
            assert coordinator.prove(quick_job) == expected
        asked = [detail for _, detail in watch.details(EventKind.ASKED)]
        if number == 0:
            everything = asked
        # Nothing is asked again but the combination, which is too large to be recorded.
        again = ["combination"] if "combination" in everything[:number] else []
        assert asked == again + everything[number:]
        assert len(watch.details(EventKind.RESUMED)) == (number > 0)
        number += 1
    assert number == len(everything) >= 20


def test_a_coordinator_may_end_again_and_again(quick_job, tmp_path):
    deaths = 0
    while killed_at(quick_job, tmp_path, 3):
        deaths += 1
    assert deaths > 5


def test_a_checkpoint_with_a_torn_end_is_used_up_to_there(quick_job, tmp_path):
    assert killed_at(quick_job, tmp_path, 12)
    path = tmp_path / "work" / "toy" / "checkpoint"
    path.write_bytes(path.read_bytes()[:-20])
    watch = Watch()
    with local_cluster(tmp_path, LocalFleet(), watch=watch) as coordinator:
        assert coordinator.prove(quick_job) == inline_proof(quick_job)
    ((_, detail),) = watch.details(EventKind.RESUMED)
    assert detail.endswith(" answers of an earlier attempt are used")


def test_another_witness_under_the_same_id_is_refused(quick_job, tmp_path):
    assert killed_at(quick_job, tmp_path, 5)
    other = toy_job(tmp_path, toy_witness([3, 5, 0], [1, 2], [2, 9, 9]))
    with local_cluster(tmp_path, LocalFleet()) as coordinator:
        with pytest.raises(StoreMismatch, match="chip step: expected checksum ") as caught:
            coordinator.prove(other)
        assert str(caught.value).endswith(f"; remove {tmp_path / 'work' / 'toy'} to start over")
        assert coordinator.prove(quick_job) == inline_proof(quick_job)


def test_a_removal_that_was_cut_short_is_in_nobody_s_way(quick_job, tmp_path, expect, monkeypatch):
    other = toy_job(tmp_path, toy_witness([3, 5, 0], [1, 2], [2, 9, 9]))
    expect(other)

    def cut_short(path, ignore_errors):
        raise Killed

    work = tmp_path / "work"
    with local_cluster(tmp_path, LocalFleet()) as coordinator:
        with monkeypatch.context() as patch:
            patch.setattr(shutil, "rmtree", cut_short)
            with pytest.raises(Killed):
                coordinator.prove(quick_job)
        assert list(work.rglob("manifest.json"))
        # Another witness under the same name is welcome, and takes the remains away.
        assert coordinator.prove(other) == inline_proof(other)
    assert list(work.iterdir()) == []


def test_a_lock_on_a_folder_that_is_removed_is_none(tmp_path, monkeypatch):
    """Somebody opens the lock file just before its holder removes the folder."""
    flock, opened = fcntl.flock, []

    def remove_first(descriptor, operation):
        opened.append(descriptor)
        if len(opened) == 1:
            JobFolder(tmp_path / "toy").remove()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    with open_folder(tmp_path, "toy") as folder:
        assert len(opened) == 2
        assert folder.path.is_dir()
        with pytest.raises(JobInUse), open_folder(tmp_path, "toy"):
            pass


OTHERS = {
    "key": lambda job, folder: replace(job, key=replace(job.key, shape_name="other")),
    "statement": lambda job, folder: replace(job, words=(job.words[0] + 1, *job.words[1:])),
}


@pytest.mark.parametrize("field", OTHERS)
def test_a_checkpoint_of_another_job_is_refused(quick_job, tmp_path, field):
    assert killed_at(quick_job, tmp_path, 5)
    with local_cluster(tmp_path, LocalFleet()) as coordinator:
        with pytest.raises(CheckpointMismatch) as caught:
            coordinator.prove(OTHERS[field](quick_job, tmp_path))
        path = tmp_path / "work" / "toy" / "checkpoint"
        assert str(caught.value).startswith(f"{path}: {field}: expected ")
        assert coordinator.prove(quick_job) == inline_proof(quick_job)


def test_a_job_that_is_cut_otherwise_is_refused(quick_job, tmp_path):
    assert killed_at(quick_job, tmp_path, 5)
    other = replace(SHARE_ALL, coefficients_shared_min=9)
    cluster = local_cluster(tmp_path, LocalFleet(), settings=other)
    with cluster as coordinator, pytest.raises(CheckpointMismatch, match="shared from: expected"):
        coordinator.prove(quick_job)


@pytest.mark.parametrize("kind", [CommitCells, RoundSums, CommitRange, Combine])
def test_a_wrong_answer_of_an_earlier_run_is_found_and_made_good(quick_job, tmp_path, kind):
    """Its ledger is gone, so no worker has the blame, but the answer is computed again."""
    lie = LieOnce(lambda worker, task: isinstance(task.ask, kind))
    number = 0
    while not lie.liar:
        number += 1
        assert killed_at(quick_job, tmp_path, number, fleet=LocalFleet(lie=lie))
    # Two steps later, so that the wrong answer is in the checkpoint or has led to one that is.
    assert killed_at(quick_job, tmp_path, 2, fleet=LocalFleet(lie=lie))
    watch = Watch()
    with local_cluster(tmp_path, LocalFleet(), watch=watch) as coordinator:
        assert coordinator.prove(quick_job) == inline_proof(quick_job)
    guilty = watch.details(EventKind.GUILTY)
    assert [worker for worker, _ in guilty] == [""]
    assert guilty[0][1].startswith("wrong answer of an earlier run to step ")
