"""What a node does next, without any disk, clock or thread."""

from __future__ import annotations

from dataclasses import replace

import pytest

from circuits.cli_support import ExitCode
from prover.node.core import (
    DRAIN_TRIES,
    SHORTAGES_MAX,
    WAIT_MAX_S,
    Failure,
    FailureKind,
    Join,
    Leave,
    Mode,
    NodeCore,
    Occupied,
    Postpone,
    Prove,
    ProvenBatch,
    Publish,
    Recover,
    Release,
    Report,
    Review,
    Shortage,
    Take,
    Wait,
)
from prover.node.jobs import Job

JOB = Job(3, 7, 12, "S", "cd" * 32, "ef" * 32, added_ms=1)
PROVEN = ProvenBatch(b"proof", {}, 0.1, 9)
BROKEN = Failure(FailureKind.RULE, "broken", is_final=True)
CRASHED = Failure(FailureKind.DEFECT, "crashed", is_final=False)
SHORT = Shortage("memory: expected 9 MiB, got 1 MiB")
OCCUPIED = Occupied("job-3: expected a job that nobody works on, got a locked one")


def recovered(mode: Mode = Mode.FOREVER) -> NodeCore:
    core = NodeCore(mode, poll_s=2.0)
    assert core.next() == Join()
    core.on_joined()
    assert core.next() == Recover()
    core.on_recovered()
    return core


def with_job(mode: Mode = Mode.FOREVER) -> NodeCore:
    core = recovered(mode)
    assert core.next() == Take()
    core.on_taken(JOB)
    assert core.next() == Prove(JOB)
    return core


def test_one_job_after_the_other() -> None:
    core = with_job()
    core.on_result(PROVEN)
    assert core.next() == Publish(JOB, PROVEN)
    core.on_recorded()
    assert core.next() == Take()
    core.on_taken(JOB)
    core.on_result(BROKEN)
    assert core.next() == Report(JOB, BROKEN)
    core.on_recorded()
    assert core.next() == Take()
    core.on_nothing(0)
    assert (core.next(), core.next()) == (Wait(2.0), Take())
    assert (core.published_count, core.failed_count) == (1, 1)


@pytest.mark.parametrize("result", [PROVEN, BROKEN])
@pytest.mark.parametrize("mode", [Mode.ONCE, Mode.UNTIL_EMPTY])
def test_a_bounded_run_tells_by_its_exit_code_whether_all_was_proven(mode, result) -> None:
    core = with_job(mode)
    core.on_result(result)
    core.on_recorded()
    if mode is Mode.UNTIL_EMPTY:
        assert core.next() == Take()
        core.on_nothing(waiting=1)
        assert (core.next(), core.next()) == (Wait(2.0), Take())
        core.on_nothing(waiting=0)
    if result is BROKEN:
        assert core.next() == Review(frozenset({JOB.id}))
        core.on_reviewed(set())
    assert core.next() == Leave(ExitCode.OK if result is PROVEN else ExitCode.REFUSED)


def test_a_job_that_was_proven_in_the_end_is_no_failure() -> None:
    core = with_job(Mode.UNTIL_EMPTY)
    core.on_result(CRASHED)
    core.on_recorded()
    core.on_taken(JOB)
    core.on_result(PROVEN)
    core.on_recorded()
    core.on_nothing(waiting=0)
    assert core.next() == Leave(ExitCode.OK)
    assert (core.published_count, core.failed_count) == (1, 1)


@pytest.mark.parametrize("mode", [Mode.ONCE, Mode.UNTIL_EMPTY])
@pytest.mark.parametrize("is_proven", [False, True])
def test_a_lost_job_is_no_failure_if_another_node_has_proven_it(mode: Mode, is_proven) -> None:
    core = with_job(mode)
    core.on_lost()
    if mode is Mode.UNTIL_EMPTY:
        core.on_nothing(waiting=0)
    assert core.next() == Review(frozenset({JOB.id}))
    core.on_away()
    assert (core.next(), core.next()) == (Wait(2.0), Review(frozenset({JOB.id})))
    core.on_reviewed({JOB.id} if is_proven else set())
    assert core.next() == Leave(ExitCode.OK if is_proven else ExitCode.REFUSED)


def give_back(core: NodeCore, job: Job = JOB) -> None:
    core.on_taken(job)
    core.on_result(SHORT)
    assert core.next() == Postpone(job, SHORT)
    core.on_postponed()


def test_lack_of_memory_is_waited_out_longer_each_time_until_a_job_gets_through() -> None:
    core, waits = recovered(), []
    for _ in range(6):
        give_back(core)
        assert core.next() == Take(frozenset({JOB.id}))
        core.on_nothing(waiting=1)
        waits.append(core.next())
        assert core.next() == Take()
        core.on_nothing(waiting=1)
        assert (core.next(), core.next()) == (Wait(2.0), Take())
    assert waits == [Wait(seconds) for seconds in (2.0, 4.0, 8.0, 16.0, WAIT_MAX_S, WAIT_MAX_S)]
    core.on_taken(JOB)
    core.on_result(CRASHED)
    core.on_recorded()
    give_back(core)
    core.on_nothing(waiting=1)
    assert core.next() == Wait(2.0)


def test_what_lacks_memory_is_passed_over_until_a_proof_is_made_or_nothing_else_is_free() -> None:
    core, small, short = recovered(Mode.UNTIL_EMPTY), replace(JOB, id=9), frozenset({JOB.id})
    for result in (CRASHED, PROVEN):
        for _ in range(SHORTAGES_MAX + 1):
            assert core.next() in (Take(), Take(short))
            give_back(core)
            assert core.next() == Take(short)
            core.on_taken(small)
            core.on_result(result)
            core.on_recorded()
        assert core.next() == (Take() if result is PROVEN else Take(short))
    give_back(core)
    give_back(core, small)
    assert core.next() == Take(short | {small.id})
    core.on_nothing(waiting=2)
    assert (core.next(), core.next()) == (Wait(2.0), Take())


@pytest.mark.parametrize("waiting", [0, 2])
def test_a_bounded_run_does_not_wait_for_memory_for_ever(waiting: int) -> None:
    core = recovered(Mode.UNTIL_EMPTY)
    for number in range(SHORTAGES_MAX):
        assert number == 0 or isinstance(core.next(), Wait)
        assert core.next() == Take()
        give_back(core)
        give_back(core, replace(JOB, id=9))
        if number < SHORTAGES_MAX - 1:
            core.on_nothing(waiting=2)
    core.on_nothing(waiting=waiting)
    if not waiting:
        # Others have proven them meanwhile.
        assert core.next() == Review(frozenset({JOB.id, 9}))
        core.on_reviewed({JOB.id, 9})
    assert core.next() == Leave(ExitCode.REFUSED if waiting else ExitCode.OK)
    core = recovered(Mode.ONCE)
    give_back(core)
    assert core.next() == Review(frozenset({JOB.id}))


def test_a_job_whose_folder_is_in_use_is_given_back_and_the_next_one_taken_at_once() -> None:
    core = recovered(Mode.UNTIL_EMPTY)
    for _ in range(SHORTAGES_MAX + 1):
        assert core.next() == Take()
        core.on_taken(JOB)
        core.on_result(OCCUPIED)
        assert core.next() == Postpone(JOB, OCCUPIED)
        core.on_postponed()
    assert (core.next(), core.failed_count) == (Take(), 0)
    core.on_nothing(waiting=0)
    assert core.next() == Review(frozenset({JOB.id}))


def test_once_leaves_an_empty_store_at_once() -> None:
    core = recovered(Mode.ONCE)
    core.on_nothing(waiting=5)
    assert core.next() == Leave(ExitCode.OK)


def test_a_store_that_is_away_is_waited_for_longer_each_time_and_the_action_comes_again() -> None:
    core = with_job()
    core.on_result(PROVEN)
    waits = []
    for _ in range(6):
        assert core.next() == Publish(JOB, PROVEN)
        core.on_away()
        waits.append(core.next())
    assert waits == [Wait(seconds) for seconds in (2.0, 4.0, 8.0, 16.0, WAIT_MAX_S, WAIT_MAX_S)]
    core.on_recorded()
    core.on_away()
    assert core.next() == Wait(2.0)


def test_a_store_may_be_away_for_days() -> None:
    core = with_job()
    core.on_result(PROVEN)
    for _ in range(10_000):
        core.on_away()
    assert (core.next(), core.next()) == (Wait(WAIT_MAX_S), Publish(JOB, PROVEN))


def test_draining_finishes_the_job_in_hand() -> None:
    core = with_job()
    core.is_drain_signalled = True
    assert core.next() == Prove(JOB)
    core.on_result(PROVEN)
    assert core.next() == Publish(JOB, PROVEN)
    core.on_recorded()
    assert core.next() == Leave(ExitCode.OK)


def test_an_order_to_drain_may_be_taken_back() -> None:
    core = recovered()
    core.is_drain_ordered = True
    assert core.next() == Leave(ExitCode.OK)
    core.is_drain_ordered = False
    assert core.next() == Take()


def test_draining_does_not_wait_for_ever_for_a_store_that_is_away() -> None:
    core = with_job()
    core.on_result(PROVEN)
    core.is_drain_signalled = True
    for _ in range(DRAIN_TRIES):
        assert core.next() == Publish(JOB, PROVEN)
        core.on_away()
        assert isinstance(core.next(), Wait)
    assert core.next() == Leave(ExitCode.INTERRUPTED)


def test_leaving_gives_back_a_job_but_not_a_proof() -> None:
    for result in (None, BROKEN, CRASHED, SHORT, OCCUPIED):
        core = with_job()
        if result is not None:
            core.on_result(result)
            core.on_away()
        core.is_leaving = True
        assert core.next() == Release(JOB)
        core.on_released()
        assert core.next() == Leave(ExitCode.INTERRUPTED)
    core = with_job()
    core.on_result(PROVEN)
    core.is_leaving = True
    assert core.next() == Leave(ExitCode.INTERRUPTED)
    core = recovered()
    core.is_leaving = True
    assert core.next() == Leave(ExitCode.OK)


def test_a_lost_job_is_forgotten() -> None:
    core = with_job()
    core.on_lost()
    assert (core.next(), core.job) == (Take(), None)
