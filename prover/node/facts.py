"""What `prover doctor` looks at: facts of the machine, the installation and the job store."""

from __future__ import annotations

import os
import platform
import sqlite3
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from circuits.cli_support import EXTRA_OF_MODULE
from prover.kernel_choice import KernelsUnavailable, available
from prover.node.database import FILE_NAME
from prover.node.errors import OtherVersion, StoreError, StoreUnavailable
from verifier.key import VerifyingKey

# One library for each extra that a prover has a use for.
EXTRA_MODULES = ("ray", "prometheus_client", "matplotlib", "web3")
_CPU_INFO = Path("/proc/cpuinfo")
_MOUNTS = Path("/proc/mounts")


class StoreFault(StrEnum):
    """Why a job store is of no use."""

    MISSING = "missing"
    AWAY = "away"
    VERSION = "version"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """A job store. Without `fault` it can be read and written, else `error` says why not."""

    folder: Path
    file_system: str = ""
    fault: StoreFault | None = None
    error: str = ""
    waiting: int = 0
    stopped: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the checks of `prover.node.doctor` judge.

    `needed_bytes` and `setups` are by shape; `setups` tells whether the development setup is made.
    `key_errors` are by shape and empty for a sound key. `available_bytes` is what a proof in this
    process may have in all. What depends on the kernels means nothing if `kernels_error` is set.
    """

    machine: str
    cpu_flags: frozenset[str]
    cores: int
    threads: int
    kernels: str
    fastest_kernels: str
    kernels_error: str
    are_kernels_compiled: bool
    available_bytes: int | None
    needed_bytes: Mapping[str, int]
    cache_wanted: Path
    cache_used: Path
    setups: Mapping[str, bool]
    key_errors: Mapping[str, str]
    missing_modules: frozenset[str] = field(default_factory=frozenset)
    store: StoreFacts | None = None


def gather(store: Path | None) -> Facts:
    """Look at everything. Cost: a few seconds, most of them for loading the kernels."""
    from circuits.chips.system import SHAPES
    from prover.cache_folder import cache_folder, preferred_folder
    from verifier.cli import PACKAGED_KEYS
    from verifier.errors import KeyFileError
    from verifier.key import load_key

    kernels, kernels_error, are_compiled, threads = _kernels()
    needed, key_errors = {}, {}
    for name in SHAPES:
        try:
            key = load_key(PACKAGED_KEYS / f"{name}.json")
        except KeyFileError as error:
            key_errors[name] = str(error)
            continue
        if not kernels_error:
            needed[name] = _needed_bytes(key)
        key_errors[name] = _key_error(key)
    return Facts(
        machine=platform.machine(),
        cpu_flags=frozenset(cpu_flags(_read(_CPU_INFO))),
        cores=os.cpu_count() or 1,
        threads=threads,
        kernels=kernels,
        fastest_kernels=available()[-1],
        kernels_error=kernels_error,
        are_kernels_compiled=are_compiled,
        available_bytes=None if kernels_error else _available_bytes(),
        needed_bytes=needed,
        cache_wanted=preferred_folder(),
        cache_used=cache_folder("kernels").parent,
        setups={} if kernels_error else _setups(),
        key_errors=key_errors,
        missing_modules=frozenset(name for name in EXTRA_MODULES if find_spec(name) is None),
        store=None if store is None else _store(store),
    )


def cpu_flags(text: str) -> Iterator[str]:
    """The processor's features from Linux's cpuinfo; on ARM they are called Features."""
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            yield from value.split()
            return


def file_system(folder: Path, mounts: str) -> str:
    """The type of file system that a folder is on; "" where the system does not say."""
    best, found = "", ""
    for line in mounts.splitlines():
        parts = line.split()
        if len(parts) < 3:
            continue
        # Blanks in a mount point are written as octal escapes.
        point = parts[1].replace("\\040", " ")
        inside = folder == Path(point) or Path(point) in folder.parents
        if inside and len(point) >= len(best):
            best, found = point, parts[2]
    return found


def extra_of(module: str) -> str:
    """The optional extra that brings a module."""
    return EXTRA_OF_MODULE[module]


def _kernels() -> tuple[str, str, bool, int]:
    """Kernels in use, what is wrong with that choice, whether they are compiled, and threads."""
    try:
        import prover.kernels
    except KernelsUnavailable as error:
        return "", str(error), False, 0
    return prover.kernels.KERNELS.value, "", prover.kernels.is_warm(), prover.kernels.threads()


def _setups() -> dict[str, bool]:
    from circuits.chips.system import SHAPES
    from prover.srs_tools import development_path

    return {name: development_path(shape.log_chunk).is_file() for name, shape in SHAPES.items()}


def _needed_bytes(key: VerifyingKey) -> int:
    from circuits.chips.system import margin_system
    from prover.backend import Circuit
    from prover.memory import needed_bytes

    return needed_bytes(Circuit(key, margin_system()))


def _available_bytes() -> int | None:
    # Imports the kernels, whose choice may be wrong: that is one of the findings.
    from prover.memory import usable_bytes

    return usable_bytes()


def _key_error(key: VerifyingKey) -> str:
    """Whether a packaged key is for the chips of this version."""
    from circuits.chips.system import SHAPES, margin_system
    from verifier.key import make_key

    made = make_key(margin_system(), SHAPES[key.shape_name], key.setup)
    if made.digest == key.digest:
        return ""
    return f"key of shape {key.shape_name}: expected {made.digest.hex()}, got {key.digest.hex()}"


def _store(folder: Path) -> StoreFacts:
    from prover.node.jobs import JobState
    from prover.node.store import JobStore

    kind = file_system(folder.resolve(), _read(_MOUNTS))
    try:
        store = JobStore(folder)
        with store.transaction():
            pass  # taking the writer's lock shows that it can be written
        store.files.probe()
        counts = store.counts(time.time_ns() // 10**6)
    except (StoreError, sqlite3.Error) as error:
        return StoreFacts(folder, kind, _fault(folder, error), str(error))
    stopped = counts.by_state[JobState.FAILED] + counts.by_state[JobState.PARKED]
    return StoreFacts(folder, kind, waiting=counts.waiting, stopped=stopped)


def _fault(folder: Path, error: Exception) -> StoreFault:
    if not (folder / FILE_NAME).exists():
        return StoreFault.MISSING
    if isinstance(error, StoreUnavailable):
        return StoreFault.AWAY
    return StoreFault.VERSION if isinstance(error, OtherVersion) else StoreFault.UNREADABLE


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
