"""`plasmaperps demo`: a trading day on one machine, from deposit to claimed withdrawal."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import click

from circuits.cli_support import CommandFailed, ExitCode, bad_input, one_line_errors
from circuits.errors import CircuitError
from sequencer.errors import SequencerError
from verifier.errors import KeyFileError, VerificationError

if TYPE_CHECKING:
    from sequencer.command_file import CommandFile
    from sequencer.l1.port import L1

EXAMPLE = "margin_day.jsonl"
BATCH_COMMANDS = 300


@click.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="End with one JSON object on the last line.")
@click.option(
    "--commands",
    "command_count",
    type=click.IntRange(1),
    help="Only so many commands of the file.  [default: all]",
)
@click.option(
    "--batch-commands",
    default=BATCH_COMMANDS,
    show_default=True,
    type=click.IntRange(1),
    help="Seal a batch after so many accepted commands; the rest make the last batch.",
)
@click.option(
    "--out",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep witness, statement and proof of every batch in this folder.",
)
@click.option(
    "--l1",
    "url",
    metavar="URL",
    help="Run on this local development node, such as anvil.  [default: a chain in this process]",
)
def demo(
    file: Path | None,
    as_json: bool,
    command_count: int | None,
    batch_commands: int,
    folder: Path | None,
    url: str | None,
) -> None:
    """Run a trading day end to end on a chain inside this process, or on a local node.

    Deploys the contracts, sends the L1 requests of FILE from development keys, applies its
    commands, proves every batch and posts it. Then four forgeries are tried, a withdrawal is
    claimed, and the contracts' funds are compared with the accounts. FILE is the example day
    unless given; its signatures must be for the venue that the demo deploys. The first run on a
    machine also compiles the kernels and makes the development setup.

    With --l1 the node must be a fresh one with chain id 31337, or 1337 for a file signed for that,
    and offer anvil_setBalance, which funds the development keys, and evm_setNextBlockTimestamp:
    the demo moves the node's clock on to the time of each batch.

    \b
    Example:
      plasmaperps demo
      plasmaperps demo --json | tail -n 1
      plasmaperps demo --l1 http://127.0.0.1:8545
    """
    with one_line_errors(_exit_codes()):
        _run(file or example_file(), as_json, command_count, batch_commands, folder, url)


def example_file() -> Path:
    """The example day: beside this module in a wheel, among the examples in a checkout.

    Raises: CommandFailed where neither has it.
    """
    here = Path(__file__).resolve().parent
    places = (here / "data" / EXAMPLE, here.parent / "examples" / EXAMPLE)
    for place in places:
        if place.is_file():
            return place
    raise bad_input(places[0], "example day", "the file of the installation", "no such file")


def _exit_codes() -> dict[type[Exception], ExitCode]:
    """What each expected error means to a script."""
    from prover.errors import ProverError
    from sequencer.forgeries import ForgeryAccepted
    from sequencer.l1.errors import L1Error, L1Rejected, NotLocalChain
    from verifier.srs import SrsError

    return {
        VerificationError: ExitCode.VERIFICATION_FAILED,
        ForgeryAccepted: ExitCode.VERIFICATION_FAILED,
        L1Rejected: ExitCode.REFUSED,
        NotLocalChain: ExitCode.REFUSED,
        L1Error: ExitCode.USAGE,
        SequencerError: ExitCode.USAGE,
        CircuitError: ExitCode.USAGE,
        ProverError: ExitCode.USAGE,
        KeyFileError: ExitCode.USAGE,
        SrsError: ExitCode.USAGE,
    }


def _run(
    path: Path,
    as_json: bool,
    command_count: int | None,
    batch_commands: int,
    folder: Path | None,
    url: str | None,
) -> None:
    from sequencer import demo_run
    from sequencer.command_file import load_command_file

    start = perf_counter()
    file = load_command_file(path)
    file = replace(file, lines=file.lines[:command_count])
    with closing(demo_run.open_chain(file, url)) as l1:
        _run_on(l1, file, as_json, batch_commands, folder, start)


def _run_on(
    l1: L1, file: CommandFile, as_json: bool, batch_commands: int, folder: Path | None, start: float
) -> None:
    from sequencer import demo_report, demo_run
    from sequencer.forgeries import Refused

    setting = demo_run.prepare(file, folder, l1)
    _print(demo_report.setting_lines(setting, perf_counter() - start))
    applied = demo_run.order(setting, file, batch_commands)
    _print(demo_report.applied_lines(applied))
    other_chain = demo_run.try_other_chain(setting, file)
    records: list[demo_run.BatchRecord] = []
    refusals: list[Refused] = []
    for batch in applied.batches:
        record, found = demo_run.settle(setting, batch, forge=not records)
        records.append(record)
        refusals.extend(found)
        _print(demo_report.batch_lines(record))
    refusals.append(other_chain)
    _print(demo_report.refused_lines(refusals))
    accepted = setting.rollup.settlement_state().root == applied.batches[-1].new_root
    claimed = demo_run.claim(setting, applied)
    custody = demo_run.custody(setting, applied)
    _print(demo_report.closing_lines(claimed, custody))
    click.echo(f"done in {perf_counter() - start:,.1f} s")
    if as_json:
        click.echo(demo_report.json_line(records, accepted, refusals, claimed, custody))
    if not (accepted and custody.matches):
        message = f"{file.path}: expected root and custody to match the accounts, got others"
        raise CommandFailed(message, ExitCode.VERIFICATION_FAILED)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)
