"""How a benchmark runs: threads, kernels and executor, with the kernels made ready for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from time import perf_counter

from circuits.cli_support import CommandFailed, ExitCode
from prover.cli_options import ExecutorChoice
from prover.executor_options import ExecutorKind
from prover.kernel_choice import VARIABLE, Kernels, KernelsUnavailable, choose
from prover.processes import core_seconds, sees_other_processes

AUTO = "auto"
KERNEL_NAMES = (AUTO, *(each.value for each in Kernels))
"""What `--kernels` takes; `auto` is what the environment names, or the fastest there is."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The setting of all measurements of one command.

    `workers` is 0 for `inline`; `start_seconds` went into the kernels of this process, and
    `start_core_seconds` is the processor time of its whole start, interpreter and imports included.
    """

    threads: int
    kernels: Kernels
    executor: ExecutorKind
    workers: int
    start_seconds: float
    start_core_seconds: float


def prepare(threads: int | None, kernels: str, choice: ExecutorChoice) -> Setting:
    """Choose kernels and threads for this process and make every kernel ready.

    Raises: CommandFailed for kernels that are not there, for more threads than cores, for more
    workers than threads, and for workers whose processor time cannot be read here.
    """
    is_inline = choice.kind is ExecutorKind.INLINE
    if not is_inline and not sees_other_processes():
        wanted = "inline, as this system has no /proc that tells what workers take"
        raise CommandFailed(f"--executor: expected {wanted}, got {choice.kind}", ExitCode.USAGE)
    chosen = choose_kernels(kernels)
    # The kernels look at the environment when they are imported.
    from prover.kernels import KERNELS, parallel, warm

    if chosen is not KERNELS:
        raise CommandFailed(
            f"--kernels: expected {KERNELS}, which run already, got {chosen}", ExitCode.USAGE
        )
    workers = 0 if is_inline else choice.workers
    if threads is not None:
        _require_cores(threads, parallel.cores())
        parallel.set_threads(threads)
    _require_threads(workers, parallel.threads())
    start = perf_counter()
    warm()
    ready_seconds = perf_counter() - start
    return Setting(parallel.threads(), chosen, choice.kind, workers, ready_seconds, core_seconds())


def _require_cores(threads: int, cores: int) -> None:
    """Threads that take turns on a core are no more threads. Raises: CommandFailed."""
    if threads > cores:
        message = f"--threads: expected at most {cores} on this machine, got {threads}"
        raise CommandFailed(message, ExitCode.USAGE)


def _require_threads(workers: int, threads: int) -> None:
    """Every worker takes one at least, so more workers than threads would be more threads.

    Raises: CommandFailed.
    """
    if workers > threads:
        remedy = "ask for fewer workers or more --threads"
        message = f"--workers: expected at most {threads}, one for each thread, got {workers}"
        raise CommandFailed(f"{message}: {remedy}", ExitCode.USAGE)


def choose_kernels(asked: str) -> Kernels:
    """The twin that will run. Unless it is `auto`, the environment of this process then names it.

    Raises: CommandFailed for one that is not there.
    """
    try:
        chosen = choose("" if asked == AUTO else asked)
    except KernelsUnavailable as error:
        place = "" if asked == AUTO else "--kernels: "
        raise CommandFailed(f"{place}{error}", ExitCode.USAGE) from None
    if asked != AUTO:
        os.environ[VARIABLE] = chosen
    return chosen
