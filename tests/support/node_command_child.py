"""`plasmaperps prover run` in a process of its own, with proofs that are made up.

Usage: python -m tests.support.node_command_child ARGUMENT... with the arguments of the command.
"""

from __future__ import annotations

from contextlib import nullcontext

from prover.node import cli
from tests.support.node_child import MadeUpWork

if __name__ == "__main__":
    cli._ready_keys = lambda *arguments: {}
    cli._work = lambda *arguments: nullcontext(MadeUpWork())
    cli.run()
