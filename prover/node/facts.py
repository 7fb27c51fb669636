"""What `prover doctor` looks at: facts of the machine, the installation and the job store."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from circuits.cli_support import EXTRA_OF_MODULE
from verifier.key import VerifyingKey

# One library for each extra that a prover has a use for.
EXTRA_MODULES = ("ray", "prometheus_client", "matplotlib", "web3")
_CPU_INFO = Path("/proc/cpuinfo")
_MOUNTS = Path("/proc/mounts")


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """A job store. `error` is empty when it can be read and written."""

    folder: Path
    file_system: str = ""
    error: str = ""
    waiting: int = 0
    stopped: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the checks of `prover.node.doctor` judge.

    `needed_bytes` and `setups` are by shape; `setups` tells whether the development setup is made.
    `key_errors` are by shape and empty for a sound key.
    """

    machine: str
    cpu_flags: frozenset[str]
    cores: int
    threads: int
    kernels: str
    kernels_error: str
    compiled_kernels: int
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
    from prover.srs_tools import development_path
    from verifier.cli import PACKAGED_KEYS
    from verifier.errors import KeyFileError
    from verifier.key import load_key

    kernels, kernels_error, compiled, threads = _kernels()
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
        kernels_error=kernels_error,
        compiled_kernels=compiled,
        available_bytes=None if kernels_error else _available_bytes(),
        needed_bytes=needed,
        cache_wanted=preferred_folder(),
        cache_used=cache_folder("kernels").parent,
        setups={
            name: development_path(shape.log_chunk).is_file() for name, shape in SHAPES.items()
        },
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


def _kernels() -> tuple[str, str, int, int]:
    """Kernels in use, what is wrong with that choice, how many are compiled, and threads."""
    try:
        import prover.kernels
    except ValueError as error:
        return "", str(error), 0, 0
    from numba import config

    compiled = sum(1 for _ in Path(config.CACHE_DIR).rglob("*.nbi"))
    return prover.kernels.KERNELS.value, "", compiled, prover.kernels.threads()


def _needed_bytes(key: VerifyingKey) -> int:
    from circuits.chips.system import margin_system
    from prover.backend import Circuit
    from prover.memory import needed_bytes

    return needed_bytes(Circuit(key, margin_system()))


def _available_bytes() -> int | None:
    # Imports the kernels, whose choice may be wrong: that is one of the findings.
    from prover.memory import available_bytes

    return available_bytes()


def _key_error(key: VerifyingKey) -> str:
    """Whether a packaged key is for the chips of this version."""
    from circuits.chips.system import SHAPES, margin_system
    from verifier.key import make_key

    made = make_key(margin_system(), SHAPES[key.shape_name], key.setup)
    if made.digest == key.digest:
        return ""
    return f"key of shape {key.shape_name}: expected {made.digest.hex()}, got {key.digest.hex()}"


def _store(folder: Path) -> StoreFacts:
    from prover.errors import ProverError
    from prover.node.jobs import JobState
    from prover.node.store import JobStore

    kind = file_system(folder.resolve(), _read(_MOUNTS))
    try:
        store = JobStore(folder)
        with store.transaction():
            pass  # taking the writer's lock shows that it can be written
        counts = store.counts(time.time_ns() // 10**6)
    except ProverError as error:
        return StoreFacts(folder, kind, str(error))
    stopped = counts.by_state[JobState.FAILED] + counts.by_state[JobState.PARKED]
    return StoreFacts(folder, kind, "", counts.waiting, stopped)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
