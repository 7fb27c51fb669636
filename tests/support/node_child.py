"""A node in a process of its own, which may be signalled and killed: its proofs are made up.

Usage: python -m tests.support.node_child STORE SPOOL MODE LEASE_S POLL_S [GATE [MOMENT]]. With
GATE, every proof waits in the middle until a file of that name exists. With MOMENT, one of DEATHS,
the process is killed right after that. Events go to stdout, a line each.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from prover.node.core import FailureKind, Mode, NodeCore, ProvenBatch
from prover.node.display import LineLog
from prover.node.files import StoreFiles
from prover.node.heart import Timing
from prover.node.jobs import Job
from prover.node.node import Node
from prover.node.port import WitnessRefused
from prover.node.spool import Spool
from prover.node.store import JobStore
from prover.prove import Stage
from tests.support.job_stores import SHAPE, proof_of
from verifier.errors import VerificationError

LOOK_S = 0.005
# Once a proof is on the node's own disk, and once its file is in the store but no job names it.
DEATHS = {"spooled": (Spool, "keep"), "proof kept": (StoreFiles, "keep_proof")}


class MadeUpWork:
    """Proves nothing, in any time that its gate takes to open."""

    shapes = (SHAPE,)

    def __init__(self, gate: Path | None = None) -> None:
        self._gate = gate
        self._pause = threading.Event()

    def prove(self, job: Job, witness: Path, observe: Callable[[Stage], None]) -> ProvenBatch:
        if not witness.read_bytes().startswith(b"witness of batch"):
            raise WitnessRefused(FailureKind.RULE, "a witness that breaks a rule")
        observe(Stage.LOAD)
        observe(Stage.COMMIT)
        while self._gate is not None and not self._gate.exists():
            self._pause.wait(LOOK_S)
        observe(Stage.OPENING)
        observe(Stage.DONE)
        return ProvenBatch(proof_of(job), {Stage.COMMIT: 0.5}, 0.25, 100)

    def check(self, job: Job, statement: str, proof: bytes) -> None:
        if statement != f"statement of batch {job.batch_number}" or proof != proof_of(job):
            raise VerificationError("proof", "the made-up one", "another")


def now_ms() -> int:
    return time.time_ns() // 10**6


def die_after(moment: str) -> None:
    """The first call of a method is carried out, and the process killed before it returns."""
    owner, name = DEATHS[moment]
    method = getattr(owner, name)

    def last_call(*arguments: object) -> None:
        method(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, last_call)


def main(arguments: list[str]) -> int:
    store, spool, mode, lease_s, poll_s = arguments[:5]
    gate = Path(arguments[5]) if len(arguments) > 5 else None
    if len(arguments) > 6:
        die_after(arguments[6])
    log = LineLog(lambda line: os.write(1, f"{line}\n".encode()) and None, now_ms)
    timing = Timing(float(poll_s), float(lease_s))
    core = NodeCore(Mode(mode), timing.poll_s)
    work = MadeUpWork(gate)
    return Node(JobStore(Path(store)), Spool(Path(spool)), work, core, log, now_ms, timing).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
