"""How a benchmark runs: threads, kernels and executor, with the kernels made ready for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from time import perf_counter

from circuits.cli_support import CommandFailed, ExitCode

KERNELS_VARIABLE = "PLASMAPERPS_KERNELS"


class Kernels(StrEnum):
    """Names of the kernel twins; `auto` takes the fastest that this machine has."""

    AUTO = "auto"
    SCALAR = "scalar"
    IFMA = "ifma"
    FMA = "fma"


class Executor(StrEnum):
    """Where proofs are made."""

    INLINE = "inline"


AVAILABLE = (Kernels.SCALAR,)
"""What this version has for this processor, slowest first."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The setting of all measurements of one command. `start_seconds` went into the kernels."""

    threads: int
    kernels: Kernels
    executor: Executor
    start_seconds: float


def prepare(threads: int | None, kernels: Kernels, executor: Executor) -> Setting:
    """Choose kernels and threads for this process and make every kernel ready.

    Raises: CommandFailed for kernels that are not there.
    """
    chosen = choose_kernels(kernels)
    # The kernels look at the environment when they are imported.
    from prover.kernels import parallel, warm

    if threads is not None:
        parallel.set_threads(threads)
    start = perf_counter()
    warm()
    return Setting(parallel.threads(), chosen, executor, perf_counter() - start)


def choose_kernels(asked: Kernels) -> Kernels:
    """The twin that will run. Unless it is `auto`, the environment of this process then names it.

    Raises: CommandFailed for one that is not there.
    """
    if asked is Kernels.AUTO:
        place, named = KERNELS_VARIABLE, os.environ.get(KERNELS_VARIABLE) or AVAILABLE[-1]
    else:
        place, named = "--kernels", asked.value
    if named not in AVAILABLE:
        known = " or ".join(AVAILABLE)
        raise CommandFailed(f"{place}: expected {known}, got {named}", ExitCode.USAGE)
    if asked is not Kernels.AUTO:
        os.environ[KERNELS_VARIABLE] = named
    return Kernels(named)
