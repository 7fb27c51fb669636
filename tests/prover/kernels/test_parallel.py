"""Row ranges and jobs on threads."""

import threading

import pytest

from prover.kernels import parallel


@pytest.mark.parametrize(("count", "parts"), [(10, 3), (1, 4), (7, 7), (8, 1)])
def test_row_ranges_cover_without_overlap(count, parts):
    ranges = parallel.row_ranges(count, parts)
    assert [row for start, stop in ranges for row in range(start, stop)] == list(range(count))
    assert len(ranges) == min(count, parts)


def test_threads_is_positive():
    assert parallel.threads() >= 1


def test_results_keep_the_order_of_jobs():
    assert parallel.run_jobs(lambda x: x * x, [(i,) for i in range(50)]) == [
        i * i for i in range(50)
    ]


def test_a_job_may_ask_for_threads_itself(monkeypatch):
    monkeypatch.setattr(parallel, "threads", lambda: 2)

    def outer(_):
        return parallel.run_jobs(lambda _: threading.get_ident(), [(0,), (1,), (2,)])

    for inner in parallel.run_jobs(outer, [(0,), (1,), (2,), (3,)]):
        assert len(set(inner)) == 1


def test_an_error_in_a_job_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        parallel.run_jobs(lambda x: 1 // x, [(1,), (0,)])


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_after_an_error_no_job_runs_any_more(error, unset):
    """Kernels read the caller's arrays by address; these may be gone once the call is over."""
    parallel.set_threads(2)
    started, caller_waits, ended = threading.Event(), threading.Event(), threading.Event()
    wait = parallel.wait

    def wait_for_it(futures):
        caller_waits.set()
        return wait(futures)

    def job(number):
        if number == 0:
            started.wait(60)
            raise error
        if number == 1:
            started.set()
            caller_waits.wait(60)
            ended.set()

    unset.setattr(parallel, "wait", wait_for_it)
    with pytest.raises(error):
        parallel.run_jobs(job, [(number,) for number in range(9)])
    assert ended.is_set()


def test_rows_are_split_only_when_worth_it(monkeypatch):
    monkeypatch.setattr(parallel, "threads", lambda: 2)
    assert parallel.run_rows(lambda a, b: (a, b), 0) == []
    assert parallel.run_rows(lambda a, b: (a, b), 9) == [(0, 9)]
    count = parallel.ROWS_MIN
    halves = [(0, count // 2), (count // 2, count)]
    assert parallel.run_rows(lambda a, b: (a, b), count) == halves


@pytest.fixture
def unset(monkeypatch):
    """The module as if nobody had asked for a number of threads; restored behind the test."""
    before = parallel.threads()
    monkeypatch.setattr(parallel, "_limit", None)
    monkeypatch.delenv(parallel.VARIABLE, raising=False)
    yield monkeypatch
    parallel.set_threads(before)


def test_all_cores_are_used_unless_told(unset):
    assert parallel.threads() == parallel.cores()


def test_the_number_of_threads_can_be_set_and_set_again(unset):
    started = threading.Barrier(3, timeout=60)
    for count in (3, 1, 3):
        parallel.set_threads(count)
        assert parallel.threads() == count
        if count == 3:
            # Passes only if three jobs run at once.
            parallel.run_jobs(lambda _: started.wait(), [(0,), (1,), (2,)])
    with pytest.raises(ValueError, match="at least one thread, got 0"):
        parallel.set_threads(0)


def test_the_environment_sets_the_number_of_threads(unset):
    unset.setenv(parallel.VARIABLE, "5")
    assert parallel.threads() == 5
    parallel.set_threads(2)
    assert parallel.threads() == 2


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "²"])
def test_a_senseless_number_of_threads_is_named_and_not_used(unset, caplog, text):
    unset.setenv(parallel.VARIABLE, text)
    assert parallel.threads() == parallel.cores()
    (record,) = caplog.records
    assert record.getMessage().startswith("PLASMAPERPS_THREADS: expected a number of threads, ")
