"""Write docs/rule-tables.md: every command with its fields, checks, outcomes and steps."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from circuits.cli_support import CommandFailed, ExitCode, atomic_write
from circuits.rulebook.pages import rule_tables


@click.command()
@click.argument("page", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Compare with PAGE instead of writing it.")
def write_reference(page: Path, check: bool) -> None:
    """Write the tables of all rules to PAGE."""
    text = rule_tables()
    if not check:
        with atomic_write(page, text=True) as stream:
            stream.write(text)
    elif not page.exists() or page.read_text(encoding="utf-8") != text:
        raise CommandFailed(f"{page}: out of date: run make docs", ExitCode.REFUSED)


if __name__ == "__main__":
    sys.exit(write_reference())
