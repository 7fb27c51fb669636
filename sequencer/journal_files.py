"""The file layer of the journal: the few operations it needs, each durable when it returns.

The writer's rules against a second writer live in journal.py; here are the two locks they use.
Both are advisory locks of the kernel, which end with the process that holds them.
    guard      one exclusive lock on `journal.lock`, held for the length of one commit or takeover
    hold       one on the segment that a writer appends to, held as long as the writer lives
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from circuits.cli_support import atomic_write

LOCK_NAME = "journal.lock"


class OpenSegment(Protocol):
    """A segment that its writer holds and appends to."""

    def append(self, content: bytes) -> None:
        """Write at the end; durable on return. Raises: OSError; some bytes may be written then."""
        ...

    def close(self) -> None:
        """Let go of the segment."""
        ...


class JournalFiles(Protocol):
    """A folder of segments and snapshots."""

    def names(self) -> list[str]:
        """All file names, sorted."""
        ...

    def read(self, name: str, start: int = 0) -> bytes:
        """The bytes of a file from `start` on."""
        ...

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        ...

    def guard(self) -> AbstractContextManager[None]:
        """A context in which no other process commits or takes over."""
        ...

    def is_held(self, name: str) -> bool:
        """Whether a living writer appends to this segment."""
        ...

    def create(self, name: str, content: bytes) -> OpenSegment:
        """Make a new segment, hold it, and write its first bytes; durable on return.

        Raises: FileExistsError; OSError.
        """
        ...

    def sync(self, name: str) -> None:
        """Make durable what any process has written to a file."""
        ...

    def truncate(self, name: str, size: int) -> None:
        """Cut a file; durable on return."""
        ...

    def remove(self, name: str) -> None:
        """Delete a file; durable on return."""
        ...

    def save(self, name: str, content: bytes) -> None:
        """Write a file whole or not at all; durable on return."""
        ...


class SegmentFile:
    """An open segment on the disk, locked by this process."""

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        self._descriptor = os.open(path, flags, 0o644)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def append(self, content: bytes) -> None:
        """Write at the end; durable on return. Raises: OSError; some bytes may be written then."""
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Let go of the segment."""
        os.close(self._descriptor)


class JournalFolder:
    """A folder on the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def make(cls, path: Path) -> JournalFolder:
        """The folder, made first where there is none. Raises: OSError."""
        if not path.is_dir():
            path.mkdir(parents=True)
            _sync(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        return cls(path)

    def names(self) -> list[str]:
        """All file names, sorted."""
        return sorted(os.listdir(self.path))

    def read(self, name: str, start: int = 0) -> bytes:
        """The bytes of a file from `start` on."""
        with open(self.path / name, "rb") as stream:
            stream.seek(start)
            return stream.read()

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return os.path.lexists(self.path / name)

    @contextmanager
    def guard(self) -> Iterator[None]:
        """A context in which no other process commits or takes over."""
        descriptor = os.open(self.path / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def is_held(self, name: str) -> bool:
        """Whether a living writer appends to this segment."""
        descriptor = os.open(self.path / name, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def create(self, name: str, content: bytes) -> SegmentFile:
        """Make a new segment, hold it, and write its first bytes; durable on return.

        Raises: FileExistsError; OSError.
        """
        segment = SegmentFile(self.path / name)
        try:
            segment.append(content)
            self._sync_folder()
        except BaseException:
            segment.close()
            raise
        return segment

    def sync(self, name: str) -> None:
        """Make durable what any process has written to a file."""
        _sync(self.path / name, os.O_RDONLY)

    def truncate(self, name: str, size: int) -> None:
        """Cut a file; durable on return."""
        os.truncate(self.path / name, size)
        self.sync(name)

    def remove(self, name: str) -> None:
        """Delete a file; durable on return."""
        os.unlink(self.path / name)
        self._sync_folder()

    def save(self, name: str, content: bytes) -> None:
        """Write a file whole or not at all; durable on return."""
        with atomic_write(self.path / name) as stream:
            stream.write(content)

    def _sync_folder(self) -> None:
        _sync(self.path, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
