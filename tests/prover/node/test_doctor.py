"""The doctor on machines of every kind."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from prover import kernels
from prover.node.database import FILE_NAME
from prover.node.doctor import REMEDIES, Finding, Status, examine
from prover.node.facts import (
    EXTRA_MODULES,
    Facts,
    StoreFacts,
    StoreFault,
    _store,
    cpu_flags,
    file_system,
    gather,
)
from prover.processes import MIB
from tests.support.job_stores import store_with

CACHE = Path("/var/cache/prover")
SOUND = Facts(
    machine="x86_64",
    cpu_flags=frozenset({"avx2", "avx512ifma"}),
    cores=8,
    threads=8,
    kernels="ifma",
    fastest_kernels="ifma",
    kernels_error="",
    are_kernels_compiled=True,
    available_bytes=8_000 * MIB,
    needed_bytes={"S": 600 * MIB, "M": 2_000 * MIB},
    cache_wanted=CACHE,
    cache_used=CACHE,
    setups={"S": True, "M": True},
    key_errors={"S": "", "M": ""},
    store=StoreFacts(Path("jobs"), "ext4", waiting=3),
)


def findings(**changes: object) -> dict[str, Finding]:
    return {each.name: each for each in examine(replace(SOUND, **changes))}


def not_ok(**changes: object) -> list[str]:
    """What is said beside "ok"."""
    return [str(each) for each in findings(**changes).values() if each.status is not Status.OK]


def test_a_sound_machine_has_nothing_to_mend() -> None:
    assert not_ok() == []
    assert all(each.remedy == "" for each in findings().values())
    assert str(findings()["job store"]) == "ok    job store: jobs: 3 jobs wait"


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"cpu_flags": frozenset({"avx2"}), "kernels": "fma", "fastest_kernels": "fma"},
         ("warn  processor: x86_64, avx2, no avx512ifma; fma kernels: proofs are the same; they "
         "take about half the time with avx512ifma")),
        ({"kernels": "scalar"},
         ("warn  processor: x86_64, avx2, avx512ifma; scalar kernels: unset PLASMAPERPS_KERNELS: "
         "ifma kernels are faster here")),
        ({"cpu_flags": frozenset(), "machine": "aarch64", "kernels": "scalar",
          "fastest_kernels": "scalar"},
         ("warn  processor: aarch64, no avx2, no avx512ifma; scalar kernels: proofs are the "
         "same; they take about a third of the time with avx512ifma")),
        ({"kernels_error": "PLASMAPERPS_KERNELS: expected scalar, got x", "threads": 0,
          "available_bytes": None, "are_kernels_compiled": False},
         "fail  processor: PLASMAPERPS_KERNELS: expected scalar, got x: unset the variable"),
        ({"cores": 1, "threads": 1},
         ("warn  cores: 1 of the machine, 1 for proofs: a second core nearly halves the time of a "
         "proof")),
        ({"cores": 2, "threads": 1},
         ("warn  cores: 2 of the machine, 1 for proofs: unset PLASMAPERPS_THREADS, or let it run "
         "on more cores: a second core nearly halves the time of a proof")),
        ({"available_bytes": 1_000 * MIB},
         ("warn  memory: 1,000 MiB available; full batches need (MiB): S 600, M 2,000: full "
         "batches of shape M will be refused; stop other work or add memory")),
        ({"available_bytes": 100 * MIB},
         ("fail  memory: 100 MiB available; full batches need (MiB): S 600, M 2,000: full batches "
         "of shape S and M will be refused; stop other work or add memory")),
        ({"available_bytes": None}, "warn  memory: the system does not say how much is free"),
        ({"cache_used": Path("/var/tmp/other")},
         (f"warn  cache: {CACHE} cannot be written, /var/tmp/other is used instead: set "
         "PLASMAPERPS_CACHE to a folder that can be written")),
        ({"are_kernels_compiled": False},
         ("warn  kernels: not all compiled yet: a node compiles what is missing when it starts, "
         "for about a minute")),
        ({"setups": {"S": True, "M": False}},
         ("warn  setup M: no development setup in the cache: the first proof of this shape makes "
         "it")),
        ({"key_errors": {"S": "key of shape S: expected aa, got bb"}},
         "fail  key S: key of shape S: expected aa, got bb: install the package again"),
        ({"missing_modules": frozenset({"ray"})},
         ("warn  extra cluster: no ray for proving on several machines: pip install "
         "'plasmaperps[cluster]' brings it")),
        ({"store": StoreFacts(Path("jobs"), "", StoreFault.MISSING,
                              "jobs: expected a store, got none")},
         ("fail  job store: jobs: expected a store, got none: mount it, or make one with "
         "plasmaperps prover jobs new")),
        ({"store": StoreFacts(Path("jobs"), "nfs4")},
         ("fail  job store: jobs is on nfs4, where its database can be damaged: move it to a disk "
         "of the nodes' machine")),
        ({"store": StoreFacts(Path("jobs"), "ext4", waiting=1, stopped=2)},
         ("warn  job store: jobs: 1 jobs wait, 2 failed or parked: plasmaperps prover jobs list "
         "shows why")),
    ],
)  # fmt: skip
def test_what_is_amiss_is_one_line_with_what_to_do(changes: dict, line: str) -> None:
    assert not_ok(**changes) == [line]


def test_each_fault_of_a_store_has_its_remedy() -> None:
    lines = [
        not_ok(store=StoreFacts(Path("jobs"), "", fault, "why")) for fault in StoreFault
    ]  # fmt: skip
    assert lines == [[f"fail  job store: why: {REMEDIES[fault]}"] for fault in StoreFault]
    assert len(set(REMEDIES.values())) == len(StoreFault)


def test_the_fault_of_a_store_is_told_from_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prover.node.database.BUSY_TIMEOUT_S", 0)
    store = store_with(tmp_path, 1)
    path = store.folder / FILE_NAME

    def fault() -> StoreFault | None:
        return _store(store.folder).fault

    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        assert fault() is None
        holder.execute("BEGIN IMMEDIATE")
        assert fault() is StoreFault.AWAY
        holder.execute("ROLLBACK")
        holder.execute("PRAGMA user_version = 99")
        assert fault() is StoreFault.VERSION
        holder.execute("PRAGMA user_version = 2")
        holder.execute("DROP TABLE jobs")
        assert fault() is StoreFault.UNREADABLE
    path.write_bytes(b"no database" * 1_000)
    assert fault() is StoreFault.UNREADABLE
    path.unlink()
    assert fault() is StoreFault.MISSING


@pytest.mark.parametrize("name", ["witnesses", "statements", "proofs"])
def test_a_store_without_one_of_its_folders_is_away(tmp_path: Path, name: str) -> None:
    store = store_with(tmp_path, 0)
    folder = store.folder / name
    assert _store(store.folder).fault is None
    assert list(folder.iterdir()) == []
    folder.rmdir()
    for reason in ("no such file or directory", "not a directory"):
        found = _store(store.folder)
        assert (found.fault, found.error) == (
            StoreFault.AWAY,
            f"{folder}: expected a job store that can be read and written, got {reason}",
        )
        folder.touch()


def test_without_a_store_none_is_spoken_of() -> None:
    assert "job store" not in findings(store=None)


def test_kernels_that_are_unknown_say_nothing_of_the_machine() -> None:
    assert not {"cores", "memory", "kernels"} & set(findings(kernels_error="bad"))


@pytest.mark.slow
def test_kernels_are_ready_once_all_were_compiled_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not another cache: all kernels would be compiled for this test alone.
    monkeypatch.setattr(kernels, "_warm_mark", lambda: tmp_path / "cache" / "warm")
    assert not gather(None).are_kernels_compiled
    kernels.warm()
    assert gather(None).are_kernels_compiled


def test_every_extra_is_named_with_what_brings_it() -> None:
    missing = list(not_ok(missing_modules=frozenset(EXTRA_MODULES)))
    assert len(missing) == len(EXTRA_MODULES)
    assert all("pip install 'plasmaperps[" in line for line in missing)


def test_processor_features_are_read_on_both_kinds_of_machine() -> None:
    intel = "processor\t: 0\nflags\t\t: fpu avx2 avx512ifma\nbugs\t\t: none\nflags : other\n"
    assert list(cpu_flags(intel)) == ["fpu", "avx2", "avx512ifma"]
    assert list(cpu_flags("Features\t: fp asimd\n")) == ["fp", "asimd"]
    assert list(cpu_flags("")) == []


def test_the_file_system_is_that_of_the_deepest_mount() -> None:
    mounts = (
        "/dev/a / ext4 rw 0 0\nserver:/x /srv nfs4 rw 0 0\n"
        "/dev/b /srv/my\\040disk xfs rw 0 0\ncut\n"
    )
    assert file_system(Path("/srv/jobs"), mounts) == "nfs4"
    assert file_system(Path("/srv/my disk/jobs"), mounts) == "xfs"
    assert file_system(Path("/srvother"), mounts) == "ext4"
    assert file_system(Path("/x"), "") == ""


def test_this_machine_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prover.memory.available_bytes", lambda: 5)
    monkeypatch.setattr("prover.memory.own_resident_bytes", lambda: 7)
    facts = gather(store_with(tmp_path, 2).folder)
    assert facts.available_bytes == 12
    assert facts.threads >= 1
    assert facts.needed_bytes["S"] < facts.needed_bytes["M"]
    assert set(facts.key_errors.values()) == {""}
    assert facts.store is not None
    assert (facts.store.error, facts.store.waiting) == ("", 2)
    away = gather(tmp_path / "nowhere").store
    assert away is not None
    assert away.error.endswith("that can be read and written, got unable to open database file")
