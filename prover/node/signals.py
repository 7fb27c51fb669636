"""SIGTERM and SIGINT for a process that finishes its work: drain, then leave, then die.

Before it has work in hand there is nothing to finish, and the first signal is enough.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_KINDS = (signal.SIGTERM, signal.SIGINT)


class _ToldToEnd(BaseException):
    """A signal came while there was nothing to finish."""


@contextmanager
def ends_at_signal() -> Iterator[None]:
    """A signal ends the block as if all were done; another ends the process as it stands.

    Inside the block `two_signals` may take over for a while.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        for kind in _KINDS:
            signal.signal(kind, signal.SIG_DFL)
        raise _ToldToEnd

    earlier = {kind: signal.signal(kind, handle) for kind in _KINDS}
    try:
        yield
    except _ToldToEnd:
        return
    finally:
        for kind, handler in earlier.items():
            signal.signal(kind, handler)


@contextmanager
def two_signals(drain: Callable[[], None], leave: Callable[[], None]) -> Iterator[None]:
    """The first signal calls `drain`, the second `leave`; a third ends the process as it stands.

    Both are called in the main thread, between any two of its steps, and may raise there.
    """
    seen = 0

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal seen
        seen += 1
        if seen == 1:
            drain()
            return
        for kind in _KINDS:
            signal.signal(kind, signal.SIG_DFL)
        leave()

    earlier = {kind: signal.signal(kind, handle) for kind in _KINDS}
    try:
        yield
    finally:
        for kind, handler in earlier.items():
            signal.signal(kind, handler)
