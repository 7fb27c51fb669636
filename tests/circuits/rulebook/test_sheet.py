"""Sheets, fields and pages: complete, and nothing in them without a meaning."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from circuits.exchange import limits as bounds
from circuits.exchange.events import Kind, Outcome
from circuits.rulebook.fields import UNITS, UNITS_BY_ENDING, fields_of_kind, unit_of
from circuits.rulebook.pages import rule_tables, sheet_text
from circuits.rulebook.sheet import heads, limits, sheet_of, sheets, transactions

ROOT = Path(__file__).resolve().parents[3]


def test_every_kind_is_described() -> None:
    found = sheets()
    assert sorted(sheet.code for sheet in found) == sorted(kind.value for kind in Kind)
    for sheet in found:
        for name in ("authorised_by", "summary", "body", "effect"):
            text = getattr(sheet, name)
            assert text, (sheet.name, name)
            assert "Raises" not in text, (sheet.name, name)
        for row in (*sheet.checks, *sheet.recorded, *sheet.steps, *sheet.outcomes):
            assert row.meaning, (sheet.name, row)


def test_origins_agree_with_the_kinds_own_words() -> None:
    for kind, (origin, _, _) in transactions().items():
        assert (origin in ("queued", "governed")) == kind.is_queued, kind
        assert (origin == "signed") == kind.is_signed, kind


def test_agents_are_named_only_where_they_may_sign() -> None:
    assert sheet_of(Kind.PLACE).authorised_by.endswith("agent's key that may trade")
    assert sheet_of(Kind.CANCEL).authorised_by.endswith("agent's key that may trade or cancel")
    assert "agent" not in sheet_of(Kind.WITHDRAW).authorised_by


def test_fields_stand_with_their_widths_and_units() -> None:
    place = {row.name: (row.bits, row.unit) for row in fields_of_kind(Kind.PLACE)}
    assert place["price"] == (32, "ticks")
    assert place["size"] == (48, "lots")
    assert place["side"] == (8, "0 bid, 1 ask")
    assert place["good_until_ms"] == (48, "ms since 1970")
    batch = [row.name for row in fields_of_kind(Kind.BATCH)]
    assert "operations[].place.price" in batch
    assert "operations[].cancel.order_nonce" in batch
    assert sheet_of(Kind.BATCH).count_max == bounds.BATCH_OPERATIONS_MAX
    tick = [row.name for row in fields_of_kind(Kind.ORACLE_TICK)]
    assert tick[:4] == ["market", "quotes[].signer", "quotes[].price", "quotes[].time_ms"]
    assert fields_of_kind(Kind.SET_FEES)[0].name == "terms.taker_ppm"


def test_no_unit_is_without_a_field() -> None:
    names = {row.name.rpartition(".")[2] for kind in Kind for row in fields_of_kind(kind)}
    assert set(UNITS) <= names
    for ending in UNITS_BY_ENDING:
        assert any(name.endswith(ending) and name not in UNITS for name in names)
    with pytest.raises(LookupError, match=r"^place.colour: expected a unit in UNITS, got none$"):
        unit_of(Kind.PLACE, "colour")


def test_every_outcome_and_bound_has_a_meaning() -> None:
    text = rule_tables()
    for outcome in Outcome:
        assert f"| {outcome.value} | `{outcome.name.lower()}` | " in text
    found = {name: value for name, value, _ in limits()}
    assert found["ORDERS_MAX"] == "200"
    assert found["CASH_OFFSET"] == "2^111"
    assert found["CUSTODY_MAX"] == "2^64 - 1"


def test_the_text_of_a_sheet_has_every_part() -> None:
    text = sheet_text(sheet_of(Kind.FORCED_CLOSE))
    assert text.startswith("forced_close (kind 6, queued): a position closed against the book")
    for title in ("authorised by ", "fields", "checks, in this order", "outcomes", "steps"):
        assert re.search(rf"^{title}", text, re.M), title
    assert not re.search(r" +$", text, re.M)
    assert "outcomes" not in sheet_text(sheet_of(Kind.PLACE))


def test_the_table_of_commands_links_to_each() -> None:
    text = rule_tables()
    for head in heads():
        assert f"[`{head.name}`](#{head.name})" in text
        assert f"\n### {head.name}\n" in text


def test_the_prose_names_only_what_there_is() -> None:
    """Given docs/rules.md, every word in code type that looks like a reason or field exists."""
    known = {name for sheet in sheets() for name in (sheet.name, sheet.origin)}
    known |= {row.reason for sheet in sheets() for row in sheet.checks}
    for sheet in sheets():
        for group in (sheet.outcomes, sheet.recorded, sheet.steps):
            known |= {row.name for row in group}
        known |= {row.name.rpartition(".")[2] for row in sheet.fields}
    known |= {field for leaf in leaf_types() for field in leaf}
    known |= {name for name, _, _ in limits()}
    text = (ROOT / "docs/rules.md").read_text(encoding="utf-8")
    named = set(
        re.findall(r"`([A-Za-z][A-Za-z0-9]*(?:_[a-z0-9]+)+|[A-Z0-9]+(?:_[A-Z0-9]+)+)`", text)
    )
    assert sorted(named - known) == []


def leaf_types() -> list[tuple[str, ...]]:
    """The field names of every leaf kind, and of the totals of an account."""
    from typing import get_args

    from circuits.exchange.leaves import Leaf
    from circuits.exchange.risk import Totals

    return [*(kind._fields for kind in get_args(Leaf)), Totals._fields]


NO_RULES = ("addresses", "codec", "layout", "limits", "packing", "pubdata", "units")
"""Modules in which a division takes apart an address, a word or a width, and no quantity."""


def test_the_prose_lists_every_division() -> None:
    """Given the section "Every division", it names the functions that divide and no others."""
    folder = ROOT / "circuits/exchange"
    dividing = set()
    for path in (*folder.glob("*.py"), *folder.glob("transactions/*.py")):
        if path.stem in NO_RULES:
            continue
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                if any(isinstance(node, ast.FloorDiv) for node in ast.walk(function)):
                    dividing.add(f"{path.stem}.{function.name}")
    text = (ROOT / "docs/rules.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"^## Every division\n(.*?)^## ", text, re.M | re.S)
    assert set(re.findall(r"^\| `([\w.]+)` \|", section, re.M)) == dividing
