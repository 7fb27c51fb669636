"""`rules`: look up what each command may do and why it is refused, as the code has it."""

from __future__ import annotations

import json
from difflib import get_close_matches

import click

from circuits.cli_support import CommandFailed, ExitCode

NEAR_SHOWN = 3


@click.group()
def rules() -> None:
    """Look up what each command may do and why it is refused.

    Everything printed is read from the rules themselves: fields, checks in their order, reject
    reasons, outcomes and steps.

    \b
    Example:
      plasmaperps rules list
      plasmaperps rules show place
    """


@rules.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
def list_rules(as_json: bool) -> None:
    """Name every command, who authorises it and what it does.

    \b
    Example:
      plasmaperps rules list
      plasmaperps rules list --json
    """
    from circuits.rulebook.sheet import heads

    found = heads()
    if as_json:
        click.echo(json.dumps({"commands": [head._asdict() for head in found]}))
        return
    name_width = max(len(head.name) for head in found)
    origin_width = max(len(head.origin) for head in found)
    for head in found:
        click.echo(f"{head.name:<{name_width}}  {head.origin:<{origin_width}}  {head.summary}")


@rules.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
def show_rule(name: str, as_json: bool) -> None:
    """Print fields, checks with reject reasons, outcomes and steps of the command NAME.

    The checks are listed in the order in which the rule makes them; the first that fails is the
    reason of a refusal.

    \b
    Example:
      plasmaperps rules show place
      plasmaperps rules show forced_close --json
    """
    from circuits.rulebook.pages import sheet_text
    from circuits.rulebook.sheet import kinds_by_name, sheet_of

    kinds = kinds_by_name()
    kind = kinds.get(name)
    if kind is None:
        near = get_close_matches(name.lower(), kinds, n=NEAR_SHOWN)
        hint = f"near it: {', '.join(near)}" if near else "see plasmaperps rules list"
        raise CommandFailed(
            f"rules show: expected the name of a command, got {name!r}; {hint}", ExitCode.USAGE
        )
    sheet = sheet_of(kind)
    click.echo(json.dumps(sheet.as_json()) if as_json else sheet_text(sheet))
