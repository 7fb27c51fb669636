"""Whether a node has its store in sight: told once, though two threads look."""

from __future__ import annotations

import threading

from prover.node.notices import StoreAway, StoreBack, Watch


class StoreSight:
    """The heart sees the database, the node also the files: the store is back for both or not."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._missed_by: set[str] = set()
        # Held while watchers are told, so that "away" never comes after its "back".
        self._lock = threading.RLock()

    def lost(self, looker: str, reason: str) -> bool:
        """This looker does not reach the store; whether it did so far."""
        with self._lock:
            is_news, was_found = not self._missed_by, looker not in self._missed_by
            self._missed_by.add(looker)
            if is_news:
                self._watch(StoreAway(reason))
        return was_found

    def found(self, looker: str) -> None:
        """This looker reaches the store."""
        with self._lock:
            if looker in self._missed_by:
                self._missed_by.remove(looker)
                if not self._missed_by:
                    self._watch(StoreBack())
