"""`plasmaperps prover run` in a process of its own, with proofs that are made up.

Usage: python -m tests.support.node_command_child [loads-for-ever] ARGUMENT... with the arguments of
the command.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext

from prover.node import cli
from prover.node.notices import Loading, Notice
from tests.support.node_child import MadeUpWork

LOADS_FOR_EVER = "loads-for-ever"


def never_ready(
    key_paths: object, srs_path: object, workers: int, watch: Callable[[Notice], None]
) -> None:
    """Stands for compiling."""
    watch(Loading("nothing"))
    threading.Event().wait()


def main(arguments: list[str]) -> None:
    cli._ready_keys = lambda *arguments: {}
    cli._work = lambda *arguments: nullcontext(MadeUpWork())
    if arguments[0] == LOADS_FOR_EVER:
        cli._ready_keys = never_ready
        arguments = arguments[1:]
    cli.run(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
