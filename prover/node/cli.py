"""`plasmaperps prover run`, `status`, `drain` and `doctor`.

Libraries are imported by the commands, not here, so that --help answers at once.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click
from click.core import ParameterSource

from circuits.cli_support import CommandFailed, ExitCode, one_line_errors
from prover.cli_options import ExecutorChoice, address_option, executor_options
from prover.node.cli_support import (
    jobs_option,
    json_option,
    node_lines,
    node_record,
    now_ms,
    open_store,
    print_lines,
    store_errors,
)

if TYPE_CHECKING:
    from prover.executor_options import ExecutorOptions
    from prover.node.notices import Watch
    from prover.node.work import Keys, MarginWork
    from prover.node.workers import WorkFolder

METRICS_PORT = 9464
METRICS_HOST = "127.0.0.1"
_IN = click.Path(dir_okay=False, path_type=Path)


@click.command()
@jobs_option
@click.option("--once", is_flag=True, help="Take at most one job, then end.")
@click.option("--until-empty", is_flag=True, help="End when no job is queued or being proven.")
@click.option(
    "--key", "key_paths", type=_IN, multiple=True, metavar="FILE",
    help="Verifying key; may be given for each shape. Jobs of other shapes are left to other "
    "nodes.  [default: the packaged keys]",
)  # fmt: skip
@click.option(
    "--srs", "srs_path", type=_IN, metavar="FILE",
    help="Setup of the keys.  [default: the development setup, made once and kept]",
)  # fmt: skip
@address_option
@click.option(
    "--work-dir", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Where workers find the witness in hand, and a proof that was cut off goes on.  "
    "[default: in the cache folder]",
)  # fmt: skip
@click.option(
    "--metrics-port", type=click.IntRange(0, 65535), default=METRICS_PORT, show_default=True,
    help="Port for Prometheus metrics; 0 turns them off.",
)  # fmt: skip
@click.option(
    "--metrics-host", default=METRICS_HOST, show_default=True, metavar="ADDRESS",
    help="Address to answer scrapes on; whoever reaches it can read the metrics.",
)  # fmt: skip
@click.option(
    "--poll-seconds", "poll_s", type=click.FloatRange(0.05, 60), default=2.0, show_default=True,
    help="How often to look at the store.",
)  # fmt: skip
@click.option(
    "--lease-seconds", "lease_s", type=click.FloatRange(1, 3600), default=60.0, show_default=True,
    help="A job goes to another node when this one has been silent for so long.",
)  # fmt: skip
@executor_options
@click.pass_context
def run(
    context: click.Context,
    folder: Path,
    once: bool,
    until_empty: bool,
    key_paths: tuple[Path, ...],
    srs_path: Path | None,
    choice: ExecutorChoice,
    work_dir: Path | None,
    metrics_port: int,
    metrics_host: str,
    poll_s: float,
    lease_s: float,
) -> None:
    """Take jobs from the store in DIR, the oldest batch first: prove, verify, publish.

    Any number of nodes may work on one store. The first SIGTERM or Ctrl-C drains: the job in hand
    is finished, no other taken, exit code 0; a node that still loads ends at once. The second gives
    the job back and ends with exit code 4, as does a node that drains but cannot reach the store.
    With --once or --until-empty the exit code is 3 when a job that this node took is not proven in
    the end.

    A witness that is damaged or breaks a rule fails its job at once; any other attempt that ends
    without a proof is repeated later, three in all, then the job is parked. A batch that does not
    fit into memory is given back and waits, which is no attempt. A store that is away is waited
    for; a proof in hand is kept on this machine until the store has it.

    With processes or Ray the workers live as long as the node, and a proof survives their death.

    \b
    Example:
      plasmaperps prover run --jobs jobs
      plasmaperps prover run --jobs jobs --until-empty --metrics-port 0
      plasmaperps prover run --jobs jobs --executor process --workers 2
      plasmaperps prover run --jobs jobs --key margin.key --srs ceremony.srs
    """
    from prover.node.core import Mode
    from prover.node.signals import ends_at_signal

    if once and until_empty:
        raise CommandFailed("expected --once or --until-empty, got both", ExitCode.USAGE)
    mode = Mode.ONCE if once else Mode.UNTIL_EMPTY if until_empty else Mode.FOREVER
    is_default = context.get_parameter_source("metrics_port") is ParameterSource.DEFAULT
    code = ExitCode.OK
    with ends_at_signal(), store_errors(), ExitStack() as stack:
        from prover.cache_folder import cache_folder
        from prover.node.core import NodeCore
        from prover.node.heart import Timing
        from prover.node.node import Node
        from prover.node.spool import Spool
        from prover.node.watchers import Watchers
        from prover.node.workers import WorkFolder

        store = open_store(folder)
        work_folder = WorkFolder((work_dir or cache_folder("work")) / store.id)
        work_folder.prune(store)
        stack.callback(work_folder.remove_if_empty)
        display = stack.enter_context(_display())
        metrics = stack.enter_context(_metrics(metrics_host, metrics_port, is_default))
        watch = Watchers([display, *metrics])
        # Takes a minute at most; the node waits for a store that has gone away meanwhile.
        options = choice.over(work_folder.path)
        keys = _ready_keys(key_paths, srs_path, options, watch)
        work = stack.enter_context(_work(keys, srs_path, options, work_folder, watch))
        core, timing = NodeCore(mode, poll_s), Timing(poll_s, lease_s)
        spool = Spool(cache_folder("spool"))
        code = Node(store, spool, work, core, watch, now_ms, timing).run()
    context.exit(int(code))


def _ready_keys(
    key_paths: tuple[Path, ...], srs_path: Path | None, options: ExecutorOptions, watch: Watch
) -> Keys:
    """The node's keys, with everything compiled, and memory for the smallest shape at least.

    Before workers are started: all processes would compile the same.
    """
    from circuits.chips.system import margin_system
    from prover.kernels import warm
    from prover.node.notices import Loading
    from prover.node.work import load_keys, require_some_memory

    keys = load_keys(key_paths, srs_path)
    require_some_memory(keys, options)
    watch(Loading("kernels; the first run compiles them for a minute"))
    margin_system()
    warm()
    return keys


@contextmanager
def _work(
    keys: Keys,
    srs_path: Path | None,
    options: ExecutorOptions,
    work_folder: WorkFolder,
    watch: Watch,
) -> Iterator[MarginWork]:
    """The node's work, with its workers as long as the block lasts."""
    from prover.executors import open_executor
    from prover.node.work import MarginWork
    from prover.node.workers import cluster_watch

    with open_executor(options, cluster_watch(watch)) as executor:
        yield MarginWork(keys, srs_path, executor, work_folder)


@contextmanager
def _display() -> Iterator[Watch]:
    """A last line that stays up to date on a terminal, plain lines elsewhere."""
    from prover.node.display import LineLog, Terminal

    try:
        if sys.stdout.isatty():
            with Terminal(sys.stdout, now_ms) as terminal:
                yield terminal
        else:
            yield LineLog(click.echo, now_ms)
    finally:
        _flush(sys.stdout)


def _flush(stream: TextIO) -> None:
    """Let go of what a closed pipe or a full disk refuses: it must not become the exit code."""
    try:
        stream.flush()
    except OSError:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())


@contextmanager
def _metrics(host: str, port: int, is_default: bool) -> Iterator[list[Watch]]:
    """Metrics on a port. Without the library a port that was asked for is an error."""
    if port == 0:
        yield []
        return
    try:
        from prover.node.metrics import NodeMetrics, serving
    except ModuleNotFoundError:
        if not is_default:
            raise
        click.echo("no metrics: pip install 'plasmaperps[node]' brings them", err=True)
        yield []
        return
    metrics = NodeMetrics()
    with serving(metrics, host, port):
        yield [metrics]


@click.command()
@jobs_option
@json_option
def status(folder: Path, as_json: bool) -> None:
    """Show the queue of the store in DIR and the nodes that work on it.

    A node is silent when it was not seen for half a minute; its job goes to another one when its
    lease ends.

    \b
    Example:
      plasmaperps prover status --jobs jobs
      plasmaperps prover status --jobs jobs --json
    """
    from prover.node.display import age
    from prover.node.roster import Roster

    with store_errors():
        store = open_store(folder)
        time_ms = now_ms()
        counts, roster = store.counts(time_ms), Roster(store)
        nodes, is_draining = roster.nodes(time_ms), roster.is_draining()
    oldest_s = None if counts.oldest_ms is None else max(0, time_ms - counts.oldest_ms) / 1000
    if as_json:
        record: dict[str, object] = {"jobs": {str(k): v for k, v in counts.by_state.items()}}
        record |= {"waiting": counts.waiting, "oldest_seconds": oldest_s}
        record |= {"proven_last_hour": counts.proven_last_hour, "is_draining": is_draining}
        click.echo(json.dumps(record | {"nodes": [node_record(each, time_ms) for each in nodes]}))
        return
    click.echo(", ".join(f"{count:,} {state}" for state, count in counts.by_state.items()))
    oldest = "" if oldest_s is None else f"; the oldest unproven job came {age(oldest_s)} ago"
    click.echo(f"{counts.proven_last_hour:,} proofs in the last hour{oldest}")
    if is_draining:
        click.echo("the store drains: no node takes a job")
    print_lines(node_lines(nodes, time_ms))


@click.command()
@jobs_option
@click.option("--node", metavar="NODE", help="Only this one, as `prover status` names it.")
@click.option("--undo", is_flag=True, help="Let them go on; those that have left stay away.")
@json_option
def drain(folder: Path, node: str | None, undo: bool, as_json: bool) -> None:
    """Ask the nodes of the store in DIR to finish the job in hand and end.

    They see it within a poll. Without --node it holds for the store: nodes that are started later
    are refused until --undo.

    \b
    Example:
      plasmaperps prover drain --jobs jobs
      plasmaperps prover drain --jobs jobs --undo
      plasmaperps prover drain --jobs jobs --node prover1-4711-ab12cd34
    """
    from prover.node.roster import Roster

    with store_errors():
        roster = Roster(open_store(folder))
        roster.ask_to_drain(node, undo=undo)
        time_ms = now_ms()
        nodes, is_draining = roster.nodes(time_ms), roster.is_draining()
    if as_json:
        records = [node_record(each, time_ms) for each in nodes]
        click.echo(json.dumps({"is_draining": is_draining, "nodes": records}))
        return
    whom = f"node {node}" if node else f"{folder}"
    click.echo(f"{whom}: {'goes on' if undo else 'drains'}")
    print_lines(node_lines(nodes, time_ms))


@click.command()
@click.option(
    "--jobs", "folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Look at this job store as well.",
)  # fmt: skip
@json_option
@click.pass_context
def doctor(context: click.Context, folder: Path | None, as_json: bool) -> None:
    """Say what this machine and installation lack for proving, and what to do about it.

    One line for each thing: ok, warn (proofs are made all the same) or fail. The exit code is 1
    when something fails, else 0. Nothing is changed, but for what the checks themselves compile and
    keep in the cache.

    \b
    Example:
      plasmaperps prover doctor
      plasmaperps prover doctor --jobs jobs --json
    """
    with one_line_errors():
        from dataclasses import asdict

        from prover.node.doctor import Status, examine
        from prover.node.facts import gather

        findings = examine(gather(folder))
    has_failed = any(each.status is Status.FAIL for each in findings)
    if as_json:
        click.echo(json.dumps({"ok": not has_failed, "findings": [asdict(f) for f in findings]}))
    else:
        print_lines([str(each) for each in findings])
    context.exit(1 if has_failed else 0)
