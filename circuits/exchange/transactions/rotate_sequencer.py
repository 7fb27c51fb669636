"""RotateSequencer: governance hands the venue over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.addresses import CONTROLS_ADDRESS
from circuits.exchange.draft import Draft
from circuits.exchange.events import Kind, Outcome
from circuits.exchange.governance import fits
from circuits.exchange.transactions.authority import Context


@dataclass(frozen=True, slots=True)
class RotateSequencer:
    """Sequencer `epoch` begins, above the one before."""

    KIND: ClassVar[Kind] = Kind.ROTATE_SEQUENCER
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (("epoch", 64),)

    epoch: int


def apply(draft: Draft, context: Context, request: RotateSequencer) -> Outcome:
    """Begin a later epoch; none comes back."""
    before = draft.controls()
    after = before._replace(sequencer_epoch=request.epoch)
    if request.epoch <= before.sequencer_epoch or not fits(after):
        return Outcome.INVALID_TERMS
    draft.put(CONTROLS_ADDRESS, after)
    return Outcome.APPLIED
