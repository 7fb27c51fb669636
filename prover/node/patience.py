"""Trying again while a job store is away: waits that double up to a bound, until a deadline."""

import errno
import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from prover.node.errors import StoreUnavailable

Result = TypeVar("Result")

FIRST_WAIT_S = 0.05
WAIT_MAX_S = 2.0

# What SQLite says about a database that is away for a while, as opposed to a damaged one.
_PASSING_CODES = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}
_PRIMARY_CODE = 0xFF
_EXPECTED = "a job store that can be read and written"


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return True


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an operation on a store that is away is tried again.

    `wait` waits so many seconds and tells whether to go on; `clock` counts seconds.
    """

    deadline_s: float
    wait: Callable[[float], bool] = _sleep
    clock: Callable[[], float] = time.monotonic

    def run(self, action: Callable[[], Result]) -> Result:
        """The result of `action`, tried until it is not refused with StoreUnavailable.

        Raises: StoreUnavailable after the deadline or when `wait` says so; whatever else `action`
        raises, at once.
        """
        end = self.clock() + self.deadline_s
        wait_s = FIRST_WAIT_S
        while True:
            try:
                return action()
            except StoreUnavailable:
                left_s = end - self.clock()
                if left_s <= 0 or not self.wait(min(wait_s, left_s)):
                    raise
                wait_s = min(2 * wait_s, WAIT_MAX_S)


AT_ONCE = Patience(deadline_s=0)
"""One attempt."""


def disk_error(folder: Path, error: OSError) -> StoreUnavailable:
    """What an error of the disk means, at the file that it speaks of."""
    reason = os.strerror(error.errno or errno.EIO).lower()
    return StoreUnavailable(str(error.filename or folder), _EXPECTED, reason)


def database_error(folder: Path, error: sqlite3.Error) -> StoreUnavailable | None:
    """What an error of SQLite means, if it is of the kind that passes."""
    if primary_code(error) not in _PASSING_CODES:
        return None
    return StoreUnavailable(str(folder), _EXPECTED, str(error))


def primary_code(error: sqlite3.Error) -> int:
    """What went wrong, without the details that SQLite puts into the higher bits; 0 if unknown."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & _PRIMARY_CODE
