"""A disk in memory that forgets what was not synced, and can fail or crash at every step.

It keeps what the journal may rely on and nothing more: appended bytes survive as a prefix of what
was written, a name survives once its folder was synced, a rename happens whole or not at all.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sequencer.journal_format import SECTOR_BYTES


class Crash(Exception):
    """The process ends here."""


@dataclass(eq=False)
class File:
    """`content` is what processes see, `durable` what a power cut leaves at least."""

    content: bytes = b""
    durable: bytes = b""


class Segment:
    """An open segment of the simulated disk."""

    def __init__(self, disk: CrashingDisk, file: File) -> None:
        self.disk = disk
        self.file = file

    def append(self, content: bytes) -> None:
        self.disk.write(self.file, content)
        self.disk.sync_file(self.file)

    def close(self) -> None:
        self.disk.held.discard(id(self.file))


@dataclass(eq=False)
class CrashingDisk:
    """`crash_at` counts steps from 1; `space_left` is in bytes; `fail_syncs` makes syncs fail."""

    files: dict[str, File] = field(default_factory=dict)
    durable_files: dict[str, File] = field(default_factory=dict)
    crash_at: int | None = None
    space_left: int | None = None
    fail_syncs: bool = False
    steps: int = 0
    sync_count: int = 0
    held: set[int] = field(default_factory=set)
    guarded: bool = False

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.crash_at:
            raise Crash

    def write(self, file: File, content: bytes) -> None:
        self.step()
        if self.space_left is not None:
            fitting = content[: self.space_left]
            self.space_left -= len(fitting)
            file.content += fitting
            if len(fitting) < len(content):
                raise OSError(errno.ENOSPC, "No space left on device", "segment")
        else:
            file.content += content

    def sync_file(self, file: File) -> None:
        self.step()
        if self.fail_syncs:
            raise OSError(errno.EIO, "Input/output error", "segment")
        self.sync_count += 1
        file.durable = file.content

    def sync_folder(self) -> None:
        self.step()
        self.durable_files = dict(self.files)

    # What journal_files.JournalFiles asks for.

    def names(self) -> list[str]:
        return sorted(self.files)

    def read(self, name: str, start: int = 0) -> bytes:
        return self.files[name].content[start:]

    def exists(self, name: str) -> bool:
        return name in self.files

    @contextmanager
    def guard(self) -> Iterator[None]:
        assert not self.guarded, "a guard inside a guard waits for ever"
        self.guarded = True
        try:
            yield
        finally:
            self.guarded = False

    def is_held(self, name: str) -> bool:
        return id(self.files[name]) in self.held

    def create(self, name: str, content: bytes) -> Segment:
        self.step()
        if name in self.files:
            raise FileExistsError(errno.EEXIST, "File exists", name)
        file = self.files[name] = File()
        self.write(file, content)
        self.sync_file(file)
        self.sync_folder()
        self.held.add(id(file))
        return Segment(self, file)

    def sync(self, name: str) -> None:
        self.sync_file(self.files[name])

    def truncate(self, name: str, size: int) -> None:
        self.step()
        file = self.files[name]
        file.content = file.content[:size]
        self.sync_file(file)

    def remove(self, name: str) -> None:
        self.step()
        del self.files[name]
        self.sync_folder()

    def save(self, name: str, content: bytes) -> None:
        file = File()
        self.write(file, content)
        self.sync_file(file)
        self.step()
        self.files[name] = file
        self.sync_folder()

    # What a test does to it.

    def after_kill(self) -> CrashingDisk:
        """The disk as the next process finds it: nothing is lost, and nothing is synced by that."""
        every = [*self.files.values(), *self.durable_files.values()]
        copies = {id(file): File(file.content, file.durable) for file in every}
        return CrashingDisk(
            {name: copies[id(file)] for name, file in self.files.items()},
            {name: copies[id(file)] for name, file in self.durable_files.items()},
        )

    def after_power_cut(
        self, keep: Callable[[int], int], *, keep_names: bool = False, zeros: int = 0
    ) -> CrashingDisk:
        """The disk after the power came back.

        Of each file's bytes that were not synced `keep(count)` remain. Where `zeros` are asked for
        only whole sectors of them do, and zeros follow, at most up to the file's size. Of the names
        that were not synced all or none remain.
        """
        survivors = {}
        for name, file in (self.files if keep_names else self.durable_files).items():
            content = file.durable
            if file.content.startswith(file.durable):
                lost = file.content[len(file.durable) :]
                kept = keep(len(lost))
                if zeros:
                    kept = max(0, kept - (len(content) + kept) % SECTOR_BYTES)
                content += lost[:kept] + bytes(min(zeros, len(lost) - kept))
            survivors[name] = File(content, content)
        return CrashingDisk(dict(survivors), dict(survivors))
