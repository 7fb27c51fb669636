"""Memory that a proof needs, and that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from prover.node import memory
from prover.node.errors import NotEnoughMemory
from tests.support.toy_system import toy_key, toy_shape
from verifier.cli import PACKAGED_KEYS
from verifier.key import load_key


def test_a_larger_shape_and_higher_tables_need_more() -> None:
    small, large = (load_key(PACKAGED_KEYS / f"{name}.json") for name in "SM")
    assert memory.needed_bytes(small) < memory.needed_bytes(large)
    heights = {chip.name: 1 for chip in small.chips}
    assert memory.BASE_BYTES < memory.needed_bytes(small, heights) < memory.needed_bytes(small)


def test_too_little_memory_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 100 * memory.MIB)
    monkeypatch.setattr(memory, "resident_bytes", lambda: 0)
    key = toy_key(toy_shape())
    with pytest.raises(NotEnoughMemory) as caught:
        memory.require_memory(key)
    assert str(caught.value) == (
        f"memory for shape {key.shape_name}: expected 300 MiB free, got 100 MiB: "
        "stop other work, or use a larger machine"
    )
    monkeypatch.setattr(memory, "resident_bytes", lambda: 300 * memory.MIB)
    memory.require_memory(key)
    monkeypatch.setattr(memory, "available_bytes", lambda: None)
    monkeypatch.setattr(memory, "resident_bytes", lambda: 0)
    memory.require_memory(key)


def test_a_container_s_limit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meminfo, limit, use = (tmp_path / name for name in ("meminfo", "limit", "use"))
    meminfo.write_text("MemTotal:  9000 kB\nMemAvailable:    8000 kB\n")
    monkeypatch.setattr(memory, "_MEMINFO", meminfo)
    monkeypatch.setattr(memory, "_CGROUPS", ((limit, use),))
    assert memory.available_bytes() == 8000 * 1024
    limit.write_text("max\n")
    use.write_text("500000\n")
    assert memory.available_bytes() == 8000 * 1024
    limit.write_text("2000000\n")
    assert memory.available_bytes() == 1_500_000
    limit.write_text("400000\n")
    assert memory.available_bytes() == 0
    meminfo.unlink()
    limit.unlink()
    assert memory.available_bytes() is None


def test_this_process_has_a_size() -> None:
    assert 0 < memory.resident_bytes() <= memory.peak_bytes()
