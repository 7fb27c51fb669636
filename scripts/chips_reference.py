"""Write docs/chips.md: every chip and bus, with figures derived from the code."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from circuits.air.chip import System
from circuits.air.describe import buses_table, chips_table, describe_chip
from circuits.air.shape import lay_out
from circuits.chips.costs import costs
from circuits.chips.system import SHAPES, margin_system
from circuits.cli_support import CommandFailed, ExitCode, atomic_write
from verifier.key import Setup, make_key
from verifier.proof import proof_bytes

PREFACE = """# Chips and buses

Written by `make docs` from the chips themselves. What a chip's constraints rest on is said in the
Soundness section of its class in `circuits/chips`; how the protocol uses them in
[protocol.md](protocol.md).
"""


def shapes_table(system: System) -> str:
    """Markdown table of what a proof costs in each shape."""
    lines = [
        "| shape | chunk cells | main chunks | helper chunks | rounds | columns | proof bytes |",
        "|---|---|---|---|---|---|---|",
    ]
    for shape in SHAPES.values():
        layout = lay_out(system, shape)
        # The size of a proof does not depend on the setup; any point stands in for it.
        key = make_key(system, shape, Setup(((0, 0), (0, 0)), bytes(32), insecure=True))
        lines.append(
            f"| {shape.name} | 2^{shape.log_chunk} | {layout.main_chunks} | "
            f"{layout.helper_chunks} | {key.rounds} | {key.columns} | {proof_bytes(key)} |"
        )
    return "\n".join(lines)


def page_text() -> str:
    """The whole page."""
    system = margin_system()
    parts = [PREFACE, "## Shapes", shapes_table(system)]
    parts += [f"A signature costs {costs(system)['signature']} committed cells beside its hashes."]
    parts += ["## Chips", chips_table(system, next(iter(SHAPES.values()))), "## Buses"]
    parts += [buses_table(system), "## Every chip"]
    for chip in system.chips:
        parts += [f"### {chip.name}", f"```text\n{describe_chip(chip)}\n```"]
    return "\n\n".join(part.strip() for part in parts) + "\n"


@click.command()
@click.argument("page", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Compare with PAGE instead of writing it.")
def write_reference(page: Path, check: bool) -> None:
    """Write the chips and buses to PAGE."""
    text = page_text()
    if not check:
        with atomic_write(page, text=True) as stream:
            stream.write(text)
    elif not page.exists() or page.read_text(encoding="utf-8") != text:
        raise CommandFailed(f"{page}: out of date: run make docs", ExitCode.REFUSED)


if __name__ == "__main__":
    sys.exit(write_reference())
