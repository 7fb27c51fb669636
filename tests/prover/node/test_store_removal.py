"""Removal of jobs, and what must not go or stay with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from prover.node.errors import JobNotFound, StoreUnavailable, WrongState
from prover.node.files import StoreFiles
from prover.node.jobs import Job, ProofFile
from prover.node.patience import Patience
from prover.node.store import JobStore
from tests.support.job_stores import (
    LEASE_MS,
    add_batch,
    message,
    new_job,
    store_with,
    witness_bytes,
)


def test_a_job_is_removed_once_its_lease_has_ended(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)
    assert store.lease("one", 0, LEASE_MS) is not None
    assert message(WrongState, lambda: store.remove(1, LEASE_MS - 1)) == (
        "job 1: expected a job that no node holds, got held by one"
    )
    assert store.remove(1, LEASE_MS).node == "one"


@pytest.mark.parametrize("name", ["witness", "statement"])
def test_a_removal_that_comes_between_copy_and_addition_takes_nothing_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    store = store_with(tmp_path, 0)
    keep, removals = StoreFiles.keep_witness, [1]

    def keep_then_lose(files: StoreFiles, *arguments) -> None:
        keep(files, *arguments)
        if removals:
            removals.pop()
            getattr(files, name)(new_job(1).witness_hash).unlink()

    monkeypatch.setattr(StoreFiles, "keep_witness", keep_then_lose)
    message(StoreUnavailable, lambda: add_batch(store, tmp_path, 1))
    assert store.jobs() == []
    removals.append(1)
    again = store.with_patience(Patience(1, lambda seconds: True, lambda: 0.0))
    added = add_batch(again, tmp_path, 1)
    assert added.is_new
    assert store.checked_witness(added.job).read_bytes() == witness_bytes(1)
    assert store.statement(added.job) == "statement of batch 1"


def test_a_removal_whose_file_cannot_be_deleted_is_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, wrong = store_with(tmp_path, 1), [OSError(5, "input/output error")]
    unlink = Path.unlink

    def fail_once(path: Path, *, missing_ok: bool = False) -> None:
        if wrong:
            raise wrong.pop()
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", fail_once)
    again = store.with_patience(Patience(1, lambda seconds: True, lambda: 0.0))
    assert again.remove(1, 0).id == 1
    assert wrong == []
    assert store.jobs() == []
    assert list((store.folder / "witnesses").iterdir()) == []


def test_a_removal_that_dies_half_way_leaves_no_job_without_its_witness(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_with(tmp_path, 1)

    def die(*paths: Path) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(StoreFiles, "drop", die)
        with pytest.raises(SystemExit):
            store.remove(1, 0)
    assert store.jobs() == []
    added = add_batch(store, tmp_path, 1)
    assert added.is_new
    assert store.checked_witness(added.job).read_bytes() == witness_bytes(1)


def test_a_batch_that_is_added_in_the_middle_of_its_removal_keeps_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, drop_files = store_with(tmp_path, 1), JobStore._drop_files

    def add_first(self: JobStore, removed: Job) -> None:
        add_batch(store, tmp_path, 1)
        drop_files(self, removed)

    monkeypatch.setattr(JobStore, "_drop_files", add_first)
    assert store.remove(1, 0).id == 1
    (job,) = store.jobs()
    assert job.id == 2
    assert store.checked_witness(job).read_bytes() == witness_bytes(1)
    assert store.statement(job) == "statement of batch 1"


def test_a_proof_that_comes_with_the_removal_of_its_job_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, keep = store_with(tmp_path, 2), StoreFiles.keep_proof
    leased = [store.lease(node, 0, LEASE_MS) for node in ("one", "two")]

    def keep_then_remove(files: StoreFiles, job: Job, *arguments: Any) -> ProofFile:
        kept = keep(files, job, *arguments)
        store.remove(job.id, LEASE_MS)
        return kept

    monkeypatch.setattr(StoreFiles, "keep_proof", keep_then_remove)
    first, second = (job for job in leased if job is not None)
    message(JobNotFound, lambda: store.publish(first.id, first.token, b"proof", 1))
    message(JobNotFound, lambda: store.adopt(second.id, second.witness_hash, 2, b"proof", 1))
    assert list((store.folder / "proofs").iterdir()) == []


def test_a_spooled_proof_of_another_witness_leaves_no_file(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)
    message(WrongState, lambda: store.adopt(1, "00" * 32, 1, b"proof", 1))
    assert list((store.folder / "proofs").iterdir()) == []
