"""Errors of the venue; each carries the place, what was expected and what was got.

SequencerError
├── BatchError         a batch that cannot be sealed or posted as it is
└── CommandFileError   a command file with a line that is not one canonical command
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
