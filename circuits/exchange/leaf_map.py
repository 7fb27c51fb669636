"""The leaves of a state by address: an immutable map whose newest version is a plain dictionary.

Source: H. Baker, "Shallow binding makes functional arrays fast" (1991). The newest version holds
the dictionary; an older one holds what it had before, and the way to the next newer one. Reading
and changing the newest costs what a dictionary costs, and every older version stays what it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from circuits.exchange.leaves import Leaf

NOTHING: dict[int, Leaf] = {}
"""What a version has in place of what it does not need; nobody writes to it."""


class LeafMap:
    """Leaves by address. Versions share one dictionary, so they belong to one thread."""

    __slots__ = ("_before", "_entries", "_newer")

    def __init__(self, entries: dict[int, Leaf] | None = None) -> None:
        self._entries: dict[int, Leaf] = {} if entries is None else entries
        self._before: Mapping[int, Leaf | None] = NOTHING
        self._newer: LeafMap | None = None

    def __len__(self) -> int:
        return len(self.entries())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LeafMap):
            return NotImplemented
        return dict(self.entries()) == dict(other.entries())

    __hash__ = None  # type: ignore[assignment]  # a map of leaves is never a key

    def __repr__(self) -> str:
        return f"LeafMap({dict(self.items())!r})"

    def get(self, address: int) -> Leaf | None:
        """The leaf, or None for an empty one; any integer may be asked for."""
        version = self
        while version._newer is not None:
            if address in version._before:
                return version._before[address]
            version = version._newer
        return version._entries.get(address)

    def items(self) -> Iterator[tuple[int, Leaf]]:
        """All leaves in increasing order of their address."""
        return iter(sorted(self.entries().items()))

    def entries(self) -> dict[int, Leaf]:
        """The leaves as a dictionary, to read until this version has a newer one.

        Cost: nothing on the newest version, else one copy, which then belongs to this version.
        """
        if self._newer is not None:
            self._entries = self._copy()
            self._before, self._newer = NOTHING, None
        return self._entries

    def with_changes(self, changes: Mapping[int, Leaf | None]) -> LeafMap:
        """The map with these leaves set, or emptied where None stands.

        Cost: one dictionary write for each change on the newest version.
        """
        newer, before = self.open()
        entries = newer._entries
        for address, leaf in changes.items():
            before[address] = entries.get(address)
            if leaf is None:
                entries.pop(address, None)
            else:
                entries[address] = leaf
        return newer

    def open(self) -> tuple[LeafMap, dict[int, Leaf | None]]:
        """A newer version to write to, and what this one then had, for the writer to fill in.

        Whoever writes to an address of the newer version's `entries` first puts what stood there
        into the second. This version is right at any time in between, and ever after.
        """
        newer = LeafMap(self.entries())
        before: dict[int, Leaf | None] = {}
        self._entries, self._before, self._newer = NOTHING, before, newer
        return newer, before

    def reopen(self) -> None:
        """Take the dictionary back from the version that `open` gave.

        Assumes: every write to it has been taken back, and nobody uses it.
        """
        if self._newer is not None:
            self._entries = self._newer._entries
            self._before, self._newer = NOTHING, None

    def _copy(self) -> dict[int, Leaf]:
        versions = []
        version = self
        while version._newer is not None:
            versions.append(version._before)
            version = version._newer
        entries = dict(version._entries)
        for before in reversed(versions):
            for address, leaf in before.items():
                if leaf is None:
                    entries.pop(address, None)
                else:
                    entries[address] = leaf
        return entries
