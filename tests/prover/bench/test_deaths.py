"""What a death costs: who is killed when, and what spoils the measurement."""

from __future__ import annotations

import itertools
import os
import signal
import threading
from collections.abc import Callable

import pytest

from prover.bench import deaths
from prover.bench.deaths import (
    REPEATS,
    STAGES,
    BytesDiffer,
    Death,
    Deaths,
    NobodyDied,
    WorkerWatch,
    measure_deaths,
    proof_count,
)
from prover.bench.proving import yardstick_job
from prover.cluster.events import ClusterEvent, EventKind
from prover.executors import ProvingJob
from prover.prove import Stage, ignore
from tests.support.yardstick import trades_of

DEADLINE_S = 60


class Scripted:
    """An executor whose stages wait until a worker is killed, where one shall be."""

    def __init__(
        self,
        watch: WorkerWatch,
        proofs: Callable[[int], bytes],
        *,
        waits: bool = True,
        missed: int | None = None,
    ) -> None:
        self._watch = watch
        self._proofs = proofs
        self._waits = waits
        self._missed = missed
        self.count = 0

    def prove(self, job: ProvingJob, observe: Callable[[Stage], None] = ignore) -> bytes:
        pause, number = threading.Event(), self.count
        self.count += 1
        if self._missed is not None and number > 3 * self._missed:
            # Without a death nobody is replaced: one pair more than the script has.
            if number <= 3 * self._missed + 2:
                for stage in Stage:
                    observe(stage)
                return self._proofs(number)
            number -= 2
        # The first, then without a death, with one, and one in which the dead is replaced.
        is_disturbed = number % 3 == 2
        wanted = self._watch.killed + 1
        for stage in Stage:
            observe(stage)
            killed_in = STAGES[number // 3 // REPEATS] if is_disturbed else None
            if stage is killed_in and self._waits:
                for _ in range(DEADLINE_S * 100):
                    if self._watch.killed >= wanted:
                        break
                    pause.wait(0.01)
        return self._proofs(number)


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Instead of killing anybody."""
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(deaths.os, "kill", lambda *call: found.append(call))
    monkeypatch.setattr(deaths, "verify", lambda *arguments: None)
    return found


def watch_with(*workers: int) -> WorkerWatch:
    watch = WorkerWatch()
    for number in workers:
        detail = f"process {number} on here"
        watch(ClusterEvent(EventKind.JOINED, f"worker-{number}", detail))
    return watch


def test_the_youngest_worker_that_lives_is_killed(killed: list[tuple[int, int]]) -> None:
    watch = watch_with(11, 12, 13)
    watch(ClusterEvent(EventKind.LOST, "worker-13", "ended"))
    watch.kill_one()
    assert (killed, watch.killed) == ([(12, signal.SIGKILL)], 1)
    watch_with().kill_one()
    assert len(killed) == 1


def test_who_is_gone_already_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*call: int) -> None:
        raise ProcessLookupError

    monkeypatch.setattr(os, "kill", gone)
    watch = watch_with(11)
    watch.kill_one()
    assert watch.killed == 0


def test_one_dies_in_every_stage(killed: list[tuple[int, int]]) -> None:
    watch, told = watch_with(11), []
    executor = Scripted(watch, lambda number: b"proof")
    found = measure_deaths(executor, watch, yardstick_job(trades_of(1)), STAGES, told.append)
    assert tuple(found.by_stage) == STAGES
    assert len(killed) == REPEATS * len(STAGES)
    assert executor.count == sum(told) == proof_count(STAGES)


def test_a_stage_that_is_over_too_soon_is_named(killed: list[tuple[int, int]]) -> None:
    watch = watch_with()
    executor = Scripted(watch, lambda number: b"proof", waits=False)
    with pytest.raises(NobodyDied, match="stage commit: expected time to kill a worker, got none"):
        measure_deaths(executor, watch, yardstick_job(trades_of(1)))


def test_a_death_that_comes_too_late_once_is_tried_again(
    killed: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = watch_with(11)
    strikes, start = [], threading.Timer.start

    def start_but_once(timer: threading.Timer) -> None:
        strikes.append(timer)
        if len(strikes) != 2:
            start(timer)

    monkeypatch.setattr(threading.Timer, "start", start_but_once)
    # Two proofs more than otherwise, in which nobody dies.
    executor = Scripted(watch, lambda number: b"proof", missed=1)
    stages = STAGES[:2]
    found = measure_deaths(executor, watch, yardstick_job(trades_of(1)), stages)
    assert tuple(found.by_stage) == stages
    assert len(killed) == REPEATS * len(stages)
    assert executor.count == proof_count(stages) + 2


def test_other_bytes_spoil_the_measurement(killed: list[tuple[int, int]]) -> None:
    watch = watch_with(11)
    executor = Scripted(watch, lambda number: b"other" if number == 5 else b"proof")
    with pytest.raises(BytesDiffer, match="death in commit: expected the bytes of the first"):
        measure_deaths(executor, watch, yardstick_job(trades_of(1)))


def test_a_death_is_compared_with_the_proof_just_before_it(
    killed: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fastest of each kind are of one pair, the slowest of two; the middle ratio counts."""
    pairs = ((4.0, 6.0), (2.0, 5.0), (3.0, 6.6))
    seconds = [1.0, *itertools.chain.from_iterable((*pair, 1.0) for pair in pairs)]
    clock = itertools.chain.from_iterable((0.0, each) for each in seconds)
    monkeypatch.setattr(deaths, "perf_counter", lambda: next(clock))
    watch = watch_with(11)
    executor = Scripted(watch, lambda number: b"proof")
    found = measure_deaths(executor, watch, yardstick_job(trades_of(1)), STAGES[:1])
    assert found.by_stage == {Stage.COMMIT: Death(3.0, 6.6)}
    assert found.worst == pytest.approx(2.2)


def test_the_worst_ratio_counts() -> None:
    found = Deaths({Stage.COMMIT: Death(2.0, 3.0), Stage.OPENING: Death(2.0, 5.0)})
    assert [each.ratio for each in found.by_stage.values()] == [1.5, 2.5]
    assert found.worst == 2.5
