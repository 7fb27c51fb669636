"""What a process may still take: the tightest of all limits that the system tells of."""

import resource
from dataclasses import replace

import pytest

from prover import memory_limits

SYSTEM = 8000 * 1024
HIERARCHIES = memory_limits._HIERARCHIES


@pytest.fixture
def meminfo(tmp_path, monkeypatch):
    path = tmp_path / "meminfo"
    path.write_text("MemTotal:  9000 kB\nMemAvailable:    8000 kB\n")
    monkeypatch.setattr(memory_limits, "_MEMINFO", path)
    monkeypatch.setattr(memory_limits, "_OWN_GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(memory_limits, "_HIERARCHIES", ())
    return path


def grouped(version, folder, monkeypatch, own):
    """Control groups of a version under a folder, this process in `own`."""
    hierarchy = replace(HIERARCHIES[version], mount=folder / "groups")
    monkeypatch.setattr(memory_limits, "_HIERARCHIES", (hierarchy,))
    line = ("0::", "4:cpu,memory:")[version]
    (folder / "cgroup").write_text(f"9:pids:/elsewhere\n{line}{own}\n")
    return hierarchy


@pytest.mark.parametrize(("version", "prefix"), [(0, ""), (1, "total_")])
@pytest.mark.parametrize("at", ["", "system.slice", "system.slice/prover.service"])
def test_a_limit_of_the_own_group_or_one_above_counts(
    version, prefix, at, tmp_path, meminfo, monkeypatch
):
    own = "/system.slice/prover.service"
    hierarchy = grouped(version, tmp_path, monkeypatch, own)
    folder = hierarchy.mount / at
    folder.mkdir(parents=True)
    assert memory_limits.available_bytes() == SYSTEM
    (folder / hierarchy.limit).write_text("max\n")
    (folder / hierarchy.use).write_text("500000\n")
    assert memory_limits.available_bytes() == SYSTEM
    (folder / hierarchy.limit).write_text("2000000\n")
    assert memory_limits.available_bytes() == 1_500_000
    # What files have left in memory makes room for a proof.
    entries = f"anon 1\n{prefix}inactive_file 300000\n{prefix}active_file 50000\nslab 7\n"
    (folder / "memory.stat").write_text(entries)
    assert memory_limits.available_bytes() == 1_850_000
    (folder / hierarchy.limit).write_text("100000\n")
    assert memory_limits.available_bytes() == 0
    (folder / hierarchy.use).write_text("200000\n")
    assert memory_limits.available_bytes() == 100_000
    meminfo.unlink()
    assert memory_limits.available_bytes() == 100_000
    (folder / hierarchy.limit).unlink()
    assert memory_limits.available_bytes() is None


@pytest.mark.parametrize("own", ["/../elsewhere", "/not/mounted/here"])
def test_a_group_that_cannot_be_seen_leaves_that_of_the_root(own, tmp_path, meminfo, monkeypatch):
    hierarchy = grouped(0, tmp_path, monkeypatch, own)
    hierarchy.mount.mkdir()
    beside = tmp_path / "elsewhere"
    beside.mkdir()
    for folder, limit in ((hierarchy.mount, 3_000_000), (beside, 1_000_000)):
        (folder / hierarchy.limit).write_text(f"{limit}\n")
        (folder / hierarchy.use).write_text("0\n")
    assert memory_limits.available_bytes() == 3_000_000


@pytest.mark.parametrize(
    ("kind", "field"), [(resource.RLIMIT_AS, "VmSize"), (resource.RLIMIT_DATA, "VmData")]
)
def test_a_limit_of_the_process_counts(kind, field, meminfo, monkeypatch):
    limits = {kind: 5_000_000}
    monkeypatch.setattr(
        memory_limits.resource,
        "getrlimit",
        lambda each: (limits.get(each, resource.RLIM_INFINITY), resource.RLIM_INFINITY),
    )
    used = {field: 3_000_000}
    monkeypatch.setattr(memory_limits, "own_status_bytes", used.get)
    assert memory_limits.available_bytes() == 2_000_000
    used[field] = 6_000_000
    assert memory_limits.available_bytes() == 0
    limits.clear()
    assert memory_limits.available_bytes() == SYSTEM
