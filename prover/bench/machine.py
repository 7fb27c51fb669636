"""What a measurement says about the machine and the version."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path

_DISTRIBUTION = "plasmaperps"
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
