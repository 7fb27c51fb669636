"""What processes take, with and without the files of Linux."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from prover import processes
from prover.processes import MIB


def test_core_time_passes_with_work_and_never_goes_back() -> None:
    before = processes.core_seconds()
    while processes.core_seconds() == before:
        sum(range(1000))
    assert processes.core_seconds() > before


def seconds_of_all() -> float:
    return processes.core_seconds() + processes.worker_core_seconds()


@contextmanager
def busy_grandchild() -> Iterator[None]:
    """A child whose own child has taken 0.3 s of processor time and 64 MiB, and still runs."""
    inner = "import time; kept = bytearray(64 << 20)\nwhile time.process_time() < 0.3: pass\n"
    inner += "print('done', flush=True); input()"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    child = subprocess.Popen(
        [sys.executable, "-c", outer], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"done\n"
        yield


def test_processes_below_this_one_count_while_they_run_and_afterwards() -> None:
    assert processes.sees_other_processes() is Path("/proc/self/stat").exists()
    before, resident = seconds_of_all(), processes.resident_bytes()
    with busy_grandchild():
        if processes.sees_other_processes():
            assert seconds_of_all() - before > 0.25
            assert processes.resident_bytes() - resident > 60 * MIB
            assert processes.peak_bytes() > processes.resident_bytes() - MIB
    assert seconds_of_all() - before > 0.25


def test_the_peak_is_that_since_the_last_reset() -> None:
    if not processes.reset_peaks():
        return
    size = 200 * MIB
    np.ones(size, dtype=np.uint8)
    with_array = processes.peak_bytes()
    assert processes.reset_peaks()
    assert with_array - processes.peak_bytes() > 150 * MIB
    assert processes.resident_bytes() <= processes.peak_bytes() + MIB


def test_without_the_files_the_peak_since_the_start_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_PROCESSES", tmp_path)
    assert not processes.sees_other_processes()
    assert not processes.reset_peaks()
    assert processes.peak_bytes() > 10 * MIB
    assert processes.resident_bytes() == processes.peak_bytes()
