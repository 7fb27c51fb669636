"""A coordinator in a process of its own, to be killed.

Usage: python -m tests.support.cluster_child FOLDER KILL_AT. Proves the toy job on two worker
processes; the process ids of the workers go to stdout as they join. When it begins its KILL_AT-th
step on workers the coordinator kills itself; otherwise the proof is written to FOLDER/proof.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from prover.cluster.events import ClusterEvent, EventKind
from prover.executor_options import ExecutorKind, ExecutorOptions
from prover.executors import open_executor
from tests.support.cluster_jobs import SHARE_ALL, process_id, toy_job


def main(folder: Path, kill_at: int) -> None:
    asked = 0

    def watch(event: ClusterEvent) -> None:
        nonlocal asked
        if event.kind is EventKind.JOINED:
            os.write(1, f"{process_id(event)}\n".encode())
        if event.kind is EventKind.ASKED:
            asked += 1
            if asked == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    job = toy_job(folder)
    options = ExecutorOptions(ExecutorKind.PROCESS, 2, None, folder / "work", SHARE_ALL)
    with open_executor(options, watch) as executor:
        (folder / "proof").write_bytes(executor.prove(job))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
