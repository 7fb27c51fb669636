"""A node's workers: where they find the job in hand, and what a log is told of them."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from prover.cluster.events import ClusterEvent, EventKind, Notify
from prover.node import notices
from prover.node.errors import JobNotFound
from prover.node.jobs import Job, JobState
from prover.node.store import JobStore

_DONE = (JobState.PROVEN, JobState.FAILED)


class WorkFolder:
    """One folder per job, for all nodes of a store: the next attempt goes on where one ended."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def name(self, job: Job) -> str:
        """What an executor calls a job; a store never gives the number of a job again."""
        return f"job-{job.id}"

    def forget(self, job: Job) -> None:
        """Remove what attempts at a job have left. The job itself is none the worse."""
        shutil.rmtree(self.path / self.name(job), ignore_errors=True)

    def prune(self, store: JobStore) -> None:
        """Forget the jobs that no node will take up again. Raises: StoreError."""
        for path in sorted(self.path.glob("job-*")):
            number = path.name.removeprefix("job-")
            if number.isdecimal() and _is_done(store, int(number)):
                shutil.rmtree(path, ignore_errors=True)

    def remove_if_empty(self) -> None:
        """Leave nothing behind where no job is in hand."""
        with suppress(OSError):
            self.path.rmdir()


def _is_done(store: JobStore, job_id: int) -> bool:
    try:
        return store.job(job_id).state in _DONE
    except JobNotFound:
        return True


def cluster_watch(watch: notices.Watch) -> Notify:
    """Hand on what happens to workers, but not every step that they begin."""

    def notify(event: ClusterEvent) -> None:
        if event.kind is not EventKind.ASKED:
            watch(notices.Cluster(event.kind, event.worker, event.detail))

    return notify
