"""Threads for nogil kernels: split rows over cores, or run independent jobs side by side."""

import itertools
import logging
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

# Below this many rows of a few multiplications each, a hand-over to another thread costs more
# than it saves.
ROWS_MIN = 2048

VARIABLE = "PLASMAPERPS_THREADS"
_log = logging.getLogger(__name__)
_inside = threading.local()
_pool: ThreadPoolExecutor | None = None
_pool_lock = threading.Lock()
_limit: int | None = None


def cores() -> int:
    """Number of cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def threads() -> int:
    """Number of threads the kernels use.

    Set by `set_threads`, else by the environment variable PLASMAPERPS_THREADS, else all cores.
    """
    if _limit is None:
        set_threads(_from_environment())
    return _limit or 1


def set_threads(count: int) -> None:
    """Let the kernels of this process use `count` threads from now on."""
    global _limit, _pool
    if count < 1:
        raise ValueError(f"expected at least one thread, got {count}")
    with _pool_lock:
        if _pool is not None and count != _limit:
            # Jobs that it still runs end by themselves.
            _pool.shutdown(wait=False)
            _pool = None
        _limit = count


def _from_environment() -> int:
    text = os.environ.get(VARIABLE, "")
    if not text:
        return cores()
    if text.isascii() and text.isdecimal() and int(text) > 0:
        return int(text)
    _log.warning("%s: expected a number of threads, got %r; all cores are used", VARIABLE, text)
    return cores()


def row_ranges(count: int, parts: int) -> list[tuple[int, int]]:
    """Cut [0, count) into at most `parts` non-empty ranges of nearly equal size."""
    parts = max(1, min(parts, count))
    cuts = [count * part // parts for part in range(parts + 1)]
    return list(itertools.pairwise(cuts))


def run_jobs(function: Callable[..., Any], jobs: Sequence[tuple]) -> list:
    """Call `function(*job)` for every job on all threads; results in the order of the jobs.

    When it returns or raises no job runs any more: kernels read memory by its address, and the
    caller may give it back.
    """
    # A job that itself asks for threads runs its part in place: waiting for the pool from
    # inside the pool could block for ever.
    if len(jobs) < 2 or threads() == 1 or getattr(_inside, "value", False):
        return [function(*job) for job in jobs]
    executor = _executor()
    futures: list[Future] = []
    try:
        for job in jobs:
            futures.append(executor.submit(_marked, function, job))
        return [future.result() for future in futures]
    except BaseException:
        wait([future for future in futures if not future.cancel()])
        raise


def run_rows(
    kernel: Callable[..., Any], count: int, *arguments: Any, rows_min: int = ROWS_MIN
) -> list:
    """Call `kernel(start, stop, *arguments)` on row ranges that cover [0, count).

    Fewer than `rows_min` rows stay on one thread.
    """
    parts = 1 if count < rows_min else threads()
    ranges = row_ranges(count, parts) if count else []
    return run_jobs(kernel, [(start, stop, *arguments) for start, stop in ranges])


def _marked(function: Callable[..., Any], job: tuple) -> Any:
    _inside.value = True
    try:
        return function(*job)
    finally:
        _inside.value = False


def _executor() -> ThreadPoolExecutor:
    global _pool
    with _pool_lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(threads(), thread_name_prefix="kernel")
        return _pool


def _forget_pool() -> None:
    global _pool, _pool_lock
    _pool, _pool_lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    # The threads of a pool do not survive a fork; a child makes its own.
    os.register_at_fork(after_in_child=_forget_pool)
