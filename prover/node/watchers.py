"""Several watchers as one, none of which can hold up the work that it watches."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from contextlib import suppress

from prover.node.notices import Notice, Watch


class Watchers:
    """Hands every notice to all; a watcher that raises gets no more, which stderr is told once.

    A log on a full disk or a closed pipe says nothing about a proof.
    """

    def __init__(self, watchers: Iterable[Watch]) -> None:
        self._watchers = list(watchers)
        self._lock = threading.Lock()

    def __call__(self, notice: Notice) -> None:
        for watcher in tuple(self._watchers):
            try:
                watcher(notice)
            except Exception as error:
                self._drop(watcher, error)

    def _drop(self, watcher: Watch, error: Exception) -> None:
        with self._lock:
            if watcher not in self._watchers:
                return
            self._watchers.remove(watcher)
        name = type(watcher).__name__
        # stderr may be as full or as closed as the log.
        with suppress(OSError, ValueError):
            sys.stderr.write(f"{name} gets no more events: {type(error).__name__}: {error}\n")
            sys.stderr.flush()
