"""What the commands around a job store share: how it is named, opened, and goes wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from circuits.cli_support import ExitCode, bad_input, one_line_errors

if TYPE_CHECKING:
    from prover.node.roster import NodeRecord
    from prover.node.store import JobStore

PATIENCE_S = 5.0
"""How long a command waits for a store that is away or busy."""

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

jobs_option: Decorator = click.option(
    "--jobs", "folder", required=True, type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR", help="Folder of the job store.",
)  # fmt: skip
json_option: Decorator = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object instead."
)


def now_ms() -> int:
    """The time by which leases count."""
    return time.time_ns() // 10**6


@contextmanager
def store_errors() -> Iterator[None]:
    """Exit codes of what is expected to go wrong with a store, a witness, a key or a setup."""
    from circuits.errors import CircuitError
    from prover.errors import ProverError
    from prover.node.errors import BatchConflict, StoreDraining, WrongState
    from verifier.errors import KeyFileError
    from verifier.srs import SrsError

    refused = dict.fromkeys((BatchConflict, StoreDraining, WrongState), ExitCode.REFUSED)
    wrong = dict.fromkeys((CircuitError, ProverError, KeyFileError, SrsError), ExitCode.USAGE)
    with one_line_errors(refused | wrong):
        yield


def open_store(folder: Path, patience_s: float = PATIENCE_S) -> JobStore:
    """Open a store that is there. Raises: CommandFailed; StoreError."""
    from prover.node.database import FILE_NAME
    from prover.node.patience import Patience
    from prover.node.store import JobStore

    if not (folder / FILE_NAME).exists():
        expected = f"a job store (plasmaperps prover jobs new --jobs {folder} makes one)"
        raise bad_input(folder, FILE_NAME, expected, "no such file")
    return JobStore(folder, Patience(patience_s))


def node_lines(nodes: list[NodeRecord], time_ms: int) -> list[str]:
    """A table of nodes."""
    from circuits.text_table import aligned
    from prover.node.display import age

    if not nodes:
        return ["no nodes"]
    headings = ("node", "state", "job", "batch", "stage", "proven", "seen")
    rows = [
        (
            node.id, node_state(node, time_ms), node.job_id or "", node.batch_number or "",
            node.stage, node.proof_count, f"{age(max(0, time_ms - node.seen_ms) / 1000)} ago",
        )
        for node in nodes
    ]  # fmt: skip
    return aligned(headings, rows)


def node_state(node: NodeRecord, time_ms: int) -> str:
    """One word for what a node does."""
    if node.is_silent(time_ms):
        return "silent"
    if node.is_draining or node.is_asked_to_drain:
        return "draining"
    return "working" if node.job_id else "idle"


def node_record(node: NodeRecord, time_ms: int) -> dict[str, object]:
    """A node for --json."""
    return {
        "node": node.id,
        "state": node_state(node, time_ms),
        "job": node.job_id or None,
        "batch": node.batch_number or None,
        "stage": node.stage or None,
        "proof_count": node.proof_count,
        "started_ms": node.started_ms,
        "seen_ms": node.seen_ms,
    }


def print_lines(lines: list[str]) -> None:
    """Each line on stdout."""
    for line in lines:
        click.echo(line)
