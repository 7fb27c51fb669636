"""The folder of one job: witness store, checkpoint, and a lock that one process holds."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from prover.cluster.errors import ClusterError, JobInUse

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
# Where folders are while they are removed; no job's name begins like this.
_REMOVED = ".removed-"


@dataclass(frozen=True, slots=True)
class JobFolder:
    """Where one job keeps its files."""

    path: Path

    @property
    def store(self) -> Path:
        return self.path / "witness"

    @property
    def checkpoint(self) -> Path:
        return self.path / "checkpoint"

    def remove(self) -> None:
        """The job is done: nothing of it is needed any more.

        The folder is moved away first, so that a removal which is cut short is in nobody's
        way, and whoever comes next finds none of the files that are going. A network file system
        may keep what a worker still reads; that is no reason to fail.
        """
        try:
            remains = Path(tempfile.mkdtemp(prefix=_REMOVED, dir=self.path.parent))
            self.path.rename(remains / self.path.name)
        except OSError:
            shutil.rmtree(self.path, ignore_errors=True)
        for path in self.path.parent.glob(f"{_REMOVED}*"):
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def open_folder(work_dir: Path, job_id: str) -> Iterator[JobFolder]:
    """The folder of a job, made if absent and locked; the lock ends with the process at the latest.

    Raises: ClusterError for an id that is no plain name, JobInUse, OSError.
    """
    if not _NAME.fullmatch(job_id):
        raise ClusterError("job id", "up to 128 letters, digits, '.', '_' or '-'", repr(job_id))
    path = work_dir / job_id
    descriptor = _lock(path)
    try:
        yield JobFolder(path)
    finally:
        os.close(descriptor)


def _lock(path: Path) -> int:
    """A descriptor of the folder's lock file, which is locked until it is closed."""
    while True:
        path.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            descriptor = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Who held it may have removed the folder since the file was opened.
                if os.path.samestat(os.fstat(descriptor), os.stat(path / "lock")):
                    return descriptor
            except BlockingIOError:
                os.close(descriptor)
                raise JobInUse(str(path), "a job that nobody works on", "a locked one") from None
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
