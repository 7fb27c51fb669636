"""Options about executors that several commands share. Importing this loads no kernel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from circuits.cli_support import CommandFailed, ExitCode
from prover.executor_options import ExecutorKind, ExecutorOptions

WORKERS = 2
WORKERS_MAX = 64
"""As many as a chip has shards: more would have nothing to do."""

Command = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class ExecutorChoice:
    """What a command line says about where to prove."""

    kind: ExecutorKind
    workers: int
    address: str | None = None

    def over(self, work_dir: Path) -> ExecutorOptions:
        """The executor over a folder for its jobs."""
        return ExecutorOptions(self.kind, self.workers, self.address, work_dir)


def executor_options(command: Command) -> Command:
    """Add --executor and --workers; the command gets an `ExecutorChoice` as `choice`.

    With `address_option` above it, --address is part of the choice; --work-dir must then be given,
    since a folder that only this machine sees cannot be meant.
    """

    @wraps(command)
    def chosen(
        *positional: Any, executor: str, workers: int, address: str | None = None, **arguments: Any
    ) -> Any:
        kind = ExecutorKind(executor)
        if address is not None and kind is not ExecutorKind.RAY:
            message = f"--address: expected --executor {ExecutorKind.RAY} with it, got {kind}"
            raise CommandFailed(message, ExitCode.USAGE)
        if address is not None and not _is_address(address):
            message = f"--address: expected HOST:PORT with a port below 65536, got {address!r}"
            raise CommandFailed(message, ExitCode.USAGE)
        if address is not None and arguments.get("work_dir") is None:
            message = "--address: expected --work-dir DIR with it, which all machines see, got none"
            raise CommandFailed(message, ExitCode.USAGE)
        choice = ExecutorChoice(kind, workers, address)
        return command(*positional, choice=choice, **arguments)

    return _EXECUTOR(_WORKERS(chosen))


def _is_address(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(host) and port.isascii() and port.isdecimal() and 0 < int(port) < 1 << 16


_EXECUTOR: Callable[[Command], Command] = click.option(
    "--executor", type=click.Choice([each.value for each in ExecutorKind]),
    default=ExecutorKind.INLINE.value, show_default=True,
    help="Where to prove: here, on processes of this machine, or on Ray (extra `cluster`).",
)  # fmt: skip
_WORKERS: Callable[[Command], Command] = click.option(
    "--workers", type=click.IntRange(1, WORKERS_MAX), default=WORKERS, show_default=True,
    help="Processes or Ray actors; they share the cores.",
)  # fmt: skip
address_option: Callable[[Command], Command] = click.option(
    "--address",
    metavar="HOST:PORT",
    help="Ray cluster to join. Its machines must see --work-dir, and --srs, under the same paths.  "
    "[default: one started here]",
)
