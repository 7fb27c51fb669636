"""Stop watches and the figures that follow from repeats."""

import pytest

from prover.bench import measure
from prover.bench.measure import Measurement, Run, StopWatch


class Clock:
    """Wall and core time that tests move on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall = self.core = 0.0
        monkeypatch.setattr(measure, "perf_counter", lambda: self.wall)
        monkeypatch.setattr(measure, "core_seconds", lambda: self.core)

    def move(self, wall: float, core: float) -> None:
        self.wall += wall
        self.core += core


def test_stages_add_up_and_pauses_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    watch = StopWatch()
    clock.move(100, 100)
    watch.begin("load")
    clock.move(1, 2)
    watch.begin("commit")
    clock.move(10, 20)
    watch.pause()
    clock.move(100, 100)
    watch.begin("load")
    clock.move(0.5, 0.25)
    run = watch.stop()
    assert run.seconds == {"load": 1.5, "commit": 10.0}
    assert run.core_seconds == {"load": 2.25, "commit": 20.0}
    assert run.peak_mib > 0


def test_verifying_is_shown_and_not_counted() -> None:
    run = Run({"commit": 2.0, "verify": 1.0}, {"commit": 3.0, "verify": 0.5}, 100.0)
    assert (run.total_seconds, run.total_core_seconds) == (2.0, 3.0)


def test_figures_are_those_of_the_fastest_repeat_and_the_highest_memory() -> None:
    runs = (
        Run({"commit": 4.0, "verify": 0.1}, {"commit": 5.0, "verify": 0.1}, 300.0),
        Run({"commit": 2.0, "verify": 9.0}, {"commit": 3.5, "verify": 9.0}, 200.0),
    )
    found = Measurement("yardstick", "trade", 100, runs, True)
    assert found.best is runs[1]
    assert found.core_ms_per_unit == 35.0
    assert found.units_per_second == 50.0
    assert found.peak_mib == 300.0
