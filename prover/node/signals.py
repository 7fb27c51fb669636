"""SIGTERM and SIGINT for a process that finishes its work: drain, then leave, then die."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_KINDS = (signal.SIGTERM, signal.SIGINT)


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
