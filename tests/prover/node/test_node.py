"""A node in this process: everything that can go wrong with a job, a store or a spool."""

from __future__ import annotations

import gc
import hashlib
import json
import sqlite3
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from circuits.cli_support import ExitCode
from prover.cluster.errors import NoWorkerLeft
from prover.errors import NotEnoughMemory
from prover.node import jobs, notices, spool
from prover.node import node as node_module
from prover.node.core import SHORTAGES_MAX, FailureKind, Mode, NodeCore, ProvenBatch
from prover.node.errors import StoreDraining
from prover.node.heart import Timing
from prover.node.jobs import Job, JobState
from prover.node.node import Node
from prover.node.port import WitnessRefused
from prover.node.roster import SILENT_MS, Orders, Roster
from prover.node.spool import Spool, SpooledProof
from prover.node.store import JobStore
from prover.prove import Stage
from tests.support.job_stores import SHAPE, add_batch, new_job, proof_of, store_with
from tests.support.node_child import MadeUpWork, now_ms
from tests.support.node_processes import wait_until

TIMING = Timing(poll_s=0.02, lease_s=20)
Observe = Callable[[Stage], None]


class Watched(MadeUpWork):
    """Made-up proofs, with something happening near the end of each."""

    def __init__(self, happens: Callable[[Job], None] = lambda job: None) -> None:
        super().__init__()
        self.happens = happens

    def prove(self, job: Job, witness: Path, observe: Observe) -> ProvenBatch:
        proven = super().prove(job, witness, observe)
        self.happens(job)
        observe(Stage.DONE)
        return proven


class Run:
    """A node on a store, and what it has told."""

    def __init__(
        self,
        store: JobStore,
        folder: Path,
        work: MadeUpWork | None = None,
        mode: Mode = Mode.UNTIL_EMPTY,
    ) -> None:
        self.told: list[notices.Notice] = []
        self.react: notices.Watch = lambda notice: None
        self.spool = Spool(folder / "spool")
        self.spool.folder.mkdir(exist_ok=True)
        core = NodeCore(mode, TIMING.poll_s)
        self.node = Node(store, self.spool, work or MadeUpWork(), core, self._watch, now_ms, TIMING)

    def _watch(self, notice: notices.Notice) -> None:
        self.told.append(notice)
        self.react(notice)

    def run(self) -> ExitCode:
        return self.node.run()

    def of(self, kind: type[notices.Notice]) -> list[notices.Notice]:
        return [each for each in self.told if isinstance(each, kind)]


def spooled(store: JobStore, job: Job, proof: bytes | None = None) -> SpooledProof:
    return SpooledProof(store.id, job.id, job.token, job.witness_hash, proof or proof_of(job))


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
        (JobState.QUEUED, 0, str(SHORT)), (JobState.QUEUED, 0, "")
    ]  # fmt: skip
    assert run.of(notices.Failed) == [
        notices.Failed(1, 1, FailureKind.MEMORY, False, str(SHORT))
    ] * SHORTAGES_MAX  # fmt: skip


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


class Outage:
    """Takes a store away, and brings it back once a node has said that it misses it."""

    def __init__(self, store: JobStore) -> None:
        self.folder, self.elsewhere = store.folder, store.folder.with_name("elsewhere")

    def begin(self, job: Job) -> None:
        if job.id == 1:
            self.folder.rename(self.elsewhere)

    def watch(self, notice: notices.Notice) -> None:
        if isinstance(notice, notices.StoreAway) and self.elsewhere.exists():
            self.elsewhere.rename(self.folder)


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
    assert Roster(store).nodes() == []


def test_a_proof_waits_in_the_spool_when_the_node_must_leave_first(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(node_module, "PATIENCE_S", 0.0)
    store = store_with(tmp_path, 1)
    outage = Outage(store)
    run = Run(store, tmp_path, Watched(outage.begin))

    def drain_when_away(notice: notices.Notice) -> None:
        if isinstance(notice, notices.StoreAway):
            run.node.drain()

    run.react = drain_when_away
    assert run.run() == ExitCode.INTERRUPTED
    (kept,) = run.spool.found(store.id)
    outage.elsewhere.rename(outage.folder)
    (job,) = store.jobs()
    assert (job.state, kept.proof) == (JobState.LEASED, proof_of(job))
    # The lease holds for a while yet; the proof is published under it all the same.
    later = Run(store, tmp_path, mode=Mode.ONCE)
    assert later.run() == ExitCode.OK
    assert [each.is_from_spool for each in later.of(notices.Published)] == [True]
    assert store.proof(store.job(1)) == proof_of(job)
    assert list(later.spool.folder.iterdir()) == []


def test_what_lies_in_the_spool_is_looked_at_before_it_is_published(tmp_path: Path) -> None:
    store = store_with(tmp_path, 4)
    wrong, proven, good, _ = store.jobs()
    leased = [store.lease(name, now_ms(), 60_000) for name in ("one", "two", "three")]
    assert [job.id for job in leased if job] == [1, 2, 3]
    store.publish(proven.id, 2, proof_of(proven), 1)
    run = Run(store, tmp_path, mode=Mode.ONCE)
    for each in (
        spooled(store, replace(wrong, token=1), b"no proof"),
        spooled(store, replace(proven, token=9)),
        spooled(store, replace(good, token=3)),
        spooled(store, replace(good, id=99)),
        replace(spooled(store, good), store_id="of another store"),
    ):
        run.spool.keep(each)
    wrong_type = (
        spooled(store, replace(good, id=55)).to_json().replace('"job_id": 55', '"job_id": "55"')
    )
    other_token = (
        spooled(store, replace(good, token=8)).to_json().replace('"token": 8', '"token": 9')
    )
    names = [f"{store.id}-000055-000003.spooled", f"{store.id}-000003-000009.spooled"]
    for name, text in zip(names, (wrong_type, other_token), strict=True):
        (run.spool.folder / name).write_text(text)
    cut = run.spool.folder / f"{store.id}-000077-000004.spooled"
    cut.write_text('{"format": "plasmaperps-spooled-proof", "ver')
    assert run.run() == ExitCode.OK
    assert [job.state for job in store.jobs()] == [
        JobState.LEASED, JobState.PROVEN, JobState.PROVEN, JobState.PROVEN,
    ]  # fmt: skip
    assert [each.job for each in run.of(notices.Published)] == [3, 4]
    assert run.of(notices.SpoolFailed) == [
        notices.SpoolFailed(1, "VerificationError: proof: expected the made-up one, got another"),
        notices.SpoolFailed(99, "job 99: expected a job of the store, got no such job"),
    ]
    left = sorted(path.name for path in run.spool.folder.iterdir())
    assert left == sorted([cut.name, *names, "of another store-000003-000000.spooled"])


@pytest.mark.parametrize(
    "change", [{"job_id": "55"}, {"job_id": None}, {"proof": "no hex"}, {"version": 1}]
)
def test_a_spooled_file_with_a_right_checksum_must_still_make_sense(
    tmp_path: Path, change: dict
) -> None:
    kept = SpooledProof("store", 55, 3, "ab" * 32, b"proof")
    document = json.loads(kept.to_json()) | change
    del document["sha256"]
    document["sha256"] = spool._checksum(document)
    path = tmp_path / "store-000055-000003.spooled"
    path.write_text(json.dumps(document))
    assert list(Spool(tmp_path).found("store")) == []
    path.write_text("[]")
    assert list(Spool(tmp_path).found("store")) == []
    Spool(tmp_path).keep(kept)
    assert list(Spool(tmp_path).found("store")) == [kept]


def test_a_spooled_proof_waits_until_its_damaged_statement_is_mended(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)
    job = store.lease("one", now_ms(), 60_000)
    assert job is not None
    run = Run(store, tmp_path, mode=Mode.ONCE)
    run.spool.keep(spooled(store, job))
    path = store.files.statement(job.witness_hash)
    path.write_text("statement of batch 2")
    assert run.run() == ExitCode.OK
    (told,) = run.of(notices.SpoolFailed)
    assert isinstance(told, notices.SpoolFailed)
    assert told.reason.startswith(f"{path}: expected SHA-256 {job.statement_hash}, got ")
    add_batch(store, tmp_path, 1)
    later = Run(store, tmp_path, mode=Mode.ONCE)
    assert later.run() == ExitCode.OK
    assert [each.job for each in later.of(notices.Published)] == [1]


def test_a_proof_that_another_node_publishes_from_the_spool_is_counted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_with(tmp_path, 1)
    keep, others = Spool.keep, []

    def keep_then_another_starts(spool: Spool, kept: SpooledProof) -> None:
        keep(spool, kept)
        others.append(Run(store, tmp_path, mode=Mode.ONCE))
        assert others[0].run() == ExitCode.OK

    monkeypatch.setattr(Spool, "keep", keep_then_another_starts)
    run = Run(store, tmp_path)
    assert run.run() == ExitCode.OK
    assert len(others[0].of(notices.Published)) == 1
    assert run.of(notices.Published) == []
    assert [each.reason for each in run.of(notices.LeaseLost)] == [
        "job 1: expected a lease with token 1, got a job that is proven"
    ]
    assert store.proof(store.job(1)) == proof_of(store.job(1))
    assert len(list((store.folder / "proofs").iterdir())) == 1


def test_two_nodes_that_find_the_same_proof_in_the_spool_count_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_with(tmp_path, 1)
    run = Run(store, tmp_path, mode=Mode.ONCE)
    run.spool.keep(spooled(store, store.job(1)))
    check, others = MadeUpWork.check, []

    def check_after_another(work: MadeUpWork, *arguments) -> None:
        if not others:
            others.append(Run(store, tmp_path, mode=Mode.ONCE))
            assert others[0].run() == ExitCode.OK
        check(work, *arguments)

    monkeypatch.setattr(MadeUpWork, "check", check_after_another)
    assert run.run() == ExitCode.OK
    assert [len(each.of(notices.Published)) for each in (run, others[0])] == [0, 1]


def test_a_spool_that_cannot_be_written_is_told_and_the_proof_published(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)
    run = Run(store, tmp_path, mode=Mode.ONCE)
    run.spool.folder.rmdir()
    run.spool.folder.write_text("a file where the folder should be")
    assert run.run() == ExitCode.OK
    assert [each.job for each in run.of(notices.SpoolFailed)] == [1]
    assert store.job(1).state is JobState.PROVEN


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
