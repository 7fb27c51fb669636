"""The nodes of a job store: when each was last seen, what it does, and who shall drain."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass, fields, replace

from prover.node import jobs, rows
from prover.node.errors import JobNotFound, NodeNotFound, StaleLease, StoreDraining
from prover.node.store import JobStore

SILENT_MS = 30_000
"""A node that was not seen for so long is hung, killed, or cut off from the store."""

FORGOTTEN_MS = 86_400_000
"""After so long a silent node is no longer listed."""


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """What a node tells of itself. `job_id` is 0 while it holds no job."""

    id: str
    started_ms: int
    seen_ms: int
    job_id: int = 0
    batch_number: int = 0
    stage: str = ""
    proof_count: int = 0
    is_draining: bool = False
    is_asked_to_drain: bool = False

    def is_silent(self, now_ms: int) -> bool:
        """Whether it was not seen for too long."""
        return now_ms - self.seen_ms > SILENT_MS


@dataclass(frozen=True, slots=True)
class Orders:
    """What a node learns when it shows itself."""

    is_asked_to_drain: bool
    is_lease_lost: bool
    counts: rows.Counts


@dataclass(frozen=True, slots=True)
class Lease:
    """What a node holds."""

    job_id: int
    token: int
    duration_ms: int


_COLUMNS = [field.name for field in fields(NodeRecord)]


class Roster:
    """The nodes of a store."""

    def __init__(self, store: JobStore) -> None:
        self.store = store

    @property
    def _undo(self) -> str:
        """What ends the draining of the store."""
        return f"prover drain --undo --jobs {self.store.folder}"

    def beat(self, record: NodeRecord, lease: Lease | None) -> Orders:
        """Show a node, prolong its lease and give it its orders.

        Raises: StoreUnavailable.
        """

        def action() -> Orders:
            with self.store.transaction() as connection:
                asked = _is_asked(connection, record.id)
                _save(connection, replace(record, is_asked_to_drain=asked))
                connection.execute(
                    "DELETE FROM nodes WHERE seen_ms < ?", (record.seen_ms - FORGOTTEN_MS,)
                )
                is_lost = lease is not None and not _renew(connection, lease, record.seen_ms)
                is_asked = asked or is_draining(connection)
                return Orders(is_asked, is_lost, rows.counts_of(connection, record.seen_ms))

        return self.store.patience.run(action)

    def join(self, record: NodeRecord) -> None:
        """Show a node for the first time. Raises: StoreDraining; StoreUnavailable."""

        def action() -> None:
            with self.store.transaction() as connection:
                if is_draining(connection):
                    expected = f"a store that takes nodes ({self._undo})"
                    raise StoreDraining(str(self.store.folder), expected, "one that drains")
                _save(connection, record)

        self.store.patience.run(action)

    def leave(self, node: str) -> None:
        """Forget a node. Raises: StoreUnavailable."""

        def action() -> None:
            with self.store.transaction() as connection:
                connection.execute("DELETE FROM nodes WHERE id = ?", (node,))

        self.store.patience.run(action)

    def ask_to_drain(self, node: str | None, *, undo: bool = False) -> None:
        """Tell one node, or the store and thereby all nodes now and later, to drain or not to.

        Raises: NodeNotFound for a node that is not listed; StoreDraining when one node shall go on
        while the store drains; StoreUnavailable.
        """

        def action() -> None:
            with self.store.transaction() as connection:
                if node is None:
                    connection.execute(
                        "UPDATE store SET value = ? WHERE name = 'is_draining'", (int(not undo),)
                    )
                    if undo:
                        connection.execute("UPDATE nodes SET is_asked_to_drain = 0")
                    return
                changed = connection.execute(
                    "UPDATE nodes SET is_asked_to_drain = ? WHERE id = ?", (int(not undo), node)
                )
                if changed.rowcount == 0:
                    raise NodeNotFound(f"node {node}", "a node of this store", "no such node")
                if undo and is_draining(connection):
                    expected = f"a store that does not drain ({self._undo})"
                    raise StoreDraining(f"node {node}", expected, "one that drains all its nodes")

        self.store.patience.run(action)

    def nodes(self, now_ms: int) -> list[NodeRecord]:
        """All nodes that are not forgotten by now, the longest running first.

        Where no node is left, nobody deletes the records of those that were killed.
        """

        def action() -> list[NodeRecord]:
            with self.store.transaction(reads_only=True) as connection:
                found = connection.execute(
                    "SELECT * FROM nodes WHERE seen_ms >= ? ORDER BY started_ms, id",
                    (now_ms - FORGOTTEN_MS,),
                )
                return [_record_of(row) for row in found]

        return self.store.patience.run(action)

    def is_draining(self) -> bool:
        """Whether the whole store drains."""

        def action() -> bool:
            with self.store.transaction(reads_only=True) as connection:
                return is_draining(connection)

        return self.store.patience.run(action)


def is_draining(connection: sqlite3.Connection) -> bool:
    """Whether every node is asked to drain."""
    query = "SELECT value FROM store WHERE name = 'is_draining'"
    return bool(connection.execute(query).fetchone()[0])


def _is_asked(connection: sqlite3.Connection, node: str) -> bool:
    query = "SELECT is_asked_to_drain FROM nodes WHERE id = ?"
    row = connection.execute(query, (node,)).fetchone()
    return row is not None and bool(row[0])


def _renew(connection: sqlite3.Connection, lease: Lease, now_ms: int) -> bool:
    try:
        job = rows.select(connection, lease.job_id)
        rows.save(connection, jobs.renew(job, lease.token, now_ms, lease.duration_ms))
    except (StaleLease, JobNotFound):
        return False
    return True


def _save(connection: sqlite3.Connection, record: NodeRecord) -> None:
    marks = ", ".join(f":{name}" for name in _COLUMNS)
    connection.execute(
        f"INSERT OR REPLACE INTO nodes ({', '.join(_COLUMNS)}) VALUES ({marks})", asdict(record)
    )


def _record_of(row: sqlite3.Row) -> NodeRecord:
    flags = {name: bool(row[name]) for name in ("is_draining", "is_asked_to_drain")}
    return NodeRecord(**{name: row[name] for name in _COLUMNS} | flags)
