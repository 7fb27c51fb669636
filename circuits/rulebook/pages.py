"""Sheets as text for a terminal and as Markdown for docs/rule-tables.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from circuits.exchange.errors import RejectReason
from circuits.exchange.events import Outcome
from circuits.rulebook.sheet import (
    ORIGINS,
    RuleSheet,
    limits,
    outcome_meaning,
    reason_meanings,
    sheets,
)

PREFACE = """# Rule tables

Written by `make docs` from the rules themselves; [rules.md](rules.md) explains them. For each
command: who authorises it, its fields, its checks in the order in which the code makes them, the
outcomes of a queued one, and its steps. `plasmaperps rules show NAME` prints the same.

The first check that fails is the reason of a refusal. A reason that a step records does not refuse
the command: it is why a resting order was dropped, the rest of an order ended, or one operation of
several was left out. The tables hold what the text of the code allows; where one function serves
several commands, not every line can happen in each of them.
"""


def sheet_text(sheet: RuleSheet) -> str:
    """One command as text: what `rules show` prints."""
    lines = [f"{sheet.name} (kind {sheet.code}, {sheet.origin}): {sheet.summary}", ""]
    lines += [f"  {sheet.body}", f"  {sheet.effect}", "", f"authorised by {sheet.authorised_by}"]
    rows = [(row.name, f"{row.bits} bits", row.unit) for row in sheet.fields]
    lines += _block(_fields_title(sheet), rows)
    numbered = enumerate(sheet.checks, 1)
    checks = [(f"{place:>2}", row.reason, row.meaning) for place, row in numbered]
    lines += _block("checks, in this order; the first that fails refuses the command", checks)
    outcomes = [(row.name, row.meaning) for row in sheet.outcomes]
    lines += _block("outcomes of the request", outcomes)
    lines += _block("steps", [(row.name, row.meaning) for row in sheet.steps])
    recorded = [(row.name, row.meaning) for row in sheet.recorded]
    lines += _block("reasons that a step can record", recorded)
    return "\n".join(line.rstrip() for line in lines)


def rule_tables() -> str:
    """The whole page of tables."""
    found = sheets()
    parts = [PREFACE, "## Commands"]
    for origin, _, authority in ORIGINS:
        rows = [
            (f"[`{sheet.name}`](#{sheet.name})", str(sheet.code), sheet.summary)
            for sheet in found
            if sheet.origin == origin
        ]
        parts += [f"**{origin}**: authorised by {authority}."]
        parts += [_table(("command", "kind", "what it does"), rows)]
    for sheet in found:
        parts += _sheet_parts(sheet)
    parts += ["## Reject reasons", "With the commands that each can refuse.", _reasons_table(found)]
    parts += ["## Outcomes", "What a queued command can end with.", _outcomes_table(found)]
    parts += ["## Bounds", "Every bound of the rules, from `circuits/exchange/limits.py`."]
    parts += [_table(("bound", "value", "why"), ((f"`{a}`", b, c) for a, b, c in limits()))]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _sheet_parts(sheet: RuleSheet) -> list[str]:
    parts = [f"### {sheet.name}", f"{sheet.body} {sheet.effect}"]
    rows: list[tuple[str, ...]]
    parts += [f"Authorised by {sheet.authorised_by}."]
    if sheet.fields:
        rows = [(f"`{row.name}`", str(row.bits), row.unit) for row in sheet.fields]
        parts += [_table((_fields_title(sheet), "bits", "unit"), rows)]
    checks = [
        (str(place), f"`{row.reason}`", row.meaning, f"`{row.place}`")
        for place, row in enumerate(sheet.checks, 1)
    ]
    parts += [_table(("", "refused with", "because", "in"), checks)]
    if sheet.outcomes:
        rows = [(f"`{row.name}`", row.meaning) for row in sheet.outcomes]
        parts += [_table(("outcome", "meaning"), rows)]
    if sheet.steps:
        rows = [(f"`{row.name}`", row.meaning) for row in sheet.steps]
        parts += [_table(("step", "meaning"), rows)]
    if sheet.recorded:
        reasons = ", ".join(f"`{row.name}`" for row in sheet.recorded)
        parts += [f"Reasons that a step can record: {reasons}."]
    return parts


def _fields_title(sheet: RuleSheet) -> str:
    return "fields" if sheet.count_max is None else f"fields, at most {sheet.count_max} in the list"


def _reasons_table(found: Sequence[RuleSheet]) -> str:
    meanings = reason_meanings()
    rows = []
    for reason in RejectReason:
        names = [s.name for s in found if reason.value in {row.reason for row in s.checks}]
        shown = "every command" if len(names) == len(found) else ", ".join(names)
        rows.append((f"`{reason.value}`", meanings[reason], shown))
    return _table(("reason", "meaning", "refuses"), rows)


def _outcomes_table(found: Sequence[RuleSheet]) -> str:
    rows = []
    for outcome in Outcome:
        name = outcome.name.lower()
        names = [s.name for s in found if name in {row.name for row in s.outcomes}]
        rows.append((str(outcome.value), f"`{name}`", outcome_meaning(outcome), ", ".join(names)))
    return _table(("code", "outcome", "meaning", "of"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _block(title: str, rows: Sequence[Sequence[str]]) -> list[str]:
    """A titled block of aligned columns; nothing for no rows."""
    if not rows:
        return []
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return ["", title, *(f"  {line}" for line in lines)]
