"""How much memory a proof needs, and how much there is."""

from __future__ import annotations

import resource
import sys
from collections.abc import Mapping
from pathlib import Path

from prover.node.errors import NotEnoughMemory
from verifier.key import VerifyingKey

MIB = 1 << 20

# Interpreter, libraries and compiled kernels; compiling them anew is the most of it.
BASE_BYTES = 300 * MIB
# The memory plan's bound for a committed cell of full width; narrower ones take less.
CELL_BYTES = 120
# The reference string as it is read, and the polynomials of the opening: ten of 32 bytes.
CHUNK_CELL_BYTES = 2 * 64 + 10 * 32

_MEMINFO = Path("/proc/meminfo")
_STATM = Path("/proc/self/statm")
# Version 2 of Linux's control groups, then version 1: limit and use of what a container may take.
_CGROUPS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)


def needed_bytes(key: VerifyingKey, heights: Mapping[str, int] | None = None) -> int:
    """An upper estimate for one proof: of tables of these heights, or of full ones."""
    cells = sum(
        chip.columns * (1 << chip.log_height if heights is None else heights[chip.name])
        for chip in key.chips
    )
    return BASE_BYTES + CELL_BYTES * cells + CHUNK_CELL_BYTES * (1 << key.log_chunk)


def available_bytes() -> int | None:
    """What this process may still take without swapping; None where the system does not say."""
    known = [_system_bytes(), *(_group_bytes(*paths) for paths in _CGROUPS)]
    return min((each for each in known if each is not None), default=None)


def require_memory(key: VerifyingKey, heights: Mapping[str, int] | None = None) -> None:
    """Refuse work that would not fit, before it begins. Raises: NotEnoughMemory.

    What this process holds already counts as available: a proof reuses it.
    """
    available = available_bytes()
    needed = needed_bytes(key, heights)
    if available is not None and available + resident_bytes() < needed:
        raise NotEnoughMemory(
            f"memory for shape {key.shape_name}",
            f"{needed // MIB:,} MiB free",
            f"{available // MIB:,} MiB: stop other work, or use a larger machine",
        )


def resident_bytes() -> int:
    """Memory of this process now; 0 where the system does not say."""
    fields = _read(_STATM).split()
    return int(fields[1]) * resource.getpagesize() if len(fields) > 1 else 0


def peak_bytes() -> int:
    """The most memory that this process had at once."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # The kernel keeps the two figures at different moments.
    return max(peak if sys.platform == "darwin" else peak * 1024, resident_bytes())


def _system_bytes() -> int | None:
    for line in _read(_MEMINFO).splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024
    return None


def _group_bytes(limit: Path, use: Path) -> int | None:
    bounds = _read(limit).strip(), _read(use).strip()
    if not all(bound.isdecimal() for bound in bounds):
        return None  # no such group, or "max"
    return max(0, int(bounds[0]) - int(bounds[1]))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""
