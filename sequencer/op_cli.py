"""`plasmaperps op`: the venue's operator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from circuits.cli_support import CommandFailed, ExitCode, one_line_errors, progress
from circuits.errors import CircuitError
from sequencer import journal_cli, op_l1_cli, sim_cli
from sequencer.errors import SequencerError

if TYPE_CHECKING:
    from prover.node.store import JobStore
    from sequencer.apply_file import Applied
    from sequencer.batch_files import BatchFiles
    from sequencer.batcher import Batch
    from sequencer.command_file import CommandFile

STORE_PATIENCE_S = 30.0
"""How long a run outlasts a job store that is away, rather than to lose what it has applied."""

BATCH_COMMANDS = 300
"""What fills a batch unless the caller says otherwise; it fits shape S."""

ERRORS: dict[type[Exception], ExitCode] = {
    SequencerError: ExitCode.USAGE,
    CircuitError: ExitCode.USAGE,
}
HEADINGS = ("batch", "commands", "L1 requests", "withdrawals", "shape", "witness bytes")


@click.group()
def op() -> None:
    """Run the venue: deploy it, order and apply commands, seal batches and settle them.

    \b
    Example:
      plasmaperps op run-file examples/margin_day.jsonl --out day
      plasmaperps op post day/batch-0001.proof --l1 http://127.0.0.1:8545 \\
          --deployment deployment.json --secret-file sequencer.secret
    """


op.add_command(op_l1_cli.deploy)
op.add_command(op_l1_cli.post)
op.add_command(op_l1_cli.status)
op.add_command(sim_cli.simulate)
for command in journal_cli.COMMANDS:
    op.add_command(command)


@op.command("run-file")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--out",
    "folder",
    default=Path("batches"),
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for witness and statement files; it must hold no batches yet.",
)
@click.option(
    "--batch-commands",
    default=BATCH_COMMANDS,
    show_default=True,
    type=click.IntRange(1),
    help="Seal a batch after so many accepted commands; the rest make the last batch.",
)
@click.option(
    "--base-time-ms",
    type=click.IntRange(0),
    help="Time from which the file's first after_ms counts.  [default: now]",
)
@click.option(
    "--strict",
    is_flag=True,
    help="End with exit code 3, nothing written, when the rules refuse a command of the file.",
)
@click.option(
    "--journal",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for a journal: every accepted command is on the disk before it is told.",
)
@click.option(
    "--jobs",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Queue every batch in this job store as well, for its prover nodes.",
)
def run_file(
    file: Path,
    folder: Path,
    batch_commands: int,
    base_time_ms: int | None,
    strict: bool,
    journal: Path | None,
    jobs: Path | None,
) -> None:
    """Apply the signed commands of FILE and write its batches, ready for the prover.

    A command that the rules refuse is printed with its line and reason and joins no batch; the run
    goes on and ends with exit code 0. A line that is not a command at all ends the run before
    anything is written. For each batch N the folder gets batch-N.witness, the input of
    `plasmaperps prover prove`, and batch-N.statement, what the proof will be checked against. A
    batch with a command that no chip proves yet gets batch-N.words instead: what it published.

    With --jobs the batches are queued as `plasmaperps prover jobs add` does it. One that is in the
    store already is left as it is, so an interrupted run may be repeated with the same
    --base-time-ms; another witness for a batch of the store ends the run with exit code 3.

    \b
    Example:
      plasmaperps op run-file examples/margin_day.jsonl --out day
      plasmaperps prover prove day/batch-0001.witness -o day/batch-0001.proof
      plasmaperps op run-file examples/margin_day.jsonl --out day --jobs jobs
    """
    from sequencer.command_file import load_command_file

    if strict and journal is not None:
        # A journal cannot be unwritten, and --strict promises to leave nothing behind.
        raise CommandFailed("--strict: expected no --journal, got both", ExitCode.USAGE)
    with _errors():
        store = None if jobs is None else _open_store(jobs)
        loaded = load_command_file(file)
        applied = _applied(loaded, batch_commands, base_time_ms, journal)
        for refusal in applied.refusals:
            click.echo(f"{file}:{refusal.line}: {refusal.kind} refused: {refusal.rejected}")
        click.echo(
            f"{applied.command_count} commands: {applied.accepted_count} accepted, "
            f"{len(applied.refusals)} refused"
        )
        if strict and applied.refusals:
            found = len(applied.refusals)
            message = f"{file}: expected every command accepted, got {found} refused"
            raise CommandFailed(message, ExitCode.REFUSED)
        if applied.batches:
            _write(applied, folder, store)
        else:
            click.echo("no batch, so nothing was written")


def _applied(
    file: CommandFile, batch_commands: int, base_time_ms: int | None, journal: Path | None
) -> Applied:
    import time

    from sequencer.apply_file import apply_file
    from sequencer.l1.deploy import SEQUENCER_EPOCH

    with progress("applying", len(file.lines)) as advance:
        return apply_file(
            file,
            epoch=SEQUENCER_EPOCH,
            base_time_ms=time.time_ns() // 10**6 if base_time_ms is None else base_time_ms,
            batch_commands_max=batch_commands,
            advance=advance,
            journal=journal,
        )


@contextmanager
def _errors() -> Iterator[None]:
    """Exit codes of what is expected to go wrong with the file, its batches and a job store."""
    from prover.node.errors import BatchConflict, StoreError

    stores = {BatchConflict: ExitCode.REFUSED, StoreError: ExitCode.USAGE}
    with one_line_errors(stores | ERRORS):
        yield


def _open_store(folder: Path) -> JobStore:
    """Before anything is applied, so that a wrong folder costs nothing."""
    from prover.node.cli_support import open_store

    return open_store(folder, STORE_PATIENCE_S)


def _write(applied: Applied, folder: Path, store: JobStore | None) -> None:
    """Write the files of every batch; the statement last, so that it stands for a whole batch."""
    from circuits.text_table import aligned
    from sequencer.batch_files import BatchFiles, open_folder

    open_folder(folder)
    rows = []
    with progress("writing witnesses", len(applied.batches)) as advance:
        for batch in applied.batches:
            shape, size = _write_batch(BatchFiles(folder, batch.number), batch, store)
            counts = batch.published.counts
            name = BatchFiles(folder, batch.number).witness.stem
            rows.append(
                (name, len(batch.commands), counts.requests, counts.withdrawals, shape, size)
            )
            advance(1)
    for line in aligned(HEADINGS, rows):
        click.echo(line)
    click.echo(f"{len(rows)} batch{'es' * (len(rows) != 1)} written to {folder}")
    if store is not None:
        click.echo(f"queued in {store.folder}, as far as they have a witness")


def _write_batch(files: BatchFiles, batch: Batch, store: JobStore | None) -> tuple[str, int | str]:
    """Write and queue one batch; shape and bytes of its witness, if it has one."""
    from sequencer.batch_files import witness_of
    from sequencer.words_file import BatchWords

    if batch.statement is None:
        files.save_words(BatchWords.of_batch(batch))
        return "none yet", "none"
    witness = witness_of(batch)
    witness.save(files.witness)
    files.save_statement(batch.statement)
    if store is not None:
        from prover.node.cli_support import now_ms
        from prover.node.intake import take_in_loaded

        take_in_loaded(store, files.witness, witness, now_ms())
    return witness.shape_name, files.witness.stat().st_size
