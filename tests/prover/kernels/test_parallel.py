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


def test_rows_are_split_only_when_worth_it(monkeypatch):
    monkeypatch.setattr(parallel, "threads", lambda: 2)
    assert parallel.run_rows(lambda a, b: (a, b), 0) == []
    assert parallel.run_rows(lambda a, b: (a, b), 9) == [(0, 9)]
    count = parallel.ROWS_MIN
    halves = [(0, count // 2), (count // 2, count)]
    assert parallel.run_rows(lambda a, b: (a, b), count) == halves


@pytest.fixture
def own_threads(monkeypatch):
    before = parallel.threads()
    monkeypatch.delenv("PLASMAPERPS_THREADS", raising=False)
    yield
    parallel.set_threads(before)


def names_of_threads(jobs=64):
    return set(parallel.run_jobs(lambda _: threading.current_thread().name, [(0,)] * jobs))


def test_the_number_of_threads_is_set(own_threads):
    parallel.set_threads(3)
    assert parallel.threads() == 3
    assert 1 <= len(names_of_threads()) <= 3
    parallel.set_threads(1)
    assert names_of_threads() == {threading.current_thread().name}


def test_the_environment_says_how_many_threads_unless_told(own_threads, monkeypatch):
    monkeypatch.setattr(parallel, "_limit", None)
    monkeypatch.setenv("PLASMAPERPS_THREADS", "5")
    assert parallel.threads() == 5
    parallel.set_threads(2)
    assert parallel.threads() == 2


@pytest.mark.parametrize("named", ["", "0", "-1", "two", "1.5"])
def test_without_a_number_in_the_environment_all_cores_are_used(own_threads, monkeypatch, named):
    monkeypatch.setattr(parallel, "_limit", None)
    monkeypatch.setenv("PLASMAPERPS_THREADS", named)
    assert parallel.threads() == parallel.cores()


def test_less_than_one_thread_is_refused(own_threads):
    with pytest.raises(ValueError, match="expected at least one thread, got 0"):
        parallel.set_threads(0)
