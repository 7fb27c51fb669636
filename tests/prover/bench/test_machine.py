"""What is said about the machine, with and without the files of Linux."""

from pathlib import Path

import pytest

from prover.bench import machine


def test_the_processor_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text("processor\t: 0\nmodel name\t: A fast one: 2 GHz\nmodel name\t: other\n")
    monkeypatch.setattr(machine, "_CPU_INFO", path)
    assert machine.cpu_model() == "A fast one: 2 GHz"
    monkeypatch.setattr(machine, "_CPU_INFO", tmp_path / "absent")
    assert machine.cpu_model()
