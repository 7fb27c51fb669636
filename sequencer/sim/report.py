"""What a run ends with: figures by name, and a table of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from circuits.text_table import aligned
from sequencer.sim.measured import NS
from sequencer.sim.simulation import Simulated

PERCENTILE = 99
ROOTS = ("state_root", "journal_head")
TOLD_APART = ("kinds", "outcomes", "rejected")
"""Figures that are tables themselves."""


def figures_of(run: Simulated) -> dict[str, Any]:
    """Everything by name, as `--json` prints it."""
    measured = run.measured
    busy_seconds = measured.busy_ns / NS
    speed = measured.applied_count / busy_seconds if measured.applied_count else 0.0
    counted = run.tally.figures()
    return {
        "seed": run.plan.seed,
        "commands": run.plan.command_count,
        **counted,
        "commands_skipped": run.skipped_count,
        "commands_per_second": round(speed),
        "p99_ms": round(percentile(measured.handle_ns, PERCENTILE) / 10**6, 3),
        "apply_seconds": round(sum(measured.handle_ns) / NS, 3),
        "journal_seconds": round(measured.commit_ns / NS, 3),
        "seal_seconds": round(measured.seal_ns / NS, 3),
        "due_seconds": round(run.due_seconds, 3),
        "plan_seconds": round(run.plan_seconds, 3),
        "sign_seconds": round(run.sign_seconds, 3),
        "conservation_exact": run.is_conserved,
        "base_time_ms": run.plan.start_ms,
        "state_root": hex(measured.root),
        "journal_head": hex(measured.journal_head),
    }


def percentile(values: Sequence[int], percent: int) -> int:
    """The smallest value that so many percent of all are not above; 0 of none."""
    if not values:
        return 0
    return sorted(values)[-(-len(values) * percent // 100) - 1]


def table_of(figures: Mapping[str, Any]) -> list[str]:
    """The figures for people: one aligned table, then what was refused and why."""
    rows = [
        (name.replace("_", " "), value)
        for name, value in figures.items()
        if name not in (*TOLD_APART, *ROOTS)
    ]
    refused = figures["rejected"]
    lines = aligned(("figure", "value"), rows)
    if refused:
        by_count = sorted(refused.items(), key=lambda item: (-item[1], item[0]))
        lines += ["", *aligned(("refused as", "commands"), by_count)]
    return [*lines, "", *(f"{name.replace('_', ' ')} {figures[name]}" for name in ROOTS)]
