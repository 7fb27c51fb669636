"""Asking the questions of the rules without giving a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from circuits.exchange.draft import Draft
from circuits.exchange.guide import SCAN
from circuits.exchange.state import State


@contextmanager
def looking_at(state: State) -> Iterator[Draft]:
    """A draft to ask with; what is written to it is taken back, and so is the draft itself."""
    draft = Draft(state, SCAN)
    try:
        yield draft
    finally:
        draft.discard()
