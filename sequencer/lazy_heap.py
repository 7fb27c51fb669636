"""Keys by a value that changes, of which only the lowest is ever asked for."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

SPARE_ENTRIES = 64
"""Outdated entries that are kept at least, so that a small heap is not built anew all the time."""


class LazyHeap:
    """A heap whose outdated entries stay until they come up, or until they outnumber the others.

    Cost: a push for a new value, a dictionary write for a removal; everything amortised.
    """

    __slots__ = ("_heap", "_values")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int]] = []
        self._values: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._values)

    def put(self, key: int, value: int) -> None:
        """Set the value of a key."""
        values = self._values
        if values.get(key) == value:
            return
        values[key] = value
        heappush(self._heap, (value, key))
        if len(self._heap) > 2 * len(values) + SPARE_ENTRIES:
            self._heap = [(value, key) for key, value in values.items()]
            heapify(self._heap)

    def drop(self, key: int) -> None:
        """Forget a key, which need not be there."""
        self._values.pop(key, None)

    def lowest(self) -> int | None:
        """The lowest value, or None."""
        heap, values = self._heap, self._values
        while heap:
            value, key = heap[0]
            if values.get(key) == value:
                return value
            heappop(heap)
        return None

    def below(self, bound: int) -> int | None:
        """The key of the lowest value, equal values by key, if it is below the bound."""
        value = self.lowest()
        return None if value is None or value >= bound else self._heap[0][1]
