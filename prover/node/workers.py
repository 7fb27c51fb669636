"""A node's workers: where they find the job in hand, and what a log is told of them."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from prover.cluster.errors import JobInUse
from prover.cluster.events import ClusterEvent, EventKind, Notify
from prover.cluster.folder import open_folder
from prover.node import notices
from prover.node.errors import JobNotFound
from prover.node.jobs import Job, JobState
from prover.node.store import JobStore

_DONE = (JobState.PROVEN, JobState.FAILED)
_NAME = re.compile(r"job-([1-9][0-9]*)")


class WorkFolder:
    """One folder per job, for all nodes of one store: the next attempt goes on where one ended.

    Assumes: nobody else keeps anything in it, another store in particular (its path names the
    store), since jobs of two stores have the same numbers.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def name(self, job: Job) -> str:
        """What an executor calls a job; a store never gives the number of a job again."""
        return f"job-{job.id}"

    def forget(self, job: Job) -> None:
        """Remove what attempts at a job have left. The job itself is none the worse."""
        self._remove(self.name(job))

    def prune(self, store: JobStore) -> None:
        """Forget the jobs that no node will take up again. Raises: StoreError."""
        for path in sorted(self.path.glob("job-*")):
            found = _NAME.fullmatch(path.name)
            if found and _is_done(store, int(found[1])):
                self._remove(path.name)

    def remove_if_empty(self) -> None:
        """Leave nothing behind where no job is in hand."""
        with suppress(OSError):
            self.path.rmdir()

    def _remove(self, name: str) -> None:
        """Remove a job's folder, unless a process still works in it: then it stays for now."""
        with suppress(JobInUse, OSError), open_folder(self.path, name) as folder:
            folder.remove()


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
