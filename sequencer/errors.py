"""Errors of the venue; each carries the place, what was expected and what was got.

SequencerError
├── BatchError           a batch that cannot be sealed or posted as it is
├── CommandFileError     a command file with a line that is not one canonical command
├── JournalError
│   ├── JournalDamaged       bytes of a journal that no writer leaves behind, torn tails aside
│   ├── JournalRefused       another writer holds the journal, or a newer epoch has taken it over
│   └── JournalWriteFailed   records that did not reach the disk
├── SnapshotError        a snapshot that cannot be used
├── ReplayDiffers        a sound journal that the rules do not lead to the recorded result
└── RebuildError         published words of batches that do not follow one another
    └── RootDiffers          published words that do not lead to the root they claim
"""

from __future__ import annotations

from pathlib import Path


class SequencerError(Exception):
    """Root of the errors of the venue."""

    def __init__(self, place: str, expected: object, got: object) -> None:
        super().__init__(place, expected, got)
        self.place = place
        self.expected = expected
        self.got = got

    def __str__(self) -> str:
        return f"{self.place}: expected {self.expected}, got {self.got}"


class BatchError(SequencerError):
    """A batch cannot be sealed or posted as it is."""


class CommandFileError(SequencerError):
    """A line of a command file is not what the format demands; lines count from 1."""

    def __init__(
        self, path: str | Path, line: int, place: str, expected: object, got: object
    ) -> None:
        super().__init__(place, expected, got)
        self.args = (path, line, place, expected, got)
        self.path = path
        self.line = line

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {super().__str__()}"


class JournalError(SequencerError):
    """Root of the errors of the journal."""


class JournalDamaged(JournalError):
    """A byte of a segment is not what a writer wrote; `offset` is where that was noticed."""

    def __init__(
        self, segment: str, offset: int, place: str, expected: object, got: object
    ) -> None:
        super().__init__(place, expected, got)
        self.args = (segment, offset, place, expected, got)
        self.segment = segment
        self.offset = offset

    def __str__(self) -> str:
        return f"{self.segment}: byte {self.offset}: {super().__str__()}"


class JournalRefused(JournalError):
    """This process may not write: another writer is alive, or has taken over."""


class JournalWriteFailed(JournalError):
    """Records did not reach the disk, so nothing of them may be acknowledged."""


class SnapshotError(SequencerError):
    """A snapshot is damaged, of another version or of another exchange."""


class ReplayDiffers(SequencerError):
    """The journal's bytes are sound, but replaying them gives something else than it records."""


class RebuildError(SequencerError):
    """A statement is missing, does not follow the one before, or holds words no batch publishes."""


class RootDiffers(RebuildError):
    """The published words do not lead to the root that the statement claims."""
