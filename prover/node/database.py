"""The SQLite database of a job store: its schema, and one connection for every transaction.

A connection lives for one transaction only. That costs a few milliseconds, which is nothing beside
a proof, and in return no open file keeps a folder from being unmounted, and a database that was
moved away is never written to through an old descriptor.
"""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from prover.node.errors import NotAStore, OtherVersion, StoreUnavailable
from prover.node.patience import database_error, disk_error, primary_code

FILE_NAME = "jobs.sqlite"
# "PPJS": tells a job store from any other SQLite database.
APPLICATION_ID = 0x5050_4A53
VERSION = 2
BUSY_TIMEOUT_S = 2.0
_DAMAGED_CODES = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)

_SCHEMA = """
CREATE TABLE store (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    domain TEXT NOT NULL,
    batch_number INTEGER NOT NULL,
    shape_name TEXT NOT NULL,
    witness_hash TEXT NOT NULL,
    statement_hash TEXT NOT NULL,
    added_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    token INTEGER NOT NULL,
    node TEXT NOT NULL,
    free_at_ms INTEGER NOT NULL,
    reason TEXT NOT NULL,
    proof_file TEXT NOT NULL,
    proof_hash TEXT NOT NULL,
    proven_ms INTEGER NOT NULL,
    UNIQUE (domain, batch_number)
);
CREATE INDEX jobs_in_order ON jobs (state, batch_number, id);
CREATE TABLE nodes (
    id TEXT PRIMARY KEY,
    started_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    job_id INTEGER NOT NULL,
    batch_number INTEGER NOT NULL,
    stage TEXT NOT NULL,
    proof_count INTEGER NOT NULL,
    is_draining INTEGER NOT NULL,
    is_asked_to_drain INTEGER NOT NULL
) WITHOUT ROWID;
"""


def create(folder: Path) -> None:
    """Make the database of a new store.

    Raises: NotAStore where there is one already, or the disk takes no write-ahead log;
    StoreUnavailable.
    """
    path = folder / FILE_NAME
    if path.exists():
        raise NotAStore(str(folder), f"a folder without {FILE_NAME}", "a job store")
    try:
        _create(path)
    except sqlite3.Error as error:
        raise StoreUnavailable(str(path), "a disk that takes a new database", str(error)) from error


def _create(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise NotAStore(str(path), "a disk that takes a write-ahead log", f"journal {mode}")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        # The version comes with the tables, so that a half-made database is not taken for a store.
        connection.executescript(
            f"BEGIN IMMEDIATE; {_SCHEMA}"
            f"INSERT INTO store VALUES ('id', '{secrets.token_hex(16)}');"
            "INSERT INTO store VALUES ('token', 0);"
            "INSERT INTO store VALUES ('is_draining', 0);"
            f"PRAGMA user_version = {VERSION}; COMMIT;"
        )


@contextmanager
def transaction(folder: Path, *, reads_only: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection inside one transaction, which is on the disk when the block ends.

    Raises: StoreUnavailable; NotAStore.
    """
    path = folder / FILE_NAME
    # "rw" and not "rwc": an empty mount point must not become an empty store.
    uri = f"file:{quote(str(path.absolute()))}?mode=rw"
    try:
        with closing(
            sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        ) as connection:
            connection.row_factory = sqlite3.Row
            _check_version(connection, path)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN" if reads_only else "BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            _commit(connection)
    except OSError as error:
        raise disk_error(folder, error) from error
    except sqlite3.Error as error:
        passing = database_error(folder, error)
        if passing is not None:
            raise passing from error
        if primary_code(error) in _DAMAGED_CODES:
            raise NotAStore(str(path), "a job store", str(error)) from error
        raise


def _commit(connection: sqlite3.Connection) -> None:
    connection.execute("COMMIT")


def store_id(connection: sqlite3.Connection) -> str:
    """What tells this store from every other, wherever it is mounted."""
    return connection.execute("SELECT value FROM store WHERE name = 'id'").fetchone()[0]


def next_token(connection: sqlite3.Connection) -> int:
    """A fencing token larger than every one before it, of any job."""
    connection.execute("UPDATE store SET value = value + 1 WHERE name = 'token'")
    return connection.execute("SELECT value FROM store WHERE name = 'token'").fetchone()[0]


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise NotAStore(str(path), "the database of a job store", "another database")
    if version == 0:
        raise StoreUnavailable(str(path), "a job store that is whole", "one that is being made")
    if version != VERSION:
        raise OtherVersion(str(path), f"job store version {VERSION}", f"version {version}")
