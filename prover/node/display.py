"""A node's events for people: a line each, and on a terminal a last line that stays up to date."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, datetime
from typing import Self, TextIO

from prover.node.jobs import JobState
from prover.node.notices import (
    DrainChanged,
    Failed,
    LeaseLost,
    Notice,
    Postponed,
    Published,
    QueueSeen,
    Released,
    StageBegun,
    StageEnded,
    StoreAway,
    StoreBack,
    Taken,
)
from prover.prove import Stage

REFRESH_S = 0.5
_PLAIN = re.compile(r"[\w.:/+-]+")
_NOT_LOGGED = (QueueSeen, StageBegun)
_NOT_SHOWN = (QueueSeen, StageBegun, StageEnded)
_CLEAR_LINE = "\r\x1b[K"


def line_of(notice: Notice, time_ms: int) -> str:
    """One line of `key=value` pairs; what is not one plain word is quoted as in JSON."""
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(notice).__name__).lower()
    pairs = [("time", iso_time(time_ms)), ("event", name)]
    pairs += [(field.name, getattr(notice, field.name)) for field in fields(notice)]
    return " ".join(f"{key}={_shown(value)}" for key, value in pairs)


def iso_time(time_ms: int) -> str:
    """UTC with milliseconds, as logs sort it."""
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def age(seconds: float) -> str:
    """A time span in the two units that matter."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3_600:,} h {whole % 3_600 // 60:02d} min"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


class LineLog:
    """Events as lines, for a file or a service manager."""

    def __init__(self, echo: Callable[[str], None], clock_ms: Callable[[], int]) -> None:
        self._echo = echo
        self._clock_ms = clock_ms

    def __call__(self, notice: Notice) -> None:
        if not isinstance(notice, _NOT_LOGGED):
            self._echo(line_of(notice, self._clock_ms()))


class Terminal:
    """Events as lines above a last line: job, stage and seconds, then totals and the queue."""

    def __init__(self, stream: TextIO, clock_ms: Callable[[], int]) -> None:
        self._stream = stream
        self._clock_ms = clock_ms
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._refresh, name="display", daemon=True)
        self._job: Taken | None = None
        self._stage = ""
        self._since_ms = self._stage_since_ms = clock_ms()
        self._queue: QueueSeen | None = None
        self._is_draining = self._is_store_away = False
        self._published = self._failed = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        self._thread.join()
        with suppress(OSError):
            self._stream.write(_CLEAR_LINE)
            self._stream.flush()

    def __call__(self, notice: Notice) -> None:
        with self._lock:
            self._learn(notice)
            if not isinstance(notice, _NOT_SHOWN):
                self._stream.write(f"{_CLEAR_LINE}{line_of(notice, self._clock_ms())}\n")
            self._draw()

    def last_line(self) -> str:
        """What stands below the events now."""
        now_ms = self._clock_ms()
        flags = {"draining": self._is_draining, "store away": self._is_store_away}
        parts = [name for name, is_set in flags.items() if is_set]
        if self._job is None:
            parts.append("idle")
        else:
            seconds = (now_ms - self._since_ms) / 1000
            stage_seconds = (now_ms - self._stage_since_ms) / 1000
            stage = f"{self._stage} {stage_seconds:.1f} s, " if self._stage else ""
            job = self._job
            parts.append(f"job {job.job} (batch {job.batch}): {stage}{seconds:.1f} s in all")
        parts.append(f"{self._published} proven, {self._failed} failed")
        if self._queue is not None:
            queued = self._queue.counts.by_state[JobState.QUEUED]
            oldest = f", oldest {age(self._queue.oldest_s)}" if self._queue.counts.waiting else ""
            parts.append(f"{queued} queued{oldest}")
        return " | ".join(parts)

    def _learn(self, notice: Notice) -> None:
        match notice:
            case Taken():
                self._job, self._stage = notice, ""
                self._since_ms = self._stage_since_ms = self._clock_ms()
            case StageBegun(_, stage):
                # When the last stage is done, the proof is verified.
                self._stage = "verify" if stage is Stage.DONE else str(stage)
                self._stage_since_ms = self._clock_ms()
            case Published():
                self._job, self._published = None, self._published + 1
            case Failed():
                self._job, self._failed = None, self._failed + 1
            case LeaseLost() | Released() | Postponed():
                self._job = None
            case QueueSeen():
                self._queue = notice
            case DrainChanged(is_draining):
                self._is_draining = is_draining
            case StoreAway():
                self._is_store_away = True
            case StoreBack():
                self._is_store_away = False

    def _draw(self) -> None:
        # A line that wraps could not be taken back.
        width = shutil.get_terminal_size().columns - 1
        self._stream.write(f"{_CLEAR_LINE}{self.last_line()[:width]}")
        self._stream.flush()

    def _refresh(self) -> None:
        # A terminal that is gone is told to whoever sends events; here there is nobody to tell.
        with suppress(OSError):
            while not self._stopped.wait(REFRESH_S):
                with self._lock:
                    self._draw()
