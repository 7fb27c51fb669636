"""What `kill` and a service manager send ends a command as an error does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from circuits.cli_support import ExitCode


@contextmanager
def unwinding() -> Iterator[None]:
    """Let SIGTERM unwind the block, so that temporary folders and processes below go too.

    Only the main thread can do it, and only there does it happen.
    Raises: SystemExit with the exit code of commands that were told to stop.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _exit)
    try:
        yield
    finally:
        # None stands for a handler that is not Python's, which nobody can put back from here.
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)


def _exit(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(int(ExitCode.INTERRUPTED))
