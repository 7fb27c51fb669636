"""How a benchmark runs: threads, kernels and executor, with the kernels made ready for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from time import perf_counter

from circuits.cli_support import CommandFailed, ExitCode
from prover.kernel_choice import VARIABLE, Kernels, choose

AUTO = "auto"
KERNEL_NAMES = (AUTO, *(each.value for each in Kernels))
"""What `--kernels` takes; `auto` is what the environment names, or the fastest there is."""


class Executor(StrEnum):
    """Where proofs are made."""

    INLINE = "inline"


@dataclass(frozen=True, slots=True)
class Setting:
    """The setting of all measurements of one command. `start_seconds` went into the kernels."""

    threads: int
    kernels: Kernels
    executor: Executor
    start_seconds: float


def prepare(threads: int | None, kernels: str, executor: Executor) -> Setting:
    """Choose kernels and threads for this process and make every kernel ready.

    Raises: CommandFailed for kernels that are not there.
    """
    chosen = choose_kernels(kernels)
    # The kernels look at the environment when they are imported.
    from prover.kernels import KERNELS, parallel, warm

    if chosen is not KERNELS:
        raise CommandFailed(
            f"--kernels: expected {KERNELS}, which run already, got {chosen}", ExitCode.USAGE
        )
    if threads is not None:
        parallel.set_threads(threads)
    start = perf_counter()
    warm()
    return Setting(parallel.threads(), chosen, executor, perf_counter() - start)


def choose_kernels(asked: str) -> Kernels:
    """The twin that will run. Unless it is `auto`, the environment of this process then names it.

    Raises: CommandFailed for one that is not there.
    """
    try:
        chosen = choose("" if asked == AUTO else asked)
    except ValueError as error:
        place = "" if asked == AUTO else "--kernels: "
        raise CommandFailed(f"{place}{error}", ExitCode.USAGE) from None
    if asked != AUTO:
        os.environ[VARIABLE] = chosen
    return chosen
