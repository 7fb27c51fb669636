"""What is said about the machine, with and without the files of Linux."""

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
    monkeypatch.setattr(machine, "_STATUS", tmp_path / "absent")
    monkeypatch.setattr(machine, "_CLEAR_REFS", tmp_path)
    assert not machine.reset_peak_memory()
    assert machine.peak_memory_mib() > 1
    assert machine.resident_mib() == machine.peak_memory_mib()
