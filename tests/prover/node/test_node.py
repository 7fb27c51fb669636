"""A node in this process: everything that can go wrong with a job."""

from __future__ import annotations

import errno
import gc
import hashlib
import weakref
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from circuits.cli_support import ExitCode
from prover.cluster.errors import JobInUse, NoWorkerLeft
from prover.errors import NotEnoughMemory
from prover.node import jobs, notices
from prover.node import node as node_module
from prover.node.core import SHORTAGES_MAX, FailureKind, Mode, ProvenBatch
from prover.node.errors import StoreDraining
from prover.node.files import StoreFiles
from prover.node.heart import Timing
from prover.node.jobs import Job, JobState
from prover.node.port import WitnessRefused
from prover.node.roster import SILENT_MS, Roster
from prover.prove import Stage
from tests.support.job_stores import SHAPE, new_job, proof_of, store_with
from tests.support.node_child import MadeUpWork, now_ms
from tests.support.nodes import Observe, Run, Watched


def test_jobs_are_proven_and_told(tmp_path: Path) -> None:
    store = store_with(tmp_path, 2)
    run = Run(store, tmp_path)
    assert run.run() == ExitCode.OK
    assert [job.state for job in store.jobs()] == [JobState.PROVEN] * 2
    assert run.of(notices.Published) == [
        notices.Published(number, number, 0.5, 0.25, 100, is_from_spool=False) for number in (1, 2)
    ]
    assert run.told[0] == notices.Started(run.node.name, str(store.folder))
    assert run.told[-1] == notices.Left(0, 2, 0)
    stages = [(each.stage, each.seconds >= 0) for each in run.of(notices.StageEnded)]
    assert stages == [(stage, True) for stage in (Stage.LOAD, Stage.COMMIT, Stage.OPENING)] * 2


def test_a_proof_that_is_made_twice_tells_of_its_own_stages_alone(tmp_path: Path) -> None:
    class Twice(MadeUpWork):
        def prove(self, job: Job, witness: Path, observe: Observe) -> ProvenBatch:
            super().prove(job, witness, observe)
            return super().prove(job, witness, observe)

    run = Run(store_with(tmp_path, 1), tmp_path, Twice())
    assert run.run() == ExitCode.OK
    stages = [each.stage for each in run.of(notices.StageEnded)]
    assert stages == [Stage.LOAD, Stage.COMMIT, Stage.OPENING] * 2


@pytest.mark.parametrize(
    ("timing", "beat_s"),
    [(Timing(2, 60), 2), (Timing(2, 3), 1), (Timing(60, 3600), SILENT_MS / 3000)],
)
def test_a_node_beats_before_its_lease_ends_or_it_counts_as_silent(
    timing: Timing, beat_s: float
) -> None:
    assert timing.beat_s == beat_s


def test_once_takes_one_job(tmp_path: Path) -> None:
    store = store_with(tmp_path, 2)
    assert Run(store, tmp_path, mode=Mode.ONCE).run() == ExitCode.OK
    assert [job.state for job in store.jobs()] == [JobState.PROVEN, JobState.QUEUED]


@pytest.mark.parametrize("is_swallowed", [False, True])
def test_who_is_told_to_leave_as_a_proof_begins_does_not_go_through_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_swallowed: bool
) -> None:
    store = store_with(tmp_path, 1)
    run = Run(store, tmp_path)
    checked = StoreFiles.checked_witness

    def leave_first(files: StoreFiles, job: Job) -> Path:
        run.node.leave()
        return checked(files, job)

    def leave_unheard(notice: notices.Notice) -> None:
        # As in a finalizer, which holds whatever is raised in it.
        if isinstance(notice, notices.StageBegun):
            with suppress(BaseException):
                run.node.leave()

    if is_swallowed:
        run.react = leave_unheard
    else:
        monkeypatch.setattr(StoreFiles, "checked_witness", leave_first)
    assert run.run() == ExitCode.INTERRUPTED
    assert [each.stage for each in run.of(notices.StageBegun)] == [Stage.LOAD]
    (job,) = store.jobs()
    assert (job.state, job.attempts) == (JobState.QUEUED, 0)


def test_a_damaged_witness_fails_its_job_with_the_reason_and_no_other(tmp_path: Path) -> None:
    store = store_with(tmp_path, 3)
    first, second, _ = store.jobs()
    path = store.files.witness(first.witness_hash)
    path.write_bytes(b"cut")
    store.files.witness(second.witness_hash).unlink()
    run = Run(store, tmp_path)
    assert run.run() == ExitCode.REFUSED
    first, second, third = store.jobs()
    assert (first.state, first.attempts) == (JobState.FAILED, 1)
    assert first.reason.startswith(f"{path}: expected SHA-256 {first.witness_hash}, got ")
    assert second.reason.endswith(f"expected SHA-256 {second.witness_hash}, got no such file")
    assert third.state is JobState.PROVEN
    assert [(each.kind, each.is_final) for each in run.of(notices.Failed)] == [
        (FailureKind.WITNESS, True)
    ] * 2


def test_a_witness_that_breaks_a_rule_is_tried_once(tmp_path: Path) -> None:
    store = store_with(tmp_path, 0)
    path = tmp_path / "false.witness"
    path.write_bytes(b"false")
    digest = hashlib.sha256(b"false").hexdigest()
    store.add(replace(new_job(1), witness_hash=digest), path, 0)
    assert Run(store, tmp_path).run() == ExitCode.REFUSED
    (job,) = store.jobs()
    assert (job.state, job.attempts) == (JobState.FAILED, 1)
    assert job.reason == "a witness that breaks a rule"


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (MemoryError(), "memory", "out of memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory",
         f"[Errno {errno.ENOMEM}] Cannot allocate memory"),
        (OSError(errno.EIO, "I/O error"), "defect", f"OSError: [Errno {errno.EIO}] I/O error"),
        (NoWorkerLeft("cluster", "a worker", "none: killed"), "cluster",
         "cluster: expected a worker, got none: killed"),
        (ZeroDivisionError("chip leaf"), "defect", "ZeroDivisionError: chip leaf"),
    ],
)  # fmt: skip
def test_an_attempt_that_says_nothing_of_the_witness_is_repeated_later(
    tmp_path: Path, error: Exception, kind: str, reason: str, capsys
) -> None:
    def fail(job: Job) -> None:
        raise error

    store = store_with(tmp_path, 1)
    run = Run(store, tmp_path, Watched(fail), Mode.ONCE)
    assert run.run() == ExitCode.REFUSED
    (job,) = store.jobs()
    assert (job.state, job.attempts, job.reason) == (JobState.QUEUED, 1, reason)
    assert job.free_at_ms > now_ms()
    assert run.of(notices.Failed) == [notices.Failed(1, 1, kind, False, reason)]
    assert ("Traceback" in capsys.readouterr().err) is (kind == "defect")


def test_a_folder_that_a_silent_node_still_holds_costs_its_job_no_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "RETRY_DELAY_MS", 0)
    error = JobInUse("job-1", "a job that nobody works on", "a locked one")
    looks = [error] * (2 * jobs.ATTEMPTS_MAX)

    def find_it_locked(job: Job) -> None:
        if looks:
            raise looks.pop()

    store = store_with(tmp_path, 1)
    run = Run(store, tmp_path, Watched(find_it_locked))
    assert run.run() == ExitCode.OK
    (job,) = store.jobs()
    assert (job.state, job.attempts) == (JobState.PROVEN, 1)
    told = [notices.Postponed(1, 1, str(error))] * (2 * jobs.ATTEMPTS_MAX)
    assert (run.of(notices.Postponed), run.of(notices.Failed)) == (told, [])


SHORT = NotEnoughMemory("memory", "9 MiB", "1 MiB available")


def test_a_machine_without_memory_costs_no_job_an_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(job: Job) -> None:
        raise SHORT

    monkeypatch.setattr(jobs, "RETRY_DELAY_MS", 0)
    store = store_with(tmp_path, 2)
    run = Run(store, tmp_path, Watched(fail))
    assert run.run() == ExitCode.REFUSED
    assert [(job.state, job.attempts, job.reason) for job in store.jobs()] == [
        (JobState.QUEUED, 0, str(SHORT))
    ] * 2  # fmt: skip
    assert run.of(notices.Failed) == [
        notices.Failed(number, number, FailureKind.MEMORY, False, str(SHORT)) for number in (1, 2)
    ] * SHORTAGES_MAX  # fmt: skip


def test_a_batch_that_lacks_memory_does_not_keep_smaller_ones_from_being_proven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(job: Job) -> None:
        if job.id % 2:
            raise SHORT

    monkeypatch.setattr(jobs, "RETRY_DELAY_MS", 0)
    store = store_with(tmp_path, 6)
    run = Run(store, tmp_path, Watched(fail))
    assert run.run() == ExitCode.REFUSED
    assert [job.state for job in store.jobs()] == [JobState.QUEUED, JobState.PROVEN] * 3
    last = [each.job for each in run.told if isinstance(each, notices.Taken)][-3:]
    assert last == [1, 3, 5]


def test_a_node_without_memory_does_not_keep_another_from_the_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one asks for a job whenever the one with little memory has given one back."""
    monkeypatch.setattr(jobs, "RETRY_DELAY_MS", 0)
    store = store_with(tmp_path, 3)

    def fail(job: Job) -> None:
        raise SHORT

    def react(notice: notices.Notice) -> None:
        if isinstance(notice, notices.Failed):
            assert Run(store, tmp_path, mode=Mode.ONCE).run() == ExitCode.OK

    small = Run(store, tmp_path, Watched(fail))
    small.react = react
    assert small.run() == ExitCode.OK
    assert [each.job for each in small.of(notices.Failed)] == [1, 2, 3]
    assert [job.state for job in store.jobs()] == [JobState.PROVEN] * 3


@pytest.mark.parametrize("mode", [Mode.ONCE, Mode.UNTIL_EMPTY])
def test_an_attempt_that_fails_before_the_job_is_proven_is_no_failure_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: Mode
) -> None:
    monkeypatch.setattr(jobs, "RETRY_DELAY_MS", 0)
    failures = [RuntimeError("a worker crashed")]

    def fail_once(job: Job) -> None:
        if failures:
            raise failures.pop()

    run = Run(store_with(tmp_path, 1), tmp_path, Watched(fail_once), mode)
    assert run.run() == (ExitCode.OK if mode is Mode.UNTIL_EMPTY else ExitCode.REFUSED)
    assert len(run.of(notices.Failed)) == 1


def test_a_lease_that_is_lost_ends_the_proof_at_the_next_stage(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)

    def take_it_over(job: Job) -> None:
        other = store.lease("other", job.free_at_ms + 60_000, 60_000)
        assert other is not None
        run.node._heart.beat()

    run = Run(store, tmp_path, Watched(take_it_over), Mode.ONCE)
    assert run.run() == ExitCode.REFUSED
    assert [each.reason for each in run.of(notices.LeaseLost)] == [
        "the lease ended before the proof did"
    ]
    (job,) = store.jobs()
    assert (job.state, job.node) == (JobState.LEASED, "other")
    assert list((store.folder / "proofs").iterdir()) == []


def test_a_proof_that_comes_too_late_is_dropped(tmp_path: Path, monkeypatch) -> None:
    store = store_with(tmp_path, 1)
    monkeypatch.setattr(node_module.Heart, "is_lease_lost", False)

    def publish_first(job: Job) -> None:
        other = store.lease("other", job.free_at_ms + 60_000, 60_000)
        assert other is not None
        store.publish(other.id, other.token, proof_of(other), 1)

    run = Run(store, tmp_path, Watched(publish_first), Mode.ONCE)
    assert run.run() == ExitCode.OK
    assert [each.reason for each in run.of(notices.LeaseLost)] == [
        "job 1: expected a lease with token 1, got a job that is proven"
    ]
    assert not run.of(notices.Published)
    assert list(run.spool.folder.iterdir()) == []
    assert len(list((store.folder / "proofs").iterdir())) == 1


def test_other_shapes_are_left_alone(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)
    work = MadeUpWork()
    work.shapes = ("another",)
    assert Run(store, tmp_path, work).run() == ExitCode.OK
    assert store.job(1).state is JobState.QUEUED
    assert SHAPE not in work.shapes


def test_a_store_that_drains_takes_no_node(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)
    Roster(store).ask_to_drain(None)
    with pytest.raises(StoreDraining) as caught:
        Run(store, tmp_path).run()
    assert str(caught.value) == (
        f"{store.folder}: expected a store that takes nodes "
        f"(prover drain --undo --jobs {store.folder}), got one that drains"
    )
    Roster(store).ask_to_drain(None, undo=True)
    assert Run(store, tmp_path).run() == ExitCode.OK


class Heavy:
    """Stands for the tables of a witness."""


def test_nothing_of_a_job_is_held_when_the_next_one_begins(tmp_path: Path) -> None:
    alive: list[weakref.ref[Heavy]] = []
    found: list[int] = []

    class Greedy(MadeUpWork):
        def prove(self, job: Job, witness: Path, observe: Observe) -> ProvenBatch:
            found.append(sum(each() is not None for each in alive))
            tables = Heavy()
            alive.append(weakref.ref(tables))
            cycle: list[object] = [tables]
            cycle.append(cycle)
            if job.id % 2:
                raise WitnessRefused(FailureKind.RULE, "with tables in its frames")
            return super().prove(job, witness, observe)

    store = store_with(tmp_path, 6)
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        assert Run(store, tmp_path, Greedy()).run() == ExitCode.REFUSED
    finally:
        if was_enabled:
            gc.enable()
    assert found == [0] * 6
