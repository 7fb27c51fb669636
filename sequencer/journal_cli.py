"""Commands of `plasmaperps op` that look at a journal, and one that looks at published words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from circuits.cli_support import CommandFailed, ExitCode, one_line_errors, progress
from sequencer.errors import ReplayDiffers, RootDiffers, SequencerError

if TYPE_CHECKING:
    from sequencer.rebuild import Rebuilt
    from sequencer.replay import Replay

FOLDER = click.argument("folder", type=click.Path(file_okay=False, exists=True, path_type=Path))
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
REBUILD_ERRORS: dict[type[Exception], ExitCode] = {
    RootDiffers: ExitCode.VERIFICATION_FAILED,
    SequencerError: ExitCode.USAGE,
}


@contextmanager
def _errors_of(folder: Path) -> Iterator[None]:
    """Name the folder before what is wrong in it; a replay that differs has a code of its own."""
    with one_line_errors():
        try:
            yield
        except SequencerError as error:
            differs = isinstance(error, ReplayDiffers)
            code = ExitCode.VERIFICATION_FAILED if differs else ExitCode.USAGE
            raise CommandFailed(f"{folder}: {error}", code) from error


@click.group()
def journal() -> None:
    """Look after the journal of a venue.

    \b
    Example:
      plasmaperps op journal check venue/journal
    """


@journal.command()
@FOLDER
@JSON
def check(folder: Path, as_json: bool) -> None:
    """Read every byte of the journal in FOLDER and say what it holds or where it is damaged.

    Nothing is changed, and a writer may be at work. A torn tail is reported and is no damage: the
    next start of the writer cuts it. Damage ends the command with exit code 2 and one line: the
    segment, the byte, what was expected and what stood there.

    \b
    Example:
      plasmaperps op journal check venue/journal
      plasmaperps op journal check venue/journal --json
    """
    from sequencer.journal_files import JournalFolder
    from sequencer.journal_summary import summarise

    with _errors_of(folder):
        found = summarise(JournalFolder(folder))
        if as_json:
            names = ("segment_count", "command_count", "seal_count", "last_sequence", "epoch")
            record = {name: getattr(found, name) for name in (*names, "torn_bytes")}
            record |= {"journal_head": hex(found.head), "snapshot_count": len(found.snapshots)}
            click.echo(json.dumps(record))
        else:
            click.echo(
                f"{found.last_sequence} records in {found.segment_count} segments: "
                f"{found.command_count} commands, {found.seal_count} seals"
            )
            click.echo(f"epoch {found.epoch}, journal head {found.head:#x}")
            if found.torn_bytes:
                click.echo(
                    f"torn tail: {found.segment}: byte {found.offset}: "
                    f"{found.torn_bytes} bytes of a record; the next start cuts them"
                )
            click.echo(f"snapshots: {len(found.snapshots)}")
        for error in found.snapshot_errors:
            raise error


@click.command()
@FOLDER
@JSON
def replay(folder: Path, as_json: bool) -> None:
    """Apply the journal in FOLDER from its first command and compare with what it recorded.

    Every signature is checked again, and every seal must lead to its recorded root. Nothing is
    changed. A journal that is damaged ends with exit code 2, one that the rules lead elsewhere
    with exit code 5.

    \b
    Example:
      plasmaperps op replay venue/journal
      plasmaperps op replay venue/journal --json
    """
    from circuits.signature import verify
    from sequencer.engine import Engine
    from sequencer.follower import UNKNOWN_EPOCH
    from sequencer.journal_files import JournalFolder
    from sequencer.journal_reader import JournalReader
    from sequencer.journal_summary import summarise
    from sequencer.replay import NO_BATCH_BOUND, Replay

    files = JournalFolder(folder)
    with _errors_of(folder):
        # Read once before: damage shows at once, and the bar knows its length.
        found = summarise(files)
        replayed = Replay(Engine(found.domain, UNKNOWN_EPOCH, NO_BATCH_BOUND), verify)
        reader = JournalReader(files, found.domain)
        with progress("replaying", found.last_sequence) as advance:
            for record in reader.read():
                replayed.apply(record)
                advance(1)
    figures = _figures(replayed) | {"journal_head": hex(reader.head), "epoch": reader.epoch}
    if as_json:
        click.echo(json.dumps(figures))
        return
    for name, figure in figures.items():
        click.echo(f"{name.replace('_', ' ')}: {figure}")


def _figures(replayed: Replay) -> dict[str, int | str]:
    engine = replayed.engine
    return {
        "next_batch_number": engine.position.batch_number,
        "open_commands": engine.open_count,
        "queue_cursor": engine.queue_cursor,
        "accounts": len(engine.state.accounts),
        "state_root": hex(engine.root),
    }


@click.command()
@FOLDER
def snapshot(folder: Path) -> None:
    """Write a snapshot of the exchange after the last seal of the journal in FOLDER.

    The next start of a writer or a standby begins there instead of at the first command. A writer
    may be at work meanwhile. Segments from before a snapshot are still the only record of what
    was signed: archive them, do not just delete them.

    \b
    Example:
      plasmaperps op snapshot venue/journal
    """
    from sequencer.follower import Follower
    from sequencer.journal_files import JournalFolder
    from sequencer.journal_reader import domain_of
    from sequencer.snapshot import save_snapshot

    files = JournalFolder(folder)
    with _errors_of(folder):
        follower = Follower(files, domain_of(files))
        follower.poll()
        for message in follower.messages:
            click.echo(message)
        if follower.sealed is None:
            message = f"{folder}: expected a sealed batch, got none yet"
            raise CommandFailed(message, ExitCode.REFUSED)
        save_snapshot(files, follower.sealed, follower.reader.segment)
        click.echo(
            f"{folder / follower.sealed.name}: batch "
            f"{follower.sealed.position.batch_number - 1}, root {follower.sealed.root:#x}"
        )


@click.command()
@click.argument(
    "words",
    nargs=-1,
    required=True,
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
)
@JSON
def rebuild(words: tuple[Path, ...], as_json: bool) -> None:
    """Work out every account from the published WORDS of all batches, and nothing else.

    WORDS are the statement files, or for batches without one the words files, of the batches from
    the first on, in any order. The accounts must lead to the root of each batch; exit code 5 if
    they do not, 2 if a batch is missing.

    \b
    Example:
      plasmaperps op run-file examples/margin_day.jsonl --out day
      plasmaperps op rebuild day/*.statement
    """
    from circuits.text_table import aligned
    from sequencer.rebuild import load_words
    from sequencer.rebuild import rebuild as rebuild_exchange

    with one_line_errors(REBUILD_ERRORS):
        rebuilt = rebuild_exchange(load_words(words))
    if as_json:
        click.echo(json.dumps(_rebuilt_figures(rebuilt)))
        return
    leaves = rebuilt.leaves_by_account()
    rows = [
        (account.account_id, account.nonce, account.cash, len(leaves.get(account.account_id, ())))
        for account in rebuilt.accounts
    ]
    for line in aligned(("account", "nonce", "cash in 1e-18", "other leaves"), rows):
        click.echo(line)
    click.echo(f"{len(rows)} accounts from {rebuilt.batch_count} batches")
    click.echo(f"root of the accounts {rebuilt.root_accounts:#x}")


def _rebuilt_figures(rebuilt: Rebuilt) -> dict[str, Any]:
    """All that the words say: headers, and the other leaves of each account by their slot."""
    accounts: dict[int, dict[str, Any]] = {}
    leaves = rebuilt.leaves_by_account()
    for account in rebuilt.accounts:
        fields = account._asdict()
        del fields["account_id"]
        fields |= {"cash": str(account.cash), "identity": hex(account.identity)}
        fields["leaves"] = {
            slot: {"kind": type(leaf).__name__}
            | {name: str(value) for name, value in leaf._asdict().items()}
            for slot, leaf in leaves.get(account.account_id, {}).items()
        }
        accounts[account.account_id] = fields
    return {
        "batches": rebuilt.batch_count,
        "accounts": accounts,
        "root_accounts": hex(rebuilt.root_accounts),
        "state_root": hex(rebuilt.root),
    }


COMMANDS = (journal, replay, snapshot, rebuild)
"""What belongs under `plasmaperps op`."""
