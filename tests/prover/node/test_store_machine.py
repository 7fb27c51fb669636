"""Several nodes on one store, in any order, beside a model that is plain dictionaries."""

from __future__ import annotations

import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from prover.node import database
from prover.node.database import FILE_NAME
from prover.node.errors import BatchConflict, JobNotFound, StaleLease, WrongState
from prover.node.jobs import ATTEMPTS_MAX, Job, JobState
from prover.node.patience import Patience
from prover.node.roster import Lease, NodeRecord, Roster
from prover.node.store import JobStore
from tests.support.job_stores import LEASE_MS, Clock, add_batch, proof_of

WAYS = ("lease", "renew", "refuse", "try again", "postpone", "release", "publish", "adopt")
REASONS = {"refuse": "broken", "try again": "crashed", "postpone": "no memory"}
NODES = st.sampled_from(["one", "two", "three"])
AGAIN = Patience(1, lambda seconds: True, lambda: 0.0)


@dataclass
class Entry:
    """What the model knows of a job."""

    batch: int
    state: JobState = JobState.QUEUED
    token: int = 0
    node: str = ""
    attempts: int = 0
    free_at_ms: int = 0
    reason: str = ""


class Nodes(RuleBasedStateMachine):
    """`hands`: the job that each node believes it holds, as the store gave it."""

    @initialize()
    def open(self) -> None:
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        self.store = JobStore.create(self.folder / "store").with_patience(AGAIN)
        self.commit, self.answers_to_lose = database._commit, 0
        database._commit = self._commit
        # While one connection stays open, closing another does not clear up the log each time.
        self.kept_open = sqlite3.connect(self.store.folder / FILE_NAME)
        self.kept_open.execute("SELECT * FROM store").fetchall()
        self.clock = Clock()
        self.entries: dict[int, Entry] = {}
        self.hands: dict[str, Job] = {}
        self.tokens = [0]
        self.publications: list[int] = []
        for batch in (2, 1):
            self.add(batch)

    def teardown(self) -> None:
        if hasattr(self, "temporary"):
            database._commit = self.commit
            self.kept_open.close()
            self.temporary.cleanup()

    def _commit(self, connection: sqlite3.Connection) -> None:
        self.commit(connection)
        if connection.total_changes and self.answers_to_lose:
            self.answers_to_lose -= 1
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error

    @rule()
    def lose_an_answer(self) -> None:
        """The next commit is carried out, and nobody learns that it was."""
        self.answers_to_lose = 1

    @rule(batch=st.integers(1, 3))
    def add(self, batch: int) -> None:
        known = [number for number, entry in self.entries.items() if entry.batch == batch]
        added = add_batch(self.store, self.folder, batch, now_ms=self.clock.now_ms)
        assert added.is_new is not bool(known)
        self.entries.setdefault(added.job.id, Entry(batch))
        assert known in ([], [added.job.id])
        with pytest.raises(BatchConflict, match=rf"^batch {batch} \(job {added.job.id}\): "):
            add_batch(self.store, self.folder, batch, version=1)

    @rule(milliseconds=st.sampled_from([1, LEASE_MS // 2, LEASE_MS, 30 * LEASE_MS]))
    def pass_time(self, milliseconds: int) -> None:
        self.clock.now_ms += milliseconds

    @rule(node=NODES)
    def take_over(self, node: str) -> None:
        """All leases end, and a node asks: who held the job believes so still."""
        self.clock.now_ms += 2 * LEASE_MS
        self._lease(node)

    @rule(node=NODES, what=st.sampled_from(WAYS))
    def act(self, node: str, what: str) -> None:
        """A node does something with the job that it believes to hold, or asks for one."""
        if what == "lease" or node not in self.hands:
            self._lease(node)
        elif self.hands[node].id not in self.entries:
            with pytest.raises(JobNotFound):
                self.store.publish(self.hands[node].id, self.hands[node].token, b"proof", 0)
        elif what == "renew":
            self._renew(node, self.hands[node])
        elif what == "publish":
            self._publish(self.hands[node])
        elif what == "adopt":
            self._adopt(self.hands[node])
        else:
            self._end(self.hands[node], what)

    @rule(batch=st.integers(1, 3))
    def retry(self, batch: int) -> None:
        for number, entry in self.entries.items():
            if entry.batch != batch:
                continue
            if entry.state not in (JobState.FAILED, JobState.PARKED):
                with pytest.raises(WrongState):
                    self.store.retry(number, self.clock.now_ms)
                continue
            self.store.retry(number, self.clock.now_ms)
            entry.state, entry.attempts, entry.free_at_ms = JobState.QUEUED, 0, self.clock.now_ms
            entry.reason = ""

    @rule(batch=st.integers(1, 3))
    def remove(self, batch: int) -> None:
        for number, entry in list(self.entries.items()):
            if entry.batch != batch:
                continue
            if entry.state is JobState.LEASED and entry.free_at_ms > self.clock.now_ms:
                with pytest.raises(WrongState):
                    self.store.remove(number, self.clock.now_ms)
                continue
            assert self.store.remove(number, self.clock.now_ms).id == number
            del self.entries[number]

    def _lease(self, node: str) -> None:
        now_ms = self.clock.now_ms
        job = self.store.lease(node, now_ms, LEASE_MS)
        for number, entry in self._free(node):
            is_own = entry.state is JobState.LEASED and entry.node == node
            if not is_own and entry.attempts >= ATTEMPTS_MAX:
                entry.state, entry.reason = JobState.PARKED, "went silent"
                continue
            assert job is not None
            assert job.id == number
            if is_own:
                assert job.token == entry.token
            else:
                assert job.token > self.tokens[-1]
                self.tokens.append(job.token)
                entry.attempts += 1
            entry.state, entry.node, entry.token = JobState.LEASED, node, job.token
            entry.free_at_ms = now_ms + LEASE_MS
            self.hands[node] = job
            return
        assert job is None

    def _free(self, node: str) -> list[tuple[int, Entry]]:
        """What the node may take, in the order in which it must be given."""

        def is_own(entry: Entry) -> bool:
            return entry.state is JobState.LEASED and entry.node == node

        found = [
            (number, entry)
            for number, entry in self.entries.items()
            if entry.state in (JobState.QUEUED, JobState.LEASED)
            and (entry.free_at_ms <= self.clock.now_ms or is_own(entry))
        ]
        return sorted(found, key=lambda each: (not is_own(each[1]), each[1].batch))

    def _holds(self, job: Job) -> bool:
        entry = self.entries[job.id]
        return (entry.state, entry.token) == (JobState.LEASED, job.token)

    def _renew(self, node: str, job: Job) -> None:
        now_ms, record = self.clock.now_ms, NodeRecord(node, 0, self.clock.now_ms)
        orders = Roster(self.store).beat(record, Lease(job.id, job.token, LEASE_MS))
        assert orders.is_lease_lost is not self._holds(job)
        if self._holds(job):
            self.entries[job.id].free_at_ms = now_ms + LEASE_MS

    def _end(self, job: Job, what: str) -> None:
        holds, now_ms, entry = self._holds(job), self.clock.now_ms, self.entries[job.id]
        expected = {
            "refuse": JobState.FAILED,
            "try again": JobState.PARKED if entry.attempts >= ATTEMPTS_MAX else JobState.QUEUED,
        }.get(what, JobState.QUEUED)
        reason = REASONS.get(what, entry.reason)
        was_same = (entry.state, entry.token, entry.reason) == (expected, job.token, reason)
        try:
            match what:
                case "refuse":
                    found = self.store.refuse(job.id, job.token, reason)
                case "try again":
                    found = self.store.try_again(job.id, job.token, reason, now_ms)
                case "postpone":
                    found = self.store.postpone(job.id, job.token, reason, now_ms)
                case _:
                    found = self.store.release(job.id, job.token, now_ms)
        except StaleLease:
            assert not holds
            assert not was_same
            return
        assert holds or was_same
        assert (found.state, found.reason) == (expected, reason)
        if was_same:
            assert (found.attempts, found.free_at_ms) == (entry.attempts, entry.free_at_ms)
        entry.state, entry.free_at_ms, entry.attempts = expected, found.free_at_ms, found.attempts
        entry.reason = reason

    def _publish(self, job: Job) -> None:
        holds, entry = self._holds(job), self.entries[job.id]
        was_mine = (entry.state, entry.token, entry.reason) == (
            JobState.PROVEN, job.token, "published",
        )  # fmt: skip
        try:
            self.store.publish(job.id, job.token, proof_of(job), self.clock.now_ms)
        except StaleLease:
            assert not holds
            assert not was_mine
            return
        assert holds or was_mine
        if holds:
            self.publications.append(job.id)
            entry.state, entry.reason = JobState.PROVEN, "published"

    def _adopt(self, job: Job) -> None:
        entry, now_ms = self.entries[job.id], self.clock.now_ms
        is_own = self.store.adopt(job.id, job.witness_hash, job.token, proof_of(job), now_ms)
        assert is_own is (entry.state is not JobState.PROVEN)
        if is_own:
            self.publications.append(job.id)
            entry.state, entry.reason = JobState.PROVEN, "adopted"

    @invariant()
    def store_and_model_agree(self) -> None:
        if not hasattr(self, "store"):
            return
        reopened = JobStore(self.store.folder)
        jobs = reopened.jobs()
        assert [job.batch_number for job in jobs] == sorted(
            entry.batch for entry in self.entries.values()
        )
        for job in jobs:
            entry = self.entries[job.id]
            assert (job.state, job.attempts) == (entry.state, entry.attempts)
            if job.state is JobState.PROVEN:
                assert reopened.proof(job) == proof_of(job)
        assert len(self.publications) == len(set(self.publications))
        proofs = [path.name for path in (self.store.folder / "proofs").iterdir()]
        assert sorted(proofs) == sorted(job.proof_file for job in jobs if job.proof_file)
        for folder in ("witnesses", "statements"):
            kept = {path.stem for path in (self.store.folder / folder).iterdir()}
            assert kept == {job.witness_hash for job in jobs}


@pytest.mark.slow
class TestNodes(Nodes.TestCase):
    """Many runs of the machine."""


# Every step writes to the disk, so there are fewer examples than elsewhere.
TestNodes.settings = settings(max_examples=settings().max_examples // 2, stateful_step_count=25)
