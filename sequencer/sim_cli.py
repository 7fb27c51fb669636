"""`plasmaperps op simulate`: a market that runs by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from circuits.cli_support import CommandFailed, ExitCode, one_line_errors, progress

COMMANDS_DEFAULT = 20_000
SEED_MAX = 2**64 - 1


@click.command()
@click.option(
    "--commands",
    "command_count",
    default=COMMANDS_DEFAULT,
    show_default=True,
    type=click.IntRange(1, 10**7),
    help="How many commands there are, refused and derived ones included; 2000 show everything.",
)
@click.option(
    "--seed",
    default=1,
    show_default=True,
    type=click.IntRange(0, SEED_MAX),
    help="Decides every choice; equal seeds give equal roots on every machine.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write all commands to this file, for `op run-file`.",
)
@click.option(
    "--journal",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the journal in this folder; one that a run left unfinished is gone on with.",
)
@click.option(
    "--check",
    "is_checked",
    is_flag=True,
    help="Check after every command all that must hold; it takes a few times as long.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the table.")
def simulate(
    command_count: int,
    seed: int,
    out: Path | None,
    journal: Path | None,
    is_checked: bool,
    as_json: bool,
) -> None:
    """Run a market that trends, jumps, crashes and recovers, and measure the venue that runs it.

    Makers, takers, followers with leverage, stops, agents, sub-accounts, an oracle with dropouts,
    funding, a liquidity vault, L1 requests and deliberate mistakes, all decided by the seed. The
    commands are planned and signed first; then they go through the rules and a journal, durable in
    groups, and only that is measured. Seals are timed apart.

    \b
    Example:
      plasmaperps op simulate --commands 2000 --check
      plasmaperps op simulate --commands 200000 --seed 7 --json
    """
    with one_line_errors(_exit_codes()), _naming(journal):
        figures = _figures(command_count, seed, out, journal, is_checked)
    if as_json:
        click.echo(json.dumps(figures))
        return
    from sequencer.sim.report import table_of

    for line in table_of(figures):
        click.echo(line)
    if out is not None:
        base_ms = figures["base_time_ms"]
        click.echo(f"replay: plasmaperps op run-file {out} --base-time-ms {base_ms}")


def _figures(
    command_count: int, seed: int, out: Path | None, journal: Path | None, is_checked: bool
) -> dict[str, Any]:
    from sequencer.sim.plan import Plan
    from sequencer.sim.report import figures_of
    from sequencer.sim.simulation import simulate as run

    with progress("simulating", command_count) as advance:
        finished = run(
            Plan(command_count, seed),
            journal=journal,
            out=out,
            is_checked=is_checked,
            advance=advance,
        )
    return figures_of(finished)


def _exit_codes() -> dict[type[Exception], ExitCode]:
    from sequencer.errors import ReplayDiffers, SequencerError
    from sequencer.sim.errors import CheckFailed

    return {
        CheckFailed: ExitCode.VERIFICATION_FAILED,
        ReplayDiffers: ExitCode.VERIFICATION_FAILED,
        SequencerError: ExitCode.USAGE,
    }


@contextmanager
def _naming(journal: Path | None) -> Iterator[None]:
    """Name the folder before what is wrong with the journal in it."""
    from sequencer.errors import JournalError

    try:
        yield
    except JournalError as error:
        if journal is None:
            raise
        raise CommandFailed(f"{journal}: {error}", ExitCode.USAGE) from error
