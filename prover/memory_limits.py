"""How much memory this process may still take: of the machine, its groups, its own limits."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from prover.processes import own_status_bytes

_MEMINFO = Path("/proc/meminfo")
_OWN_GROUPS = Path("/proc/self/cgroup")


@dataclass(frozen=True, slots=True)
class _Hierarchy:
    """Control groups of one version: where they are mounted, and the files of each.

    Limits of a group hold for all groups below it. Use counts cached pages of files as well: the
    entries `cached` of the file `memory.stat`. They are given back before the group runs short.
    """

    mount: Path
    controller: str
    limit: str
    use: str
    cached: tuple[str, ...]


_HIERARCHIES = (
    _Hierarchy(
        Path("/sys/fs/cgroup"), "", "memory.max", "memory.current", ("inactive_file", "active_file")
    ),
    _Hierarchy(
        Path("/sys/fs/cgroup/memory"), "memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
        ("total_inactive_file", "total_active_file"),
    ),
)  # fmt: skip
# What `ulimit` sets, and what of this process counts towards it.
_LIMITS = ((resource.RLIMIT_AS, "VmSize"), (resource.RLIMIT_DATA, "VmData"))


def available_bytes() -> int | None:
    """What this process may still take without swapping; None where the system does not say."""
    groups = [
        _group_bytes(hierarchy, folder)
        for hierarchy in _HIERARCHIES
        for folder in _own_folders(hierarchy)
    ]
    own = [_own_bytes(kind, field) for kind, field in _LIMITS]
    known = [_system_bytes(), *groups, *own]
    return min((each for each in known if each is not None), default=None)


def _system_bytes() -> int | None:
    for line in _read(_MEMINFO).splitlines():
        field, _, value = line.partition(":")
        if field == "MemAvailable":
            return int(value.split()[0]) * 1024
    return None


def _own_folders(hierarchy: _Hierarchy) -> Iterator[Path]:
    """Of the group that this process is in, and of all above it.

    A container may see its own group as the root and another path in /proc; then the root counts.
    """
    yield hierarchy.mount
    for line in _read(_OWN_GROUPS).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        parts = PurePosixPath(path).parts[1:]
        if hierarchy.controller in controllers.split(",") and ".." not in parts:
            for depth in range(1, len(parts) + 1):
                yield hierarchy.mount.joinpath(*parts[:depth])


def _group_bytes(hierarchy: _Hierarchy, folder: Path) -> int | None:
    limit, use = (_read(folder / name).strip() for name in (hierarchy.limit, hierarchy.use))
    if not (limit.isdecimal() and use.isdecimal()):
        return None  # no such group, or "max"
    entries = (line.partition(" ") for line in _read(folder / "memory.stat").splitlines())
    cached = sum(int(size) for name, _, size in entries if name in hierarchy.cached)
    return max(0, int(limit) - max(0, int(use) - cached))


def _own_bytes(kind: int, field: str) -> int | None:
    limit, _ = resource.getrlimit(kind)
    if limit == resource.RLIM_INFINITY:
        return None
    return max(0, limit - (own_status_bytes(field) or 0))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
