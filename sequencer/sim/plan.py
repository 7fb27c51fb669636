"""How a run is laid out in time: all that scales with the number of commands.

A thousandth of the run is the unit of every phase, so that a run of two thousand commands shows
what one of two hundred thousand does.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from circuits.exchange.limits import OWNER_BITS, SETTLEMENT_MS
from sequencer.command_file import Header

WHOLE = 1000
"""A run in thousandths."""

CHAIN_ID = 31337
"""Signatures are for a local chain that nobody posts these batches to."""

DAY_MS = 1_800_000_000_000
"""Any day will do, if it is always the same one; it begins on an hour."""

PAUSE_MS = 20
SPAN_MS_MIN = 300_000
"""A long run has a command each 20 ms; a short one is stretched over five minutes of funding."""

BEFORE_HOUR_MS_MAX = 90_000
"""The first settlement of funding comes after at most so long, or a third of the run."""

TRADERS_MIN, TRADERS_MAX, COMMANDS_PER_TRADER = 30, 300, 50
COMMANDS_PER_TICK, COMMANDS_PER_TICK_SHORT, SHORT_RUN = 50, 16, 10_000

RISES = ((180, 460), (510, 600), (790, 1000))
"""When followers buy with leverage: as the market trends up, at the first dip, in the end."""

CRASH_FROM, CRASH_UNTIL = 600, 740
"""It falls in gaps, and those who quote step back."""
FIRST_GAP, COMMANDS_BEFORE_GAP, COMMANDS_AFTER_GAP = 612, 14, 70
"""Governance stops everything just before the first gap, and for a few prices after it."""

STALE_TICKS = 4
"""How many ticks an oracle that drops out leaves out."""
VALID_TICKS = 2
"""How many ticks long a price is valid."""

DROPOUTS: tuple[tuple[int, tuple[int, ...]], ...] = (
    (300, (2,)),
    (480, (1,)),
    (880, (0, 1, 2)),
)
"""When the oracle falls silent, and for which markets."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The layout of one run."""

    command_count: int
    seed: int

    @property
    def header(self) -> Header:
        """The exchange of this run alone: no journal or file of another run can be taken for it."""
        label = f"plasmaperps simulation {self.seed} {self.command_count}".encode()
        address = blake2b(label, digest_size=OWNER_BITS // 8).digest()
        return Header(CHAIN_ID, int.from_bytes(address, "big"))

    @property
    def pause_ms(self) -> int:
        """Time between two commands, on average."""
        return max(PAUSE_MS, SPAN_MS_MIN // self.command_count)

    @property
    def start_ms(self) -> int:
        """Time before the first command."""
        span_ms = self.pause_ms * self.command_count
        return DAY_MS + SETTLEMENT_MS - min(BEFORE_HOUR_MS_MAX, span_ms // 3)

    @property
    def tick_ms(self) -> int:
        """Time between two prices of a market."""
        is_short = self.command_count < SHORT_RUN
        return self.pause_ms * (COMMANDS_PER_TICK_SHORT if is_short else COMMANDS_PER_TICK)

    @property
    def price_valid_ms(self) -> int:
        """How long a price is valid."""
        return VALID_TICKS * self.tick_ms

    @property
    def trader_count(self) -> int:
        """How many traders there are, those who quote included."""
        wanted = self.command_count // COMMANDS_PER_TRADER
        return max(TRADERS_MIN, min(TRADERS_MAX, wanted))

    @property
    def epoch_ms(self) -> int:
        """Time between two payments of a vault's queue."""
        return 20 * self.tick_ms

    @property
    def freeze_from(self) -> int:
        """The thousandth of the run in which governance stops everything."""
        return FIRST_GAP - 1 - COMMANDS_BEFORE_GAP * WHOLE // self.command_count

    @property
    def freeze_until(self) -> int:
        """The thousandth of the run in which the exchange goes on."""
        return FIRST_GAP + 2 + COMMANDS_AFTER_GAP * WHOLE // self.command_count

    def progress(self, handled_count: int) -> int:
        """How far the run is, in thousandths."""
        return handled_count * WHOLE // self.command_count


def is_rising(progress: int) -> bool:
    """Whether followers expect the price to rise."""
    return any(first <= progress < end for first, end in RISES)


def is_crashing(progress: int) -> bool:
    """Whether the price falls in gaps."""
    return CRASH_FROM <= progress < CRASH_UNTIL
