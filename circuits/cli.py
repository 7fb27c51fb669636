"""`circuit`: look into the chips that define the statement, and check a witness against them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from circuits.cli_support import CommandFailed, ExitCode, bad_input, one_line_errors, progress

if TYPE_CHECKING:
    from circuits.air.chip import CompiledChip, System
    from circuits.witness.file import Witness

FAILURES_SHOWN = 20


@click.group()
def circuit() -> None:
    """Look into the chips that define the statement.

    A chip is a table with columns, constraints on each row, and messages to other chips. Together
    the chips say what a batch proof proves.

    \b
    Example:
      plasmaperps circuit describe
      plasmaperps circuit describe transfer
      plasmaperps circuit check batch-1.witness
    """


@circuit.command("list")
def list_chips() -> None:
    """Name every chip and what a row of it stands for.

    \b
    Example:
      plasmaperps circuit list
    """
    from circuits.chips.system import margin_system

    chips = margin_system().chips
    width = max(len(chip.name) for chip in chips)
    for chip in chips:
        click.echo(f"{chip.name:<{width}}  {chip.summary}")


@circuit.command()
@click.argument("chip", required=False)
@click.option(
    "--shape",
    "shape_name",
    type=click.Choice(["S", "M"]),
    default="S",
    show_default=True,
    help="Size of the tables.",
)
def describe(chip: str | None, shape_name: str) -> None:
    """Print the tables of all chips, or columns, constraints and messages of one CHIP.

    \b
    Example:
      plasmaperps circuit describe --shape M
      plasmaperps circuit describe leaf
    """
    from circuits.air.describe import buses_table, chips_table, describe_chip, layout_figures
    from circuits.air.shape import lay_out
    from circuits.chips.costs import costs
    from circuits.chips.system import SHAPES, margin_system

    system, shape = margin_system(), SHAPES[shape_name]
    if chip is not None:
        click.echo(describe_chip(_named_chip(system, chip)))
        return
    click.echo(chips_table(system, shape) + "\n")
    click.echo(buses_table(system) + "\n")
    totals = {
        "chips": len(system.chips),
        "main columns": sum(len(each.columns) for each in system.chips),
        "helper columns": sum(each.helper_count for each in system.chips),
        "constraints": sum(len(each.constraints) for each in system.chips),
        "interactions": sum(len(each.interactions) for each in system.chips),
        "degree of a round": system.degree,
    }
    _echo_figures("All chips", totals)
    _echo_figures(f"Layout of shape {shape.name}", layout_figures(system, lay_out(system, shape)))
    _echo_figures("Committed cells, helpers included", costs(system))


@circuit.command()
@click.argument("witness", type=click.Path(path_type=Path))
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=FAILURES_SHOWN,
    show_default=True,
    help="How many failures to print.",
)
def check(witness: Path, limit: int) -> None:
    """Check every constraint and every message of a WITNESS file.

    Each failure names the chip, the constraint, the row and its values, or the message that
    does not balance and who sent or received it. Ends with exit code 3 when there are any.

    \b
    Example:
      plasmaperps circuit check batch-1.witness
      plasmaperps circuit check batch-1.witness --limit 1000
    """
    from circuits.chips.system import margin_system
    from circuits.errors import WitnessError
    from circuits.witness.file import Witness

    system = margin_system()
    with one_line_errors({WitnessError: ExitCode.USAGE}):
        loaded = Witness.load(witness, system)
    failures = _failures(loaded, system)
    for failure in islice(failures, limit):
        click.echo(str(failure))
    rows = sum(loaded.heights.values())
    if failures:
        raise CommandFailed(
            f"{witness}: expected no failure, got {len(failures)}"
            + (f" ({limit} shown)" if len(failures) > limit else ""),
            ExitCode.REFUSED,
        )
    click.echo(
        f"{witness}: batch {loaded.statement.batch_number}, shape {loaded.shape_name}, "
        f"{rows} rows: every constraint holds and every message is answered"
    )


@circuit.command()
@click.option(
    "--check",
    "check_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Compare with the fingerprints in FILE instead of printing them.",
)
def fingerprint(check_path: Path | None) -> None:
    """Print one field element per chip that changes with any of its constraints.

    The kernels, the Python verifier and the generated contract must reproduce it.

    \b
    Example:
      plasmaperps circuit fingerprint
      plasmaperps circuit fingerprint --check tests/vectors/fingerprints.json
    """
    from circuits.chips.system import fingerprints, margin_system

    values = fingerprints(margin_system())
    if check_path is None:
        click.echo(json.dumps(values, indent=2))
        return
    with one_line_errors():
        pinned = _pinned_fingerprints(check_path)
    if pinned != values:
        name = next(key for key in {**pinned, **values} if pinned.get(key) != values.get(key))
        raise CommandFailed(
            f"{check_path}: chip {name}: expected {pinned.get(name, 'no such chip')}, "
            f"got {values.get(name, 'no such chip')}",
            ExitCode.REFUSED,
        )
    click.echo(f"{check_path}: the fingerprints of {len(values)} chips are as pinned")


def _named_chip(system: System, name: str) -> CompiledChip:
    for chip in system.chips:
        if chip.name == name:
            return chip
    names = ", ".join(chip.name for chip in system.chips)
    raise CommandFailed(f"chip: expected one of {names}, got {name!r}", ExitCode.USAGE)


def _echo_figures(title: str, figures: Mapping[str, Any]) -> None:
    click.echo(title)
    for name, value in figures.items():
        click.echo(f"  {name:<28} {value:>8}")
    click.echo("")


def _failures(witness: Witness, system: System) -> list[Any]:
    """All failures of a witness, chip by chip under a progress bar."""
    from circuits.air.check import check_buses, check_chip

    publics = witness.statement.words()
    cells: dict[str, list[list[int]]] = {}
    failures: list[Any] = []
    # Buses cost about as much as all constraints together.
    total = sum(witness.heights.values())
    with progress("checking", 2 * total) as advance:
        for chip in system.chips:
            cells[chip.name] = witness.table(chip.name).cells()
            if witness.heights[chip.name]:
                failures += check_chip(chip, cells[chip.name], publics, system.modulus)
            advance(witness.heights[chip.name])
        failures += check_buses(system, cells, witness.heights, publics)
        advance(total)
    published = witness.statement.pubdata
    if tuple(cells[system.pubdata_chip][0]) != published:
        failures.append(
            f"{system.pubdata_chip}: expected the published words of the statement, got others"
        )
    for name in system.single_row_chips:
        if witness.heights[name] != 1:
            failures.append(f"{name}: expected 1 row, got {witness.heights[name]}")
    return failures


def _pinned_fingerprints(path: Path) -> dict[str, str]:
    try:
        pinned = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise bad_input(path, "file", "JSON", str(error)) from error
    if not isinstance(pinned, dict):
        raise bad_input(path, "file", "an object of fingerprints by chip", type(pinned).__name__)
    return pinned
