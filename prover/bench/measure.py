"""Measurements: wall and processor time by stage of every repeat, and the highest memory."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from time import perf_counter

from prover.processes import MIB, core_seconds, peak_bytes, reset_peaks, worker_core_seconds

VERIFY = "verify"
"""The stage that is shown and not counted: whoever reads the proof pays for it."""


@dataclass(frozen=True, slots=True)
class Run:
    """One repeat: seconds by stage in order, wall and processor, and the highest memory."""

    seconds: dict[str, float]
    core_seconds: dict[str, float]
    peak_mib: float

    @property
    def total_seconds(self) -> float:
        """Wall time of all counted stages."""
        return sum(value for stage, value in self.seconds.items() if stage != VERIFY)

    @property
    def total_core_seconds(self) -> float:
        """Processor time of all counted stages."""
        return sum(value for stage, value in self.core_seconds.items() if stage != VERIFY)

    def split(self, parts: int) -> Run:
        """One of so many equal parts that this run did one after the other."""
        return Run(
            {stage: value / parts for stage, value in self.seconds.items()},
            {stage: value / parts for stage, value in self.core_seconds.items()},
            self.peak_mib,
        )


@dataclass(frozen=True, slots=True)
class Measurement:
    """Repeats of one thing: `units` of it in each run, each run checked if `verified`.

    `problem` says what is wrong with the last run where more is known than that it is wrong.
    """

    name: str
    unit: str
    units: int
    runs: tuple[Run, ...]
    verified: bool
    problem: str = ""

    @property
    def best(self) -> Run:
        """The repeat that took the least time."""
        return min(self.runs, key=lambda run: run.total_seconds)

    @property
    def core_ms_per_unit(self) -> float:
        """Processor time of the best repeat, all counted stages, for each unit."""
        return 1e3 * self.best.total_core_seconds / self.units

    @property
    def units_per_second(self) -> float:
        """By the wall clock of the best repeat."""
        return self.units / max(self.best.total_seconds, 1e-9)

    @property
    def peak_mib(self) -> float:
        """Highest resident size in any repeat, setup and witness included."""
        return max(run.peak_mib for run in self.runs)


class StopWatch:
    """Measures one repeat: `begin` a stage after the other, then `stop`.

    With workers the time of processes below this one counts as well.
    """

    def __init__(self, *, has_workers: bool = False) -> None:
        self._has_workers = has_workers
        gc.collect()
        reset_peaks()
        self._seconds: dict[str, float] = {}
        self._core_seconds: dict[str, float] = {}
        self._current: str | None = None
        self._since = (0.0, 0.0)

    def begin(self, stage: str) -> None:
        """End the current stage and begin another; one that was there before goes on."""
        self.pause()
        self._current = stage
        # Reading the clocks takes a while itself, so the wall's is read last here and first below.
        core_now = self._core_seconds_now()
        self._since = (perf_counter(), core_now)

    def pause(self) -> None:
        """End the current stage."""
        if self._current is None:
            return
        now = perf_counter()
        core_now = self._core_seconds_now()
        stage, (since, core_since) = self._current, self._since
        self._seconds[stage] = self._seconds.get(stage, 0.0) + now - since
        self._core_seconds[stage] = self._core_seconds.get(stage, 0.0) + core_now - core_since
        self._current = None

    def _core_seconds_now(self) -> float:
        workers = worker_core_seconds() if self._has_workers else 0.0
        return workers + core_seconds()

    def stop(self) -> Run:
        """End the last stage and return the repeat."""
        self.pause()
        return Run(self._seconds, self._core_seconds, peak_bytes() / MIB)
