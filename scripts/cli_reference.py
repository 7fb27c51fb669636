"""Write docs/cli.md: the help of every command, as the commands themselves print it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from circuits.cli_support import CommandFailed, ExitCode, atomic_write
from sequencer.cli import main

WIDTH = 100
PREFACE = """# Command reference

Written by `make docs` from the commands themselves; edit their help texts instead of this page.
"""


def sections(command: click.Command, context: click.Context, depth: int) -> list[str]:
    """Return the Markdown of a command and of all commands below it."""
    text = command.get_help(context)
    found = [f"{'#' * depth} `{context.command_path}`\n\n```text\n{text}\n```\n"]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                below = click.Context(child, parent=context, info_name=name, terminal_width=WIDTH)
                found.extend(sections(child, below, min(depth + 1, 4)))
    return found


@click.command()
@click.argument("page", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Compare with PAGE instead of writing it.")
def write_reference(page: Path, check: bool) -> None:
    """Write the help of every command to PAGE."""
    root = click.Context(main, info_name="plasmaperps", terminal_width=WIDTH)
    text = "\n".join([PREFACE, *sections(main, root, 2)])
    if not check:
        with atomic_write(page, text=True) as stream:
            stream.write(text)
    elif not page.exists() or page.read_text(encoding="utf-8") != text:
        raise CommandFailed(f"{page}: out of date: run make docs", ExitCode.REFUSED)


if __name__ == "__main__":
    sys.exit(write_reference())
