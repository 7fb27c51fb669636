"""A coordinator whose call was cut short anywhere proves the next job as if nothing had been."""

from dataclasses import replace
from itertools import count

import pytest

from prover.cluster.fleet import Answered, Beat, Gone, Mailbox
from prover.cluster.steps import RoundSums
from tests.support.cluster_jobs import Watch, inline_proof, local_cluster
from tests.support.local_fleet import Fate, LocalFleet


class Interrupted(BaseException):
    """What a signal handler raises."""


def raising_at(number):
    """A watch whose `number`-th event ends the call that told of it."""
    events = count()

    def react(event):
        if next(events) == number:
            raise Interrupted

    return Watch(react)


def dying_once():
    """The second worker dies in its fourth task, so that all kinds of events come up."""
    numbers = count()

    def script(worker, task):
        is_now = worker == "worker-2" and isinstance(task.ask, RoundSums) and next(numbers) == 1
        return Fate.DIES if is_now else Fate.ANSWERED

    return script


# Two workers join, one is lost and its shards are handed over between the steps.
@pytest.mark.parametrize("number", [*range(12), 20])
def test_the_next_job_is_proven_after_an_event_s_watcher_raised(quick_job, tmp_path, number):
    fleet, watch = LocalFleet(dying_once()), raising_at(number)
    with local_cluster(tmp_path, fleet, 2, watch=watch) as coordinator:
        with pytest.raises(Interrupted):
            coordinator.prove(quick_job)
        other = replace(quick_job, job_id="next")
        assert coordinator.prove(other) == inline_proof(quick_job)
        # The one that was cut short goes on as well.
        assert coordinator.prove(quick_job) == inline_proof(quick_job)
        assert len(fleet.workers) == 2
    # Nobody was waited for who was not there.
    assert fleet.time_s < 10


class FailingFleet(LocalFleet):
    """The start of some workers ends with an exception, before or after there is a process."""

    def __init__(self, failing, *, is_late):
        super().__init__()
        self._failing = set(failing)
        self._is_late = is_late

    def start(self, worker):
        if worker in self._failing and not self._is_late:
            raise OSError(f"no process for {worker}")
        super().start(worker)
        if worker in self._failing:
            raise Interrupted


@pytest.mark.parametrize("is_late", [False, True])
def test_a_worker_whose_start_fails_is_not_counted(quick_job, tmp_path, is_late):
    fleet = FailingFleet(["worker-3"], is_late=is_late)
    with local_cluster(tmp_path, fleet, 2) as coordinator:
        fleet.end("worker-1")
        with pytest.raises((OSError, Interrupted)):
            coordinator.prove(quick_job)
        assert set(fleet.workers) == {"worker-2"}
        assert coordinator.prove(quick_job) == inline_proof(quick_job)
        assert set(fleet.workers) == {"worker-2", "worker-4"}
    assert fleet.time_s < 10


class StumblingFleet(LocalFleet):
    """The first end of a worker is cut short, after the worker was killed."""

    def __init__(self, script):
        super().__init__(script)
        self._stumbled = False

    def stop(self, worker):
        super().stop(worker)
        if not self._stumbled:
            self._stumbled = True
            raise Interrupted


def test_a_worker_whose_end_was_cut_short_is_ended_again(quick_job, tmp_path):
    fleet, watch = StumblingFleet(dying_once()), Watch()
    with local_cluster(tmp_path, fleet, 2, watch=watch) as coordinator:
        with pytest.raises(Interrupted):
            coordinator.prove(quick_job)
        assert coordinator.prove(quick_job) == inline_proof(quick_job)
    assert fleet.time_s < 10


def test_signals_stay_until_they_are_taken_off_and_beats_are_one():
    mailbox = Mailbox()
    gone = Gone("one", "ended")
    mailbox.put(gone)
    for _ in range(1000):
        mailbox.put(Beat("one"))
        mailbox.put(Beat("two"))
    assert set(mailbox.poll(0.0)) == {gone, Beat("one"), Beat("two")}
    signals = mailbox.poll(0.0)
    assert signals.popleft() == gone
    assert set(mailbox.poll(0.0)) == {Beat("one"), Beat("two")}
    signals.clear()
    mailbox.put(Answered("one", None))
    assert list(mailbox.poll(60.0)) == [Answered("one", None)]
