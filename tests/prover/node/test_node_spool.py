"""Proofs in hand when a node ends, and who publishes them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from circuits.cli_support import ExitCode
from prover.node import node as node_module
from prover.node import notices, spool
from prover.node.core import Mode
from prover.node.jobs import JobState
from prover.node.spool import Spool, SpooledProof
from tests.support.job_stores import add_batch, proof_of, store_with
from tests.support.node_child import MadeUpWork, now_ms
from tests.support.nodes import Outage, Run, Watched, spooled


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


@pytest.mark.parametrize("is_readable", [True, False])
def test_a_spooled_proof_waits_until_its_damaged_statement_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_readable: bool
) -> None:
    monkeypatch.setattr(node_module, "PATIENCE_S", 0.0)
    store = store_with(tmp_path, 1)
    job = store.lease("one", now_ms(), 60_000)
    assert job is not None
    run = Run(store, tmp_path, mode=Mode.ONCE)
    run.spool.keep(spooled(store, job))
    path = store.files.statement(job.witness_hash)
    if is_readable:
        path.write_text("statement of batch 2")
        reason = f"expected SHA-256 {job.statement_hash}, got "
    else:
        path.unlink()
        path.mkdir()
        reason = "expected a job store that can be read and written, got is a directory"
    assert run.run() == ExitCode.OK
    (told,) = run.of(notices.SpoolFailed)
    assert isinstance(told, notices.SpoolFailed)
    assert told.reason.startswith(f"{path}: {reason}")
    assert not run.of(notices.StoreAway)
    if not is_readable:
        path.rmdir()
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
