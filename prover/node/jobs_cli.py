"""`plasmaperps prover jobs`: look after the jobs of a store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from circuits.cli_support import CommandFailed, ExitCode, atomic_write, bad_input
from prover.node.cli_support import (
    jobs_option,
    json_option,
    now_ms,
    open_store,
    print_lines,
    store_errors,
)

if TYPE_CHECKING:
    from prover.node.jobs import Job

_IN = click.Path(dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, writable=True, path_type=Path)
_JOB = click.argument("job_id", type=click.IntRange(1), metavar="ID")


@click.group()
def jobs() -> None:
    """Look after the jobs of a store: batches that wait for a proof, and their proofs.

    A store is a folder on a disk of the machine where its nodes run; a network file system will
    not do. Every batch is one job; its witness is copied into the store.

    \b
    Example:
      plasmaperps prover jobs new --jobs jobs
      plasmaperps prover jobs add day/*.witness --jobs jobs
      plasmaperps prover jobs list --jobs jobs
      plasmaperps prover jobs fetch 1 --jobs jobs -o day/batch-0001.proof
    """


@jobs.command()
@jobs_option
def new(folder: Path) -> None:
    """Make an empty store in DIR, which must be empty or not there yet.

    No other command makes one, so that a store whose disk is not mounted is never taken for empty.

    \b
    Example:
      plasmaperps prover jobs new --jobs jobs
    """
    from prover.node.store import JobStore

    with store_errors():
        made = JobStore.create(folder)
    click.echo(f"{folder}: job store {made.id}")


@jobs.command()
@click.argument("witnesses", type=_IN, metavar="WITNESS...", nargs=-1, required=True)
@jobs_option
@json_option
def add(witnesses: tuple[Path, ...], folder: Path, as_json: bool) -> None:
    """Queue the batch of every WITNESS; one that is in the store already is left as it is.

    A witness that is damaged ends the command with exit code 2, another witness for a batch of the
    store with exit code 3. What was added before that stays.

    \b
    Example:
      plasmaperps prover jobs add day/*.witness --jobs jobs
    """
    from prover.node.intake import take_in

    with store_errors():
        store = open_store(folder)
        records = []
        try:
            for path in witnesses:
                added = take_in(store, path, now_ms())
                job = added.job
                records.append(_record(job) | {"is_new": added.is_new})
                if not as_json:
                    what = "added" if added.is_new else f"in the store already, {job.state}"
                    click.echo(f"{job.place}: batch {job.batch_number}: {what}")
        finally:
            # Also when a witness is refused: what was added before it stays.
            if as_json:
                click.echo(json.dumps({"jobs": records}))


@jobs.command("list")
@jobs_option
@json_option
def list_jobs(folder: Path, as_json: bool) -> None:
    """List all jobs, the oldest batch first, and why jobs have failed.

    \b
    Example:
      plasmaperps prover jobs list --jobs jobs
      plasmaperps prover jobs list --jobs jobs --json
    """
    from circuits.text_table import aligned
    from prover.node.display import age

    with store_errors():
        found = open_store(folder).jobs()
    if as_json:
        click.echo(json.dumps({"jobs": [_record(job) for job in found]}))
        return
    if not found:
        click.echo("no jobs")
        return
    time_ms = now_ms()
    rows = [
        (
            job.id, job.batch_number, job.shape_name, job.state, job.attempts,
            f"{age(max(0, time_ms - job.added_ms) / 1000)} ago",
            job.node if job.state == "leased" else "",
        )
        for job in found
    ]  # fmt: skip
    print_lines(aligned(("job", "batch", "shape", "state", "attempts", "added", "held by"), rows))
    print_lines([f"{job.place}: {job.reason}" for job in found if job.reason])


@jobs.command()
@_JOB
@jobs_option
@json_option
def show(job_id: int, folder: Path, as_json: bool) -> None:
    """Show everything about the job ID, with the paths of its files in the store.

    \b
    Example:
      plasmaperps prover jobs show 3 --jobs jobs
    """
    with store_errors():
        store = open_store(folder)
        job = store.job(job_id)
    record = _record(job) | {"witness": str(store.files.witness(job.witness_hash))}
    record["statement"] = str(store.files.statement(job.witness_hash))
    record["proof"] = str(store.files.proof(job.proof_file)) if job.proof_file else None
    if as_json:
        click.echo(json.dumps(record))
        return
    width = max(map(len, record))
    for name, value in record.items():
        click.echo(f"{name:<{width}}  {'' if value is None else value}".rstrip())


@jobs.command()
@_JOB
@jobs_option
def retry(job_id: int, folder: Path) -> None:
    """Queue the job ID again, which has failed or is parked, with all its attempts.

    \b
    Example:
      plasmaperps prover jobs retry 3 --jobs jobs
    """
    with store_errors():
        job = open_store(folder).retry(job_id, now_ms())
    click.echo(f"{job.place}: {job.state}")


@jobs.command()
@_JOB
@jobs_option
def remove(job_id: int, folder: Path) -> None:
    """Forget the job ID and delete its files in the store, its proof included.

    For batches that are settled, and for one that was sealed again: its new witness is refused
    while the old one is there. A job whose lease has not ended is refused with exit code 3.

    \b
    Example:
      plasmaperps prover jobs remove 3 --jobs jobs
    """
    with store_errors():
        job = open_store(folder).remove(job_id, now_ms())
    click.echo(f"{job.place}: batch {job.batch_number} removed")


@jobs.command()
@_JOB
@jobs_option
@click.option("-o", "--out", "proof_path", required=True, type=_OUT, help="Proof file to write.")
@click.option(
    "--statement", "statement_path", type=_OUT,
    help="Statement file to write.  [default: the proof's name ending in .statement]",
)  # fmt: skip
def fetch(job_id: int, folder: Path, proof_path: Path, statement_path: Path | None) -> None:
    """Write the proof of the job ID and its statement, ready for `op post`.

    A job that is not proven ends the command with exit code 3.

    \b
    Example:
      plasmaperps prover jobs fetch 1 --jobs jobs -o day/batch-0001.proof
      plasmaperps verify proof day/batch-0001.proof day/batch-0001.statement
      plasmaperps op post day/batch-0001.proof --l1 http://127.0.0.1:8545 \\
          --deployment deployment.json --secret-file sequencer.secret
    """
    from prover.node.jobs import JobState

    statement_path = statement_path or proof_path.with_suffix(".statement")
    if statement_path == proof_path:
        raise bad_input(proof_path, "name", "one not ending in .statement", "the statement's name")
    with store_errors():
        store = open_store(folder)
        job = store.job(job_id)
        if job.state is not JobState.PROVEN:
            message = f"{job.place}: expected a job that is proven, got {job.state}"
            raise CommandFailed(message, ExitCode.REFUSED)
        proof, statement = store.proof(job), store.statement(job)
        with atomic_write(statement_path, text=True) as stream:
            stream.write(statement)
        with atomic_write(proof_path) as stream:
            stream.write(proof)
    click.echo(f"{proof_path}: {len(proof)} bytes, batch {job.batch_number}")


def _record(job: Job) -> dict[str, object]:
    """A job for --json."""
    return {
        "id": job.id,
        "batch": job.batch_number,
        "domain": hex(job.domain),
        "shape": job.shape_name,
        "state": str(job.state),
        "attempts": job.attempts,
        "node": job.node or None,
        "token": job.token,
        "free_at_ms": job.free_at_ms,
        "reason": job.reason or None,
        "added_ms": job.added_ms,
        "proven_ms": job.proven_ms or None,
        "witness_hash": job.witness_hash,
        "proof_hash": job.proof_hash or None,
    }
