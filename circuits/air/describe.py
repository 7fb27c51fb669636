"""Derived figures of a system: tables for the documentation, costs, and the fingerprint."""

from __future__ import annotations

import hashlib

from circuits.air.chip import CompiledChip, System
from circuits.air.shape import Layout, Shape
from circuits.air.tape import MUL, evaluate_tape


def chip_figures(chip: CompiledChip) -> dict[str, int]:
    """Columns, constraints, interactions, degree and operations of one chip."""
    return {
        "columns": len(chip.columns),
        "helpers": chip.helper_count,
        "cells_per_row": chip.cells_per_row,
        "constraints": len(chip.constraints),
        "interactions": len(chip.interactions),
        "degree": chip.degree,
        "operations": chip.tape.operations,
        "multiplications": sum(1 for each in chip.tape.code if each[0] == MUL),
        "temporaries": chip.tape.temporaries,
    }


def describe_chip(chip: CompiledChip) -> str:
    """One chip as text: its columns, constraints and interactions by name."""
    figures = chip_figures(chip)
    lines = [f"{chip.name}: {chip.summary}", ""]
    lines += [f"  {name:<16} {value}" for name, value in figures.items()]
    lines += ["", "  columns"]
    lines += [
        f"    {physical.name:<24} {_width(physical.bits):<8} {physical.rule}"
        for physical in chip.columns
    ]
    lines += ["", "  constraints"]
    lines += [f"    {each.name} (degree {each.expr.degree})" for each in chip.constraints]
    lines += ["", "  interactions"]
    lines += [
        f"    {_verb(each.sign, each.bus.is_table):<8} {each.label} "
        f"({len(each.values)} values, times at most {'any' if each.bound is None else each.bound})"
        for each in chip.interactions
    ]
    return "\n".join(line.rstrip() for line in lines)


def _width(bits: int) -> str:
    return "field" if bits > 64 else f"{bits} bit"


def _verb(sign: int, is_table: bool) -> str:
    if is_table:
        return "lookup" if sign > 0 else "provide"
    return "send" if sign > 0 else "receive"


def chips_table(system: System, shape: Shape) -> str:
    """Markdown table of all chips with their row capacity in a shape."""
    names = ("columns", "helpers", "constraints", "interactions", "degree", "operations")
    lines = [
        "| chip | rows | " + " | ".join(names) + " | a row is |",
        "|---|---|" + "---|" * len(names) + "---|",
    ]
    for chip in system.chips:
        figures = chip_figures(chip)
        cells = " | ".join(str(figures[name]) for name in names)
        lines.append(
            f"| {chip.name} | 2^{shape.log_height(chip.name)} | {cells} | {chip.summary} |"
        )
    return "\n".join(lines)


def buses_table(system: System) -> str:
    """Markdown inventory of all buses: kind, arity, senders and receivers."""
    lines = [
        "| bus | number | kind | values | sent or looked up by | received or provided by |",
        "|---|---|---|---|---|---|",
    ]
    for bus in system.buses:
        sides: dict[int, dict[str, None]] = {1: {}, -1: {}}
        for chip in system.chips:
            for each in chip.interactions:
                if each.bus == bus:
                    sides[each.sign].setdefault(chip.name)
        kind = "table" if bus.is_table else "channel"
        lines.append(
            f"| {bus.name} | {bus.number} | {kind} | {bus.arity} | {', '.join(sides[1])} "
            f"| {', '.join(sides[-1])} |"
        )
    return "\n".join(lines)


def layout_figures(system: System, layout: Layout) -> dict[str, int]:
    """Chunks, committed columns and proof words that a shape costs."""
    return {
        "main_chunks": layout.main_chunks,
        "helper_chunks": layout.helper_chunks,
        "columns": len(layout.pieces),
        "log_chunk": layout.log_chunk,
    }


def seeded_point(label: str, count: int, modulus: int) -> list[int]:
    """Deterministic field elements for fingerprints: sha512(label, index) mod p."""
    return [
        int.from_bytes(hashlib.sha512(f"{label}/{index}".encode()).digest(), "big") % modulus
        for index in range(count)
    ]


def fingerprint_chip(chip: CompiledChip, modulus: int) -> int:
    """One field element that changes with any constraint: all of them, folded at a fixed point.

    The prover's kernel, the Python verifier and the Solidity contract must reproduce it.
    """
    tape = chip.tape
    inputs = seeded_point(
        f"fingerprint/{chip.name}",
        tape.columns + 2 + tape.challenges + tape.publics + 1,
        modulus,
    )
    columns, rest = inputs[: tape.columns], inputs[tape.columns :]
    row, active, fold = rest[0], rest[1], rest[-1]
    challenges = rest[2 : 2 + tape.challenges]
    publics = rest[2 + tape.challenges : -1]
    values = evaluate_tape(tape, columns, row, active, challenges, publics, modulus)
    total = 0
    for value in reversed(values):
        total = (total * fold + value) % modulus
    return total
