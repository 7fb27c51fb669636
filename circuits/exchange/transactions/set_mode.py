"""SetMode: governance allows less, or more again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.addresses import CONTROLS_ADDRESS
from circuits.exchange.draft import Draft
from circuits.exchange.events import Kind, Outcome
from circuits.exchange.leaves import Mode
from circuits.exchange.transactions.authority import Context


@dataclass(frozen=True, slots=True)
class SetMode:
    """The exchange goes into `mode`."""

    KIND: ClassVar[Kind] = Kind.SET_MODE
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (("mode", 8),)

    mode: int


def apply(draft: Draft, context: Context, request: SetMode) -> Outcome:
    """Switch the mode of the whole exchange."""
    if not 0 <= request.mode <= Mode.FROZEN:
        return Outcome.INVALID_TERMS
    draft.put(CONTROLS_ADDRESS, draft.controls()._replace(mode=request.mode))
    return Outcome.APPLIED
