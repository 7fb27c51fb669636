"""What the simulator can find wrong with an exchange.

SequencerError
└── CheckFailed      something that must hold after every command does not hold
"""

from __future__ import annotations

from sequencer.errors import SequencerError


class CheckFailed(SequencerError):
    """Something that must hold after every command does not hold."""
