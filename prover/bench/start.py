"""How long the kernels take to be ready in a new process, compiled anew and from the cache."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from prover.errors import ProverError

COLD_SECONDS_WANTED = 90.0
WARM_SECONDS_WANTED = 5.0

_WARM = "from prover.kernels import warm; warm()"
_CACHE_VARIABLE = "PLASMAPERPS_CACHE"
_COMPILED_SUFFIX = ".nbc"


class StartFailed(ProverError):
    """The process that was to make the kernels ready ended with an error."""


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the start of a process to its end, and the functions compiled each time."""

    cold_seconds: float
    warm_seconds: float
    cold_compiled: int
    warm_compiled: int


def measure_start() -> Start:
    """Start twice with one empty cache folder. Raises: StartFailed."""
    with tempfile.TemporaryDirectory() as folder:
        cold_seconds = seconds_to_start(folder)
        cold = count_compiled(folder)
        warm_seconds = seconds_to_start(folder)
        return Start(cold_seconds, warm_seconds, cold, count_compiled(folder) - cold)


def seconds_to_start(folder: str) -> float:
    """Run a process that makes all kernels ready, with this cache folder. Raises: StartFailed."""
    environment = os.environ | {_CACHE_VARIABLE: folder}
    # It would name another folder for the kernels.
    environment.pop("NUMBA_CACHE_DIR", None)
    start = perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _WARM], env=environment, capture_output=True, text=True
    )
    seconds = perf_counter() - start
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise StartFailed("kernels", "exit code 0", f"{done.returncode} ({last})")
    return seconds


def count_compiled(folder: str) -> int:
    """Functions in a cache folder; one counts for each set of argument types."""
    return sum(1 for path in Path(folder).rglob("*") if path.suffix == _COMPILED_SUFFIX)
