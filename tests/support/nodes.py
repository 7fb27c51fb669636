"""Nodes in this process, and what happens to them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from circuits.cli_support import ExitCode
from prover.node import notices
from prover.node.core import Mode, NodeCore, ProvenBatch
from prover.node.heart import Timing
from prover.node.jobs import Job
from prover.node.node import Node
from prover.node.spool import Spool, SpooledProof
from prover.node.store import JobStore
from prover.prove import Stage
from tests.support.job_stores import proof_of
from tests.support.node_child import MadeUpWork, now_ms

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
