"""What every command shares: exit codes, one-line errors, progress and whole-or-nothing files."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import IO, Any

import click

# Module that is missing -> the optional extra of the distribution that brings it.
EXTRA_OF_MODULE = {
    "ray": "cluster",
    "prometheus_client": "node",
    "matplotlib": "plot",
    "fastapi": "sequencer",
    "uvicorn": "sequencer",
    "web3": "sequencer",
    "eth_abi": "sequencer",
    "eth_account": "sequencer",
    "eth_keys": "sequencer",
    "eth_utils": "sequencer",
    "eth_tester": "evm",
    "eth": "evm",
    "pyrevm": "evm",
}


class ExitCode(IntEnum):
    """What a command's exit status means; scripts may rely on these numbers."""

    OK = 0
    USAGE = 2
    REFUSED = 3
    INTERRUPTED = 4
    VERIFICATION_FAILED = 5


class CommandFailed(click.ClickException):
    """A command ends here: one line on stderr, then its exit code."""

    def __init__(self, message: str, exit_code: ExitCode) -> None:
        super().__init__(" ".join(message.split()))
        self.exit_code = int(exit_code)  # type: ignore[misc]  # click reads the instance


def bad_input(file: str | Path, place: str, expected: str, got: object) -> CommandFailed:
    """Build the error for an input that cannot be read, to be raised by the caller.

    `place` says where in the file: "line 3", "byte 40", "header field 'version'".
    """
    return CommandFailed(f"{file}: {place}: expected {expected}, got {got}", ExitCode.USAGE)


@contextmanager
def one_line_errors(exit_codes: Mapping[type[Exception], ExitCode] | None = None) -> Iterator[None]:
    """Turn typed errors into one line on stderr and an exit code; a decorator or a `with` block.

    The first class in `exit_codes` that the error is an instance of decides, so put the special
    before the general. What the system refuses (a file that cannot be opened, a disk that is full),
    and a library that belongs to an extra which is not installed, are reported in the same way.
    Every other exception is a defect of this program and keeps its traceback.

    Raises: CommandFailed.
    """
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:
        failure = _failure(error, exit_codes or {})
        if failure is None:
            raise
        raise failure from error


def _failure(
    error: Exception, exit_codes: Mapping[type[Exception], ExitCode]
) -> CommandFailed | None:
    """Return the one-line failure for an expected error, or None for a defect."""
    for error_class, exit_code in exit_codes.items():
        if isinstance(error, error_class):
            return CommandFailed(str(error) or error_class.__name__, exit_code)
    if isinstance(error, OSError) and _is_of_system(error):
        reason = (error.strerror or type(error).__name__).lower()
        place = "input or output" if error.filename is None else error.filename
        return CommandFailed(f"{place}: {reason}", ExitCode.USAGE)
    if isinstance(error, ModuleNotFoundError):
        module = (error.name or "").partition(".")[0]
        if extra := EXTRA_OF_MODULE.get(module):
            needed = f"pip install 'plasmaperps[{extra}]'"
            return CommandFailed(f"this command needs {module}: {needed}", ExitCode.USAGE)
    return None


def _is_of_system(error: OSError) -> bool:
    """Whether the system refused something, rather than this program said that it did."""
    if error.filename is not None:
        return True
    # Who reads our output may stop before its end, as `head` does: click ends quietly then.
    return error.errno not in (None, errno.EPIPE)


@contextmanager
def progress(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """Yield `advance(steps)`; draw a bar on stderr while stderr is a terminal, else nothing."""
    with click.progressbar(
        length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        yield bar.update


@contextmanager
def atomic_write(path: str | Path, *, text: bool = False) -> Iterator[IO[Any]]:
    """Open a file that appears under `path` only when the block ends without an error.

    The bytes go to a temporary name in the same folder, are flushed to the disk and renamed over
    `path`; on any error, an interrupt included, the temporary file is removed and an older file at
    `path` stays as it was.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.urandom(6).hex()}.part")
    try:
        with naming(target):
            with _create(temporary, target, text=text) as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


@contextmanager
def naming(path: str | Path) -> Iterator[None]:
    """Let an OSError that names no file name this one: writing to a full disk names none."""
    try:
        yield
    except OSError as error:
        if error.filename is not None:
            raise
        number, reason = error.errno or errno.EIO, error.strerror or str(error)
        raise OSError(number, reason, str(path)) from error


def _create(temporary: Path, target: Path, *, text: bool) -> IO[Any]:
    """Create the temporary file; an error names the file that was asked for."""
    try:
        if text:
            return open(temporary, "x", encoding="utf-8", newline="\n")
        return open(temporary, "xb")
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(target)) from None


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
