"""Rows of a job store's database: what a transaction reads and writes of jobs."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields

from prover.node.errors import BatchConflict, JobNotFound
from prover.node.jobs import Job, JobState

HOUR_MS = 3_600_000
# SQLite's integers have a sign; it takes no larger number, not even to look it up.
_ID_MAX = 2**63 - 1
_COLUMNS = [field.name for field in fields(Job)]
_WAITING = (JobState.QUEUED, JobState.LEASED)


@dataclass(frozen=True, slots=True)
class Counts:
    """The queue at one moment. `oldest_ms`: when the oldest unproven job came, None without one."""

    by_state: Mapping[JobState, int]
    oldest_ms: int | None
    proven_last_hour: int

    @property
    def waiting(self) -> int:
        """Jobs that are not proven yet and will be taken without anybody's doing."""
        return sum(self.by_state[state] for state in _WAITING)


def counts_of(connection: sqlite3.Connection, now_ms: int) -> Counts:
    """The queue as a transaction sees it."""
    by_state = dict.fromkeys(JobState, 0)
    for state, count in connection.execute("SELECT state, COUNT(*) FROM jobs GROUP BY state"):
        by_state[JobState(state)] = count
    (oldest_ms,) = connection.execute(
        "SELECT MIN(added_ms) FROM jobs WHERE state IN (?, ?)", _WAITING
    ).fetchone()
    (proven,) = connection.execute(
        "SELECT COUNT(*) FROM jobs WHERE state = ? AND proven_ms > ?",
        (JobState.PROVEN, now_ms - HOUR_MS),
    ).fetchone()
    return Counts(by_state, oldest_ms, proven)


def all_jobs(connection: sqlite3.Connection) -> list[Job]:
    """Every job, the oldest batch first."""
    query = "SELECT * FROM jobs ORDER BY batch_number, id"
    return [_job_of(row) for row in connection.execute(query)]


def free_jobs(connection: sqlite3.Connection, node: str, now_ms: int) -> list[Job]:
    """Jobs that a node may take, what it holds already first, then the oldest batch."""
    rows = connection.execute(
        "SELECT * FROM jobs WHERE state IN (?, ?) AND (free_at_ms <= ? OR state = ? AND node = ?)"
        " ORDER BY state = ? AND node = ? DESC, batch_number, id",
        (*_WAITING, now_ms, JobState.LEASED, node, JobState.LEASED, node),
    )
    return [_job_of(row) for row in rows]


def waiting(connection: sqlite3.Connection, shapes: Sequence[str]) -> int:
    """How many jobs of these shapes are queued or leased."""
    marks = ", ".join("?" for _ in shapes)
    query = f"SELECT COUNT(*) FROM jobs WHERE state IN (?, ?) AND shape_name IN ({marks})"
    return connection.execute(query, (*_WAITING, *shapes)).fetchone()[0]


def same_batch(
    connection: sqlite3.Connection,
    domain: int,
    batch_number: int,
    witness_hash: str,
    statement_hash: str,
) -> Job | None:
    """The job of this batch, if there is one.

    Raises: BatchConflict for another witness, or another statement of the same.
    """
    row = connection.execute(
        "SELECT * FROM jobs WHERE domain = ? AND batch_number = ?",
        (hex(domain), batch_number),
    ).fetchone()
    if row is None:
        return None
    job = _job_of(row)
    place = f"batch {batch_number} ({job.place})"
    if job.witness_hash != witness_hash:
        raise BatchConflict(place, f"witness {job.witness_hash}", witness_hash)
    if job.statement_hash != statement_hash:
        raise BatchConflict(place, f"statement {job.statement_hash}", statement_hash)
    return job


def has_witness(connection: sqlite3.Connection, witness_hash: str) -> bool:
    """Whether a job has this witness."""
    query = "SELECT 1 FROM jobs WHERE witness_hash = ?"
    return connection.execute(query, (witness_hash,)).fetchone() is not None


def select(connection: sqlite3.Connection, job_id: int) -> Job:
    """One job. Raises: JobNotFound."""
    query = "SELECT * FROM jobs WHERE id = ?"
    row = connection.execute(query, (job_id,)).fetchone() if job_id <= _ID_MAX else None
    if row is None:
        raise JobNotFound(f"job {job_id}", "a job of the store", "no such job")
    return _job_of(row)


def insert(connection: sqlite3.Connection, job: Job) -> Job:
    """Write a new job; the job with its number."""
    values = _row_of(job) | {"id": None}
    marks = ", ".join(f":{name}" for name in _COLUMNS)
    cursor = connection.execute(
        f"INSERT INTO jobs ({', '.join(_COLUMNS)}) VALUES ({marks})", values
    )
    return select(connection, cursor.lastrowid or 0)


def save(connection: sqlite3.Connection, job: Job) -> None:
    """Write what a job has become."""
    changes = ", ".join(f"{name} = :{name}" for name in _COLUMNS)
    connection.execute(f"UPDATE jobs SET {changes} WHERE id = :id", _row_of(job))


def _row_of(job: Job) -> dict[str, object]:
    return asdict(job) | {"domain": hex(job.domain), "state": str(job.state)}


def _job_of(row: sqlite3.Row) -> Job:
    values = {name: row[name] for name in _COLUMNS}
    values |= {"domain": int(row["domain"], 16), "state": JobState(row["state"])}
    return Job(**values)
