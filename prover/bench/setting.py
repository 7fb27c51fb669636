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


@dataclass(frozen=True, slots=True)
class Setting:
    """The setting of all measurements of one command. `start_seconds` went into the kernels."""

    threads: int
    kernels: Kernels
    executor: Executor
    start_seconds: float


def prepare(threads: int | None, kernels: Kernels, executor: Executor) -> Setting:
    """Choose kernels and threads for this process and make every kernel ready.

    Raises: CommandFailed for kernels that are not there and for a bad number in the environment.
    """
    chosen = choose_kernels(kernels)
    # The kernels look at the environment when they are imported.
    from prover.kernels import parallel, warm

    try:
        parallel.set_threads(threads)
        count = parallel.threads()
    except ValueError as error:
        raise CommandFailed(str(error), ExitCode.USAGE) from None
    start = perf_counter()
    warm()
    return Setting(count, chosen, executor, perf_counter() - start)


def choose_kernels(kernels: Kernels) -> Kernels:
    """The twin that will run; the environment of this process then names it.

    Raises: CommandFailed for one that is not there.
    """
    if kernels is not Kernels.AUTO and kernels not in AVAILABLE:
        known = " or ".join((Kernels.AUTO, *AVAILABLE))
        raise CommandFailed(f"--kernels: expected {known}, got {kernels}", ExitCode.USAGE)
    chosen = AVAILABLE[0] if kernels is Kernels.AUTO else kernels
    os.environ[KERNELS_VARIABLE] = chosen
    return chosen
