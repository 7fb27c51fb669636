"""Times that a rule sets for later: none may leave the 48 bits that a leaf has for it."""

from __future__ import annotations

from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.limits import TIME_MAX_MS


def later(time_ms: int, wait_ms: int) -> int:
    """The time after a wait.

    Raises: Rejected with TIME_OUT_OF_RANGE, because the command itself comes too late for that.
    """
    if time_ms + wait_ms > TIME_MAX_MS:
        raise Rejected(
            RejectReason.TIME_OUT_OF_RANGE,
            f"a time of at most {TIME_MAX_MS - wait_ms} ms",
            f"{time_ms} ms",
        )
    return time_ms + wait_ms


def next_boundary(time_ms: int, period_ms: int) -> int:
    """The first multiple of the period after a time, even if the time is one itself.

    Raises: Rejected with TIME_OUT_OF_RANGE.
    """
    return later(time_ms, period_ms - time_ms % period_ms)
