"""A job store on a disk: what it refuses, and what it outlasts."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from prover.node import database
from prover.node.database import FILE_NAME
from prover.node.errors import (
    BatchConflict,
    FileDamaged,
    JobNotFound,
    NotAStore,
    StaleLease,
    StoreUnavailable,
    WrongState,
)
from prover.node.jobs import JobState
from prover.node.patience import Patience, database_error, disk_error
from prover.node.store import JobStore, NewJob
from tests.support.job_stores import (
    LEASE_MS,
    Clock,
    add_batch,
    message,
    new_job,
    proof_of,
    store_with,
    witness_bytes,
)

Result = TypeVar("Result")


def write(store: JobStore, query: str) -> None:
    with closing(sqlite3.connect(store.folder / FILE_NAME)) as connection:
        connection.execute(query)
        connection.commit()


class AwayUntil:
    """Renames a folder away and back once so many seconds of waiting have passed."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.folder, self.elsewhere = folder, folder.with_name("elsewhere")
        self.clock = Clock()
        self.end = self.clock.seconds() + seconds
        folder.rename(self.elsewhere)

    def wait(self, seconds: float) -> bool:
        self.clock.wait(seconds)
        if self.clock.seconds() >= self.end and self.elsewhere.exists():
            self.elsewhere.rename(self.folder)
        return True

    def patience(self, deadline_s: float) -> Patience:
        return Patience(deadline_s, self.wait, self.clock.seconds)


def test_the_journal_is_a_write_ahead_log(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)
    with closing(sqlite3.connect(store.folder / FILE_NAME)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    with store.transaction() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL


def test_a_disk_without_a_write_ahead_log_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A database in memory answers as a disk does that cannot hold the log.
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, **options: connect(":memory:", **options))
    text = message(NotAStore, lambda: JobStore.create(tmp_path / "store"))
    assert text.endswith("expected a disk that takes a write-ahead log, got journal memory")
    assert list(tmp_path.iterdir()) == []


def test_a_batch_is_added_once(tmp_path: Path) -> None:
    store = store_with(tmp_path, 0)
    first = add_batch(store, tmp_path, 4, now_ms=10)
    again = add_batch(store, tmp_path, 4, now_ms=20)
    assert (first.is_new, again.is_new) == (True, False)
    assert first.job == again.job
    assert store.checked_witness(first.job).read_bytes() == witness_bytes(4)
    assert store.statement(first.job) == "statement of batch 4"
    ours, theirs = new_job(4).witness_hash, new_job(4, version=1).witness_hash
    assert message(BatchConflict, lambda: add_batch(store, tmp_path, 4, version=1)) == (
        f"batch 4 (job {first.job.id}): expected witness {ours}, got {theirs}"
    )
    other = new_job(4, version=1, domain=8)
    assert store.add(other, tmp_path / "batch-4-1.witness", 0).is_new


def test_an_addition_names_what_is_wrong_with_it(tmp_path: Path) -> None:
    store = store_with(tmp_path, 0)
    path = tmp_path / "changed.witness"
    path.write_bytes(b"another witness")
    text = message(FileDamaged, lambda: store.add(new_job(1), path, 0))
    assert text.startswith(f"{path}: expected SHA-256 {new_job(1).witness_hash}, got ")
    with pytest.raises(FileNotFoundError):
        store.add(new_job(1), tmp_path / "none.witness", 0)
    huge = NewJob(7, 2**63, "T", "00" * 32, "")
    assert message(WrongState, lambda: store.add(huge, path, 0)) == (
        f"batch number: expected a number up to {2**63 - 1}, got {2**63}"
    )
    assert store.jobs() == []


def test_a_damaged_copy_is_found_and_added_anew(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)
    (job,) = store.jobs()
    path = store.files.witness(job.witness_hash)
    path.write_bytes(b"bits flipped")
    text = message(FileDamaged, lambda: store.checked_witness(job))
    assert text.startswith(f"{path}: expected SHA-256 {job.witness_hash}, got ")
    path.unlink()
    text = message(FileDamaged, lambda: store.checked_witness(job))
    assert text == f"{path}: expected SHA-256 {job.witness_hash}, got no such file"
    assert not add_batch(store, tmp_path, 1).is_new
    assert store.checked_witness(job).read_bytes() == witness_bytes(1)


def test_the_oldest_batch_comes_first_and_tokens_only_grow(tmp_path: Path) -> None:
    store = store_with(tmp_path, 0)
    for number in (3, 1, 2):
        add_batch(store, tmp_path, number)
    leased = [store.lease(node, 0, LEASE_MS) for node in ("one", "two", "three")]
    assert [job.batch_number for job in leased if job] == [1, 2, 3]
    assert [job.token for job in leased if job] == [1, 2, 3]
    assert store.lease("four", 0, LEASE_MS) is None
    assert store.lease("four", LEASE_MS, LEASE_MS, shapes=("S",)) is None
    assert store.lease("four", LEASE_MS, LEASE_MS, passed_over={1, 2, 3}) is None
    taken = store.lease("four", LEASE_MS, LEASE_MS)
    assert taken is not None
    assert (taken.batch_number, taken.token, taken.attempts) == (1, 4, 2)
    assert store.lease("four", LEASE_MS, LEASE_MS, passed_over={taken.id}) == taken
    other = store.lease("five", LEASE_MS, LEASE_MS, passed_over={3})
    assert other is not None
    assert other.batch_number == 3
    assert (store.waiting(("T",)), store.waiting(("S", "M")), store.waiting(())) == (3, 0, 0)


def test_an_operation_whose_answer_was_lost_is_repeated_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every commit is carried out and told to have failed, once."""
    commit, lost = database._commit, list[int]()

    def lose_the_answer(connection: sqlite3.Connection) -> None:
        commit(connection)
        if connection.total_changes and lost:
            lost.pop()
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error

    monkeypatch.setattr(database, "_commit", lose_the_answer)
    store = store_with(tmp_path, 0)
    store.patience = Patience(1, lambda seconds: True, lambda: 0.0)

    def again(operation: Callable[[], Result]) -> Result:
        lost.append(1)
        result = operation()
        assert lost == [], "no answer was lost"
        return result

    assert again(lambda: add_batch(store, tmp_path, 1)).is_new
    job = again(lambda: store.lease("one", 0, LEASE_MS))
    assert job is not None
    again(lambda: store.refuse(1, job.token, "broken"))
    assert again(lambda: store.retry(1, 5)).state is JobState.QUEUED
    assert again(lambda: store.adopt(1, job.witness_hash, 1, proof_of(job), 7))
    assert store.proof(store.job(1)) == proof_of(job)
    assert again(lambda: store.remove(1, 9)).id == 1


def test_a_statement_that_was_overwritten_is_not_handed_on(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)
    (job,) = store.jobs()
    path = store.files.statement(job.witness_hash)
    path.write_text("statement of batch 2")
    text = message(FileDamaged, lambda: store.statement(job))
    assert text.startswith(f"{path}: expected SHA-256 {job.statement_hash}, got ")
    path.unlink()
    assert message(FileDamaged, lambda: store.statement(job)).endswith("got no such file")
    assert not add_batch(store, tmp_path, 1).is_new
    assert store.statement(job) == "statement of batch 1"
    other = replace(new_job(1), statement="another statement")
    text = message(BatchConflict, lambda: store.add(other, tmp_path / "batch-1-0.witness", 0))
    assert text == (
        f"batch 1 (job 1): expected statement {job.statement_hash}, got {other.statement_hash}"
    )
    assert store.statement(job) == "statement of batch 1"


def test_a_token_is_not_given_again_after_its_job_is_removed(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)
    (job,) = store.jobs()
    leased = store.lease("one", 0, LEASE_MS)
    assert leased is not None
    store.refuse(job.id, leased.token, "broken")
    store.remove(job.id, 1)
    assert message(JobNotFound, lambda: store.job(1)) == (
        "job 1: expected a job of the store, got no such job"
    )
    assert list((store.folder / "witnesses").iterdir()) == []
    added = add_batch(store, tmp_path, 1)
    again = store.lease("one", 0, LEASE_MS)
    assert again is not None
    assert (added.job.id, again.token) == (2, 2)


def test_a_late_proof_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)
    first = store.lease("one", 0, LEASE_MS)
    second = store.lease("two", LEASE_MS, LEASE_MS)
    assert first is not None
    assert second is not None
    store.publish(second.id, second.token, proof_of(second), 5)
    files = sorted((store.folder / "proofs").iterdir())
    assert message(
        StaleLease, lambda: store.publish(first.id, first.token, proof_of(first), 6)
    ) == ("job 1: expected a lease with token 1, got a job that is proven")
    assert sorted((store.folder / "proofs").iterdir()) == files
    assert store.proof(store.job(1)) == proof_of(second)


def test_a_proof_is_on_the_disk_before_the_job_says_so(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)
    job = store.lease("one", 0, LEASE_MS)
    assert job is not None
    folder = store.folder / "proofs"
    folder.rename(tmp_path / "proofs")
    text = message(StoreUnavailable, lambda: store.publish(job.id, job.token, proof_of(job), 1))
    assert text.endswith("that can be read and written, got no such file or directory")
    assert store.job(1).state is JobState.LEASED
    (tmp_path / "proofs").rename(folder)
    assert store.publish(job.id, job.token, proof_of(job), 1).state is JobState.PROVEN


def test_a_late_proof_does_not_take_an_adopted_one_with_it(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)
    first = store.lease("one", 0, LEASE_MS)
    assert first is not None
    assert store.lease("two", LEASE_MS, LEASE_MS) is not None
    adopt = first.id, first.witness_hash, first.token, proof_of(first)
    assert store.adopt(*adopt, 1)
    assert not store.adopt(*adopt, 2)
    adopted = store.job(first.id)
    text = message(StaleLease, lambda: store.publish(first.id, first.token, proof_of(first), 2))
    assert text == "job 1: expected a lease with token 1, got a job that is proven"
    assert store.proof(store.job(1)) == proof_of(first)
    assert [path.name for path in (store.folder / "proofs").iterdir()] == [adopted.proof_file]


def test_a_damaged_proof_is_not_handed_out(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)
    job = store.lease("one", 0, LEASE_MS)
    assert job is not None
    proven = store.publish(job.id, job.token, proof_of(job), 1)
    path = store.files.proof(proven.proof_file)
    path.write_bytes(b"cut")
    assert message(FileDamaged, lambda: store.proof(proven)).startswith(f"{path}: expected SHA-256")


@pytest.mark.parametrize("operation", ["add", "lease", "publish", "read"])
def test_a_store_that_is_away_for_twenty_seconds_loses_nothing(
    tmp_path: Path, operation: str
) -> None:
    plain = store_with(tmp_path, 2)
    job = plain.lease("one", 0, LEASE_MS)
    assert job is not None
    away = AwayUntil(plain.folder, 20)
    store = plain.with_patience(away.patience(30))
    match operation:
        case "add":
            assert add_batch(store, tmp_path, 3).is_new
        case "lease":
            leased = store.lease("two", 0, LEASE_MS)
            assert leased is not None
            assert leased.batch_number == 2
        case "publish":
            store.publish(job.id, job.token, proof_of(job), 1)
            assert plain.proof(plain.job(job.id)) == proof_of(job)
        case _:
            assert store.checked_witness(job).read_bytes() == witness_bytes(1)
    assert away.clock.seconds() >= away.end
    assert not away.elsewhere.exists()


def test_patience_ends_at_its_deadline(tmp_path: Path) -> None:
    plain = store_with(tmp_path, 1)
    away = AwayUntil(plain.folder, 20)
    store = plain.with_patience(away.patience(5))
    assert message(StoreUnavailable, store.jobs) == (
        f"{plain.folder}: expected a job store that can be read and written, "
        "got unable to open database file"
    )
    assert away.clock.seconds() - (away.end - 20) == 5
    assert not plain.folder.exists()


def test_an_empty_mount_point_does_not_become_a_store(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)
    store.folder.rename(tmp_path / "elsewhere")
    store.folder.mkdir()
    message(StoreUnavailable, store.jobs)
    message(StoreUnavailable, lambda: JobStore(store.folder))
    assert list(store.folder.iterdir()) == []


def test_another_store_in_its_place_is_not_taken_for_it(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)
    store.folder.rename(tmp_path / "elsewhere")
    other = JobStore.create(store.folder)
    text = message(StoreUnavailable, lambda: store.lease("one", 0, LEASE_MS))
    assert text == f"{store.folder}: expected job store {store.id}, got store {other.id}"


def test_a_locked_store_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prover.node.database.BUSY_TIMEOUT_S", 0)
    plain = store_with(tmp_path, 1)
    with closing(sqlite3.connect(plain.folder / FILE_NAME, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        text = message(StoreUnavailable, lambda: plain.lease("one", 0, LEASE_MS))
        assert text.endswith("got database is locked")
        waits = []

        def wait(seconds: float) -> bool:
            waits.append(seconds)
            if len(waits) == 3:
                holder.execute("COMMIT")
            return True

        assert plain.with_patience(Patience(9, wait, lambda: 0.0)).lease("one", 0, 1) is not None
        assert waits == [0.05, 0.1, 0.2]


def test_what_passes_and_what_does_not() -> None:
    read_only = sqlite3.OperationalError("attempt to write a readonly database")
    read_only.sqlite_errorcode = sqlite3.SQLITE_READONLY_DBMOVED
    assert isinstance(database_error(Path("x"), read_only), StoreUnavailable)
    no_table = sqlite3.OperationalError("no such table: jobs")
    no_table.sqlite_errorcode = sqlite3.SQLITE_ERROR
    assert database_error(Path("x"), no_table) is None
    assert database_error(Path("x"), sqlite3.ProgrammingError("no code")) is None
    assert str(disk_error(Path("x"), OSError(30, "", "x/y"))) == (
        "x/y: expected a job store that can be read and written, got read-only file system"
    )
    assert disk_error(Path("x"), OSError(30, "read-only")).place == "x"


def test_damage_is_known_by_its_kind_whatever_its_details(tmp_path: Path) -> None:
    store = store_with(tmp_path, 0)
    damage = sqlite3.DatabaseError("malformed index")
    damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT_INDEX
    text = "expected a job store, got malformed index"
    with pytest.raises(NotAStore, match=text), store.transaction():
        raise damage


def test_what_is_no_store_of_this_version_is_refused_by_name(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)
    path = store.folder / FILE_NAME
    write(store, "PRAGMA user_version = 7")
    assert message(NotAStore, store.jobs) == f"{path}: expected job store version 2, got version 7"
    write(store, "PRAGMA application_id = 1")
    assert message(NotAStore, lambda: JobStore(store.folder)) == (
        f"{path}: expected the database of a job store, got another database"
    )
    path.write_bytes(b"no database at all, whatever its name may say" * 100)
    assert message(NotAStore, store.jobs) == (
        f"{path}: expected a job store, got file is not a database"
    )
    assert message(NotAStore, lambda: JobStore.create(store.folder)).startswith(
        f"{store.folder}: expected an empty folder for a new job store, got "
    )


def test_the_queue_is_counted(tmp_path: Path) -> None:
    store = store_with(tmp_path, 0)
    assert store.counts(0).oldest_ms is None
    for number in (1, 2, 3):
        add_batch(store, tmp_path, number, now_ms=100 * number)
    for node in ("one", "two"):
        job = store.lease(node, 400, LEASE_MS)
        assert job is not None
        if node == "one":
            store.publish(job.id, job.token, proof_of(job), 500)
    counts = store.counts(600)
    assert counts.by_state == {
        JobState.QUEUED: 1,
        JobState.LEASED: 1,
        JobState.PROVEN: 1,
        JobState.FAILED: 0,
        JobState.PARKED: 0,
    }
    assert (counts.waiting, counts.oldest_ms, counts.proven_last_hour) == (2, 200, 1)
    assert store.counts(500 + 3_600_000).proven_last_hour == 0
