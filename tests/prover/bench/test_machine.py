"""What is said about the machine, with and without the files of Linux."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from prover.bench import machine

MIB = 1 << 20


def test_the_processor_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text("processor\t: 0\nmodel name\t: A fast one: 2 GHz\nmodel name\t: other\n")
    monkeypatch.setattr(machine, "_CPU_INFO", path)
    assert machine.cpu_model() == "A fast one: 2 GHz"
    monkeypatch.setattr(machine, "_CPU_INFO", tmp_path / "absent")
    assert machine.cpu_model()


def test_core_time_passes_with_work_and_never_goes_back() -> None:
    before = machine.core_seconds()
    while machine.core_seconds() == before:
        sum(range(1000))
    assert machine.core_seconds() > before


def seconds_of_all() -> float:
    return machine.core_seconds() + machine.worker_core_seconds()


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
    assert machine.sees_other_processes() is Path("/proc/self/stat").exists()
    before, resident = seconds_of_all(), machine.resident_mib()
    with busy_grandchild():
        if machine.sees_other_processes():
            assert seconds_of_all() - before > 0.25
            assert machine.resident_mib() - resident > 60
            assert machine.peak_memory_mib() > machine.resident_mib() - 1
    assert seconds_of_all() - before > 0.25


def test_the_peak_is_that_since_the_last_reset() -> None:
    if not machine.reset_peak_memory():
        return
    size = 200 * MIB
    np.ones(size, dtype=np.uint8)
    with_array = machine.peak_memory_mib()
    assert machine.reset_peak_memory()
    assert with_array - machine.peak_memory_mib() > 150
    assert machine.resident_mib() <= machine.peak_memory_mib() + 1


def test_without_the_files_the_peak_since_the_start_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_PROCESSES", tmp_path)
    assert not machine.sees_other_processes()
    assert not machine.reset_peak_memory()
    assert machine.peak_memory_mib() > 1
    assert machine.resident_mib() == machine.peak_memory_mib()
