"""Guides for tests: one that follows every write and one that lies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from circuits.exchange.guide import ScanGuide
from circuits.exchange.leaves import Leaf, Order, Trigger


class FollowingGuide(ScanGuide):
    """Keeps where each order and trigger is, and insists on hearing once of each that moves."""

    def __init__(self) -> None:
        self.names: dict[int, tuple[int, ...]] = {}
        self.undone_count = 0

    def changed(self, address: int, before: Leaf | None, after: Leaf | None) -> None:
        assert (before is None) != (after is None)
        if isinstance(before, Order | Trigger):
            assert self.names.pop(address) == before[:3]
        if isinstance(after, Order | Trigger):
            assert address not in self.names
            self.names[address] = after[:3]

    def undone(self, address: int, before: Leaf | None, after: Leaf | None) -> None:
        self.changed(address, after, before)
        self.undone_count += 1

    def is_up_to_date(self, entries: Iterable[tuple[int, Leaf]]) -> bool:
        """Whether it holds exactly the orders and triggers among all leaves."""
        return self.names == {
            at: leaf[:3] for at, leaf in entries if isinstance(leaf, Order | Trigger)
        }


class LyingGuide(ScanGuide):
    """Gives the answers it is made with instead of the right ones."""

    def __init__(self, **answers: Any) -> None:
        for question, answer in answers.items():
            assert hasattr(ScanGuide, question)
            setattr(self, question, lambda *_, answer=answer: answer)
