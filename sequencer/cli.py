"""The root command `plasmaperps`; a group is imported only when it is called."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click
from click.exceptions import NoArgsIsHelpError

from circuits.cli_support import CommandFailed, ExitCode, one_line_errors

EXIT_CODES_HELP = """\b
Exit codes:
  0  done
  2  wrong usage or bad input; one line on stderr says which file and place
  3  refused by the rules of the exchange or of this tool
  4  told to stop before the work in hand was done
  5  verification failed
"""


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """Where a command lives, and the line that the root help prints without importing it."""

    module: str
    attribute: str
    short_help: str


COMMANDS: Mapping[str, LazyCommand] = {
    "demo": LazyCommand(
        "sequencer.demo", "demo", "Run a trading day end to end: batches, proofs, settlement."
    ),
    "op": LazyCommand("sequencer.op_cli", "op", "Run the venue: order commands and seal batches."),
    "prover": LazyCommand("prover.cli", "prover", "Prepare a setup and prove batches."),
    "verify": LazyCommand("verifier.cli", "verify", "Check a proof or a verifying key."),
    "rules": LazyCommand(
        "circuits.rulebook.cli", "rules", "Look up what each command may do and why it is refused."
    ),
    "circuit": LazyCommand(
        "circuits.cli", "circuit", "Look into the chips that define the statement."
    ),
}


@contextmanager
def _one_line_usage_errors() -> Iterator[None]:
    """Say what is wrong with the command line in one line, for this command and all below it."""
    try:
        yield
    except NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "plasmaperps"
        message = f"{path}: {error.format_message()} Try '{path} --help'."
        raise CommandFailed(message, ExitCode.USAGE) from error


class LazyGroup(click.Group):
    """A group whose commands are known by name and imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        with one_line_errors():
            command = getattr(import_module(entry.module), entry.attribute)
        if not isinstance(command, click.Command):
            raise TypeError(
                f"{entry.module}.{entry.attribute}: expected a command, got {command!r}"
            )
        return command

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        with _one_line_usage_errors():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _one_line_usage_errors():
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.short_help) for name, entry in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    epilog=EXIT_CODES_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="plasmaperps", message="%(prog)s %(version)s")
def main() -> None:
    """PlasmaPerps: margin accounts and batches proven end to end.

    A sequencer applies signed commands and seals them into batches; a prover turns each batch into
    one succinct proof; a contract accepts the batch only with that proof.

    \b
    Example:
      plasmaperps demo
      plasmaperps op run-file examples/margin_day.jsonl
      plasmaperps verify proof --key demo.key batch.proof batch.statement

    Each command explains itself: plasmaperps COMMAND --help.
    """


if __name__ == "__main__":
    sys.exit(main())
