"""The job store: a folder with an SQLite database and files, shared by the nodes of one machine.

Every operation is one transaction and may be repeated: after an error that leaves open whether it
was carried out, doing it again gives the same result. All nodes must run on the machine that holds
the folder, since SQLite's write-ahead log can not be shared over a network.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, contextmanager
from copy import copy
from dataclasses import dataclass
from pathlib import Path

from prover.node import database, jobs, rows
from prover.node.errors import (
    JobNotFound,
    NotAStore,
    StaleLease,
    StoreUnavailable,
    WrongState,
)
from prover.node.files import Origin, StoreFiles
from prover.node.jobs import Job, JobState
from prover.node.patience import AT_ONCE, Patience

# SQLite's integers have a sign; a venue does not reach 2^63 batches.
BATCH_NUMBER_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class NewJob:
    """A batch to be proven: who it is, in which shape, and its statement file's text."""

    domain: int
    batch_number: int
    shape_name: str
    witness_hash: str
    statement: str

    @property
    def statement_hash(self) -> str:
        """SHA-256 of the statement file."""
        return hashlib.sha256(self.statement.encode()).hexdigest()


class _Change:
    """A change of a job that is tried again when its answer was lost, and knows its own work.

    `is_own`: whether the job has become what it is by this change.
    """

    def __init__(self, change: Callable[[Job], Job]) -> None:
        self._change = change
        self._made: Job | None = None
        self.is_own = False

    def __call__(self, found: Job) -> Job:
        if found == self._made:
            return found
        self._made = self._change(found)
        self.is_own = self._made != found
        return self._made


@dataclass(frozen=True, slots=True)
class Added:
    """What became of an addition: the job, and whether it was not in the store before."""

    job: Job
    is_new: bool


class JobStore:
    """Operations on a store. Times are milliseconds and come from the caller.

    Every operation raises StoreUnavailable when the store stays away longer than `patience` allows,
    and NotAStore when another one lies in its place.
    """

    def __init__(self, folder: Path, patience: Patience = AT_ONCE) -> None:
        """Open a store. Raises: NotAStore; StoreUnavailable."""
        self.folder = folder
        self.files = StoreFiles(folder)
        self.patience = patience
        self.id = ""
        self.id = patience.run(self._read_id)

    def with_patience(self, patience: Patience) -> JobStore:
        """The same store with another patience, without looking at it again."""
        other = copy(self)
        other.patience = patience
        return other

    @staticmethod
    def create(folder: Path, patience: Patience = AT_ONCE) -> JobStore:
        """Make a new store; the folder is made if it is not there.

        Raises: NotAStore where something is in the folder already, or the disk is unfit;
        StoreUnavailable; OSError. What was made until then is removed.
        """
        was_there = folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        found = sorted(path.name for path in folder.iterdir())
        if found:
            raise NotAStore(str(folder), "an empty folder for a new job store", found[0])
        with ExitStack() as undo:
            undo.callback(_clear, folder, itself=not was_there)
            StoreFiles(folder).create()
            database.create(folder)
            undo.pop_all()
        return JobStore(folder, patience)

    def add(self, new: NewJob, witness: Path, now_ms: int) -> Added:
        """Queue a batch, with a copy of its witness; what is there already stays as it is.

        Raises: BatchConflict when the store has another witness for the batch; FileDamaged when
        the file is not the witness that `new` speaks of; OSError when it cannot be read.
        """
        if not 0 <= new.batch_number <= BATCH_NUMBER_MAX:
            expected = f"a number up to {BATCH_NUMBER_MAX}"
            raise WrongState("batch number", expected, new.batch_number)

        job = Job(
            0, new.domain, new.batch_number, new.shape_name,
            new.witness_hash, new.statement_hash, now_ms,
        )  # fmt: skip
        inserted: Job | None = None

        def action() -> Added:
            nonlocal inserted
            # The files first: a job never speaks of a witness that is not there.
            with self.transaction(reads_only=True) as connection:
                _same_batch(connection, new)
            self.files.keep_witness(witness, new.witness_hash, new.statement)
            with self.transaction() as connection:
                # Who removes a job drops its files in a transaction, so from here on they stay.
                if not self.files.has_witness(new.witness_hash):
                    path = str(self.files.witness(new.witness_hash))
                    raise StoreUnavailable(path, "the witness that was copied", "no such file")
                known = _same_batch(connection, new)
                if known is not None:
                    return Added(known, is_new=known == inserted)
                inserted = rows.insert(connection, job)
                return Added(inserted, is_new=True)

        return self.patience.run(action)

    def lease(
        self,
        node: str,
        now_ms: int,
        lease_ms: int,
        shapes: Sequence[str] | None = None,
        passed_over: AbstractSet[int] = frozenset(),
    ) -> Job | None:
        """The oldest batch that is free, now in the hands of `node`; None without one.

        A node holds one job at a time: one that it holds already is given to it again. Jobs whose
        last attempt went silent are parked on the way. `shapes`: take no others; `passed_over`:
        take none of these jobs.
        """

        def action() -> Job | None:
            with self.transaction() as connection:
                for job in rows.free_jobs(connection, node, now_ms):
                    if job.node == node and job.state is JobState.LEASED:
                        leased = jobs.renew(job, job.token, now_ms, lease_ms)
                    elif job.id in passed_over or not (shapes is None or job.shape_name in shapes):
                        continue
                    else:
                        token = database.next_token(connection)
                        leased = jobs.lease(job, node, token, now_ms, lease_ms)
                    rows.save(connection, leased)
                    if leased.state is JobState.LEASED:
                        return leased
            return None

        return self.patience.run(action)

    def publish(self, job_id: int, token: int, proof: bytes, now_ms: int) -> Job:
        """Make a proof the job's, once: its file is on the disk before the job says so.

        Assumes: the caller has verified the proof. Raises: StaleLease, JobNotFound.
        """

        def action() -> Job:
            job = self._read_job(job_id)
            kept = self.files.keep_proof(job, Origin.LEASE, token, proof)
            try:
                return self._change_once(
                    job_id, lambda found: jobs.publish(found, token, kept, now_ms)
                )
            except (StaleLease, JobNotFound):
                self.files.drop(self.files.proof(kept.name))
                raise

        return self.patience.run(action)

    def adopt(self, job_id: int, witness_hash: str, token: int, proof: bytes, now_ms: int) -> bool:
        """Make a proof of an earlier lease the job's, unless it is proven already; whether it was.

        Assumes: the caller has verified the proof against the statement in the store.
        Raises: WrongState when the job has another witness now; JobNotFound.
        """

        change: _Change | None = None

        def action() -> bool:
            nonlocal change
            kept = self.files.keep_proof(self._read_job(job_id), Origin.SPOOL, token, proof)
            change = change or _Change(lambda found: jobs.adopt(found, witness_hash, kept, now_ms))
            try:
                adopted = self._change_once(job_id, change)
            except (WrongState, JobNotFound):
                self.files.drop(self.files.proof(kept.name))
                raise
            if adopted.proof_file != kept.name:
                self.files.drop(self.files.proof(kept.name))
            return change.is_own

        return self.patience.run(action)

    def refuse(self, job_id: int, token: int, reason: str) -> Job:
        """Set a job aside whose witness can not be proven. Raises: StaleLease, JobNotFound."""
        return self._change(job_id, lambda job: jobs.refuse(job, token, reason))

    def try_again(self, job_id: int, token: int, reason: str, now_ms: int) -> Job:
        """End an attempt without a verdict on the witness. Raises: StaleLease, JobNotFound."""
        return self._change(job_id, lambda job: jobs.try_again(job, token, reason, now_ms))

    def postpone(self, job_id: int, token: int, reason: str, now_ms: int) -> Job:
        """Give a job back that this machine cannot prove now. Raises: StaleLease, JobNotFound."""
        return self._change(job_id, lambda job: jobs.postpone(job, token, reason, now_ms))

    def release(self, job_id: int, token: int, now_ms: int) -> Job:
        """Give a job back untouched. Raises: StaleLease, JobNotFound."""
        return self._change(job_id, lambda job: jobs.release(job, token, now_ms))

    def retry(self, job_id: int, now_ms: int) -> Job:
        """Queue a failed or parked job again. Raises: WrongState, JobNotFound."""
        return self._change(job_id, lambda job: jobs.retry(job, now_ms))

    def remove(self, job_id: int, now_ms: int) -> Job:
        """Forget a job and its files. Raises: WrongState while its lease lasts; JobNotFound.

        The job goes first: a process that dies in between leaves files that nobody asks for, and
        never a job without its witness.
        """
        removed: Job | None = None

        def action() -> Job:
            nonlocal removed
            with self.transaction() as connection:
                try:
                    found = rows.select(connection, job_id)
                except JobNotFound:
                    if removed is None:
                        raise
                else:
                    if found.is_held(now_ms):
                        expected = "a job that no node holds"
                        raise WrongState(found.place, expected, f"held by {found.node}")
                    removed = found
                    connection.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
            self._drop_files(removed)
            return removed

        return self.patience.run(action)

    def job(self, job_id: int) -> Job:
        """One job. Raises: JobNotFound."""
        return self.patience.run(lambda: self._read_job(job_id))

    def jobs(self) -> list[Job]:
        """All jobs, the oldest batch first."""

        def action() -> list[Job]:
            with self.transaction(reads_only=True) as connection:
                return rows.all_jobs(connection)

        return self.patience.run(action)

    def waiting(self, shapes: Sequence[str]) -> int:
        """How many jobs of these shapes are queued or leased."""

        def action() -> int:
            with self.transaction(reads_only=True) as connection:
                return rows.waiting(connection, shapes)

        return self.patience.run(action)

    def checked_witness(self, job: Job) -> Path:
        """Where the witness of a job is, once its hash was compared. Raises: FileDamaged."""
        return self.patience.run(lambda: self.files.checked_witness(job))

    def statement(self, job: Job) -> str:
        """The statement of a job, as text. Raises: FileDamaged."""
        return self.patience.run(lambda: self.files.read_statement(job))

    def proof(self, job: Job) -> bytes:
        """The proof of a proven job, once its hash was compared. Raises: FileDamaged."""
        return self.patience.run(lambda: self.files.read_proof(job))

    def counts(self, now_ms: int) -> rows.Counts:
        """The queue now."""

        def action() -> rows.Counts:
            with self.transaction(reads_only=True) as connection:
                return rows.counts_of(connection, now_ms)

        return self.patience.run(action)

    @contextmanager
    def transaction(self, *, reads_only: bool = False) -> Iterator[sqlite3.Connection]:
        """One transaction on this very store.

        Raises: NotAStore; StoreUnavailable, also while another store lies in its place.
        """
        with database.transaction(self.folder, reads_only=reads_only) as connection:
            found = database.store_id(connection)
            if self.id and found != self.id:
                raise StoreUnavailable(str(self.folder), f"job store {self.id}", f"store {found}")
            yield connection

    def _drop_files(self, removed: Job) -> None:
        # In a transaction, so that nobody adds the same witness meanwhile and loses its copy.
        with self.transaction() as connection:
            if removed.proof_file:
                self.files.drop(self.files.proof(removed.proof_file))
            if not rows.has_witness(connection, removed.witness_hash):
                witness, statement = self.files.witness, self.files.statement
                self.files.drop(witness(removed.witness_hash), statement(removed.witness_hash))

    def _read_id(self) -> str:
        with self.transaction(reads_only=True) as connection:
            return database.store_id(connection)

    def _change(self, job_id: int, change: Callable[[Job], Job]) -> Job:
        repeated = _Change(change)
        return self.patience.run(lambda: self._change_once(job_id, repeated))

    def _change_once(self, job_id: int, change: Callable[[Job], Job]) -> Job:
        with self.transaction() as connection:
            changed = change(rows.select(connection, job_id))
            rows.save(connection, changed)
            return changed

    def _read_job(self, job_id: int) -> Job:
        with self.transaction(reads_only=True) as connection:
            return rows.select(connection, job_id)


def _clear(folder: Path, *, itself: bool) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()
    if itself:
        folder.rmdir()


def _same_batch(connection: sqlite3.Connection, new: NewJob) -> Job | None:
    return rows.same_batch(
        connection, new.domain, new.batch_number, new.witness_hash, new.statement_hash
    )
