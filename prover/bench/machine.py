"""What a measurement says about the machine and about this process on it."""

from __future__ import annotations

import platform
import resource
import sys
from importlib.metadata import version
from pathlib import Path

_DISTRIBUTION = "plasmaperps"
_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")
# Writing this number makes the kernel forget the highest resident size so far.
_RESET_PEAK = "5"
_CPU_INFO = Path("/proc/cpuinfo")


def package_version() -> str:
    """Version of this distribution."""
    return version(_DISTRIBUTION)


def cpu_model() -> str:
    """The processor by its own name, or by its architecture where it does not say."""
    try:
        lines = _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def core_seconds() -> float:
    """Processor time of this process, all its threads, and its children that have ended."""
    spent = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in spent)


def reset_peak_memory() -> bool:
    """Forget the highest resident size so far; False where the system does not offer it."""
    try:
        _CLEAR_REFS.write_text(_RESET_PEAK)
    except OSError:
        return False
    return True


def peak_memory_mib() -> float:
    """Highest resident size since the last reset, or since the start where there is none."""
    found = _status_mib("VmHWM")
    if found is not None:
        return found
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts KiB, macOS bytes.
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def resident_mib() -> float:
    """Resident size now; the peak where the system does not tell."""
    found = _status_mib("VmRSS")
    return peak_memory_mib() if found is None else found


def _status_mib(field: str) -> float | None:
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    values = (line.split()[1] for line in lines if line.startswith(f"{field}:"))
    found = next(values, None)
    return None if found is None else int(found) / 1024
