"""Chips written in one call, for tests of the chip language itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from circuits.air.builder import Builder
from circuits.air.chip import Chip
from circuits.air.columns import Columns


def make_chip(
    name: str,
    declared: Mapping[str, Any],
    constrain: Callable[[Any, Builder], None] = lambda c, b: None,
    doc: str = "One row.",
) -> Chip:
    """A chip with these columns; `constrain` gets the columns and the builder."""
    members = {
        "__doc__": doc,
        "name": name,
        "Cols": type("Cols", (Columns,), {"__annotations__": dict(declared)}),
        "constrain": lambda self, c, b: constrain(c, b),
    }
    return type("TestChip", (Chip,), members)()
