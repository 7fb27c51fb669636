"""Time and memory of this process and of all that run below it: its workers and what they start."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20
_PROCESSES = Path("/proc")
# Writing this number makes the kernel forget the highest resident size so far.
_RESET_PEAK = "5"


def sees_other_processes() -> bool:
    """Whether this system tells what the processes below this one take."""
    return (_PROCESSES / "self" / "stat").exists()


def core_seconds() -> float:
    """Processor time of this process, all its threads, and its children that have ended."""
    spent = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in spent)


def worker_core_seconds() -> float:
    """Processor time of all processes that run below this one. Cost: milliseconds."""
    return sum(each.core_seconds for each in _below())


def reset_peaks() -> bool:
    """Forget the highest resident sizes so far; False where the system does not offer it."""
    for process in (os.getpid(), *(each.id for each in _below())):
        try:
            (_PROCESSES / str(process) / "clear_refs").write_text(_RESET_PEAK)
        except OSError:
            if process == os.getpid():
                return False
    return True


def peak_bytes() -> int:
    """Highest resident sizes of this process and of those below it, added up.

    Since the last reset, or since the start where there is none. Pages that several processes
    share count for each of them, so with workers it is an upper bound.
    """
    found = _sum_of("VmHWM")
    if found is not None:
        return found
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts KiB, macOS bytes.
    return peak if sys.platform == "darwin" else peak * 1024


def resident_bytes() -> int:
    """Resident sizes now, added up in the same way; the peak where the system does not tell."""
    found = _sum_of("VmRSS")
    return peak_bytes() if found is None else found


def own_resident_bytes() -> int | None:
    """Resident size of this process alone; None where the system does not tell."""
    return own_status_bytes("VmRSS")


def own_status_bytes(field: str) -> int | None:
    """A size of this process by its name in /proc; None where the system does not tell.

    Source: proc_pid_status(5).
    """
    return _status_bytes(os.getpid(), field)


def _sum_of(field: str) -> int | None:
    """A field of all these processes; None where this process itself has none."""
    own = own_status_bytes(field)
    if own is None:
        return None
    return own + sum(_status_bytes(each.id, field) or 0 for each in _below())


def _status_bytes(process: int, field: str) -> int | None:
    try:
        lines = (_PROCESSES / str(process) / "status").read_text(errors="replace").splitlines()
    except OSError:
        return None
    values = (line.split()[1] for line in lines if line.startswith(f"{field}:"))
    found = next(values, None)
    return None if found is None else int(found) * 1024


@dataclass(frozen=True, slots=True)
class _Process:
    """A running process; its time is its own and that of the children it has waited for."""

    id: int
    parent: int
    core_seconds: float


def _below() -> list[_Process]:
    """The processes that this one started, those that they started, and so on."""
    children: dict[int, list[_Process]] = {}
    for each in _all_processes():
        children.setdefault(each.parent, []).append(each)
    found: list[_Process] = []
    open_ids = [os.getpid()]
    while open_ids:
        more = children.pop(open_ids.pop(), [])
        found += more
        open_ids += [each.id for each in more]
    return found


def _all_processes() -> Iterator[_Process]:
    tick = 1.0 / os.sysconf("SC_CLK_TCK")
    for path in _PROCESSES.glob("[0-9]*/stat"):
        # A process may end while it is looked at.
        with suppress(OSError):
            # The name before the last bracket may hold anything, also blanks and brackets.
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
            ticks = sum(map(int, fields[11:15]))
            yield _Process(int(path.parent.name), int(fields[1]), ticks * tick)
