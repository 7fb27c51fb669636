"""The time of the exchange: the wall clock's, but it never goes back."""

from __future__ import annotations

from circuits.exchange.limits import TIME_MAX_MS


class Clock:
    """Turns readings of a wall clock, which the caller makes, into times of commands."""

    def __init__(self, time_ms: int) -> None:
        self.time_ms = time_ms

    def at(self, wall_ms: int) -> int:
        """The time of a command that comes when the wall clock says `wall_ms`.

        A wall clock that was set back stands still here until it has caught up.
        """
        self.time_ms = min(max(self.time_ms, wall_ms), TIME_MAX_MS)
        return self.time_ms
