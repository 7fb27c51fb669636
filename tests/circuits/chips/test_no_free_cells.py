"""No cell of a batch witness is free: whatever one of them is changed to, something fails.

The forger changes one cell of the rich batch and may then answer every look-up that is true.
Counts of tables follow from the look-ups, so a changed count fails, and so does a table row that
changes from one truth to another, since nobody asks for it. A table row that says something false
does not fail by itself: only a constraint may stop it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import pytest

from circuits.air.check import evaluate
from circuits.air.chip import CompiledChip
from circuits.air.expr import Expr, Op, column, walk
from circuits.chips.system import CHIPS, margin_system
from circuits.field import R
from tests.support.batches import rich_forgery
from tests.support.harness import TRUTHS

# Rows whose cells are changed: all rows of chips up to this height, else these many of them,
# evenly spread. The tables of a signature and its windows differ in nothing but their numbers, nor
# do the rows of the base table.
ROWS_MAX = {"poseidon2": 2, "signature_windows": 4, "wide": 12, "tree": 12}
ROWS_MAX_OTHERWISE = 24

# Free by design, by chip and column, with the rows in which it is.
FREE_WHEN = {
    # A refused key touches no account: these describe an access that does not take place.
    ("register", name): ("valid", 0)
    for name in ("old_identity", "new_identity", "nonce", "cash", "gap")
}

# Who offers the entries that a signature looks up.
ENTRY_TABLES = {
    "signature_entry": "signature_table",
    "base_entry": "base_table",
    "base_high_entry": "base_table",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One cell with another value."""

    row: int
    column: int
    value: int


def changes_of(chip: CompiledChip, cells: list[list[int]]) -> Iterator[Change]:
    """For each column and some rows: neighbours, ends of the ranges, and what other rows hold."""
    height = len(cells[0])
    count = min(height, ROWS_MAX.get(chip.name, ROWS_MAX_OTHERWISE))
    rows = sorted({height * number // count for number in range(count)})
    for number, values in enumerate(cells):
        others = list(dict.fromkeys(values))[:2]
        for row in rows:
            old = values[row]
            tried = (old + 1, old - 1, 0, 1, R - 1, R - old, 1 << 8, 1 << 16, *others)
            for value in dict.fromkeys(each % R for each in tried):
                if value != old:
                    yield Change(row, number, value)


@cache
def with_row_as_column(expr: Expr, row_column: int) -> Expr:
    """The same expression, reading the row number from a column of its own."""
    known: dict[int, Expr] = {}
    for node in walk([expr]):
        if node.op is Op.ROW:
            known[id(node)] = column(row_column)
        elif node.left is None or node.right is None:
            known[id(node)] = node
        else:
            left, right = known[id(node.left)], known[id(node.right)]
            known[id(node)] = (
                left + right
                if node.op is Op.ADD
                else left - right
                if node.op is Op.SUB
                else left * right
            )
    return known[id(expr)]


def evaluate_rows(
    chip: CompiledChip, rows: list[list[int]], exprs: Iterable[Expr]
) -> list[list[int]]:
    """Values per expression; each row ends with its own number."""
    cells = [list(each) for each in zip(*rows, strict=True)]
    moved = [with_row_as_column(expr, len(chip.columns)) for expr in exprs]
    return evaluate(moved, cells, rich_forgery().publics, R, len(rows))


def messages(chip: CompiledChip, rows: list[list[int]]) -> list[list[tuple[int, tuple[int, ...]]]]:
    """Per row and interaction: the multiplicity and the tuple."""
    exprs = [expr for each in chip.interactions for expr in (each.times, *each.values)]
    columns = iter(evaluate_rows(chip, rows, exprs))
    spoken = []
    for each in chip.interactions:
        times = next(columns)
        values = [next(columns) for _ in each.values]
        spoken.append(list(zip(times, zip(*values, strict=True), strict=True)))
    return [list(row) for row in zip(*spoken, strict=True)]


@cache
def entries(bus: str) -> frozenset[tuple[int, ...]]:
    """What the honest tables of points offer."""
    chip = margin_system().chip(ENTRY_TABLES[bus])
    cells = rich_forgery().cells[chip.name]
    rows = [[*row, number] for number, row in enumerate(zip(*cells, strict=True))]
    return frozenset(
        values
        for row in messages(chip, rows)
        for each, (_, values) in zip(chip.interactions, row, strict=True)
        if each.bus.name == bus
    )


@cache
def is_true(bus: str, values: tuple[int, ...]) -> bool:
    if bus in ENTRY_TABLES:
        return values in entries(bus)
    return TRUTHS[bus](values)


def buses_stop(
    chip: CompiledChip,
    before: list[tuple[int, tuple[int, ...]]],
    after: list[tuple[int, tuple[int, ...]]],
) -> bool:
    """Whether a channel is out of balance, a look-up has no answer, or an answer no question."""
    moved: Counter[tuple[str, tuple[int, ...]]] = Counter()
    for each, old, new in zip(chip.interactions, before, after, strict=True):
        if old == new:
            continue
        if not each.bus.is_table:
            moved[each.bus.name, new[1]] += each.sign * new[0]
            moved[each.bus.name, old[1]] -= each.sign * old[0]
        elif each.sign > 0:
            if new[0] and not is_true(each.bus.name, new[1]):
                return True
        elif old[1] == new[1] or is_true(each.bus.name, new[1]):
            return True
    return any(count % R for count in moved.values())


def free_cells(chip: CompiledChip) -> set[tuple[str, int, int]]:
    """Column name, row and value of every change that nothing stops."""
    cells = rich_forgery().cells[chip.name]
    honest = [[*row, number] for number, row in enumerate(zip(*cells, strict=True))]
    changes = list(changes_of(chip, cells))
    changed = []
    for each in changes:
        row = list(honest[each.row])
        row[each.column] = each.value
        changed.append(row)
    results = evaluate_rows(chip, changed, [each.expr for each in chip.main_constraints])
    satisfied = [
        number for number in range(len(changed)) if not any(each[number] for each in results)
    ]
    before = messages(chip, honest)
    after = messages(chip, [changed[number] for number in satisfied])
    return {
        (chip.columns[changes[number].column].name, changes[number].row, changes[number].value)
        for number, spoken in zip(satisfied, after, strict=True)
        if not buses_stop(chip, before[changes[number].row], spoken)
    }


@pytest.mark.parametrize("name", [chip.name for chip in CHIPS])
def test_every_changed_cell_is_noticed(name: str) -> None:
    chip = margin_system().chip(name)
    forgery = rich_forgery()
    unexpected = []
    for column_name, row, value in sorted(free_cells(chip)):
        when = FREE_WHEN.get((name, column_name))
        if when is None or forgery.value(name, when[0], row) != when[1]:
            unexpected.append((column_name, row, value))
    assert unexpected == []


def test_the_cells_that_may_be_free_are() -> None:
    """An entry of the list that is no longer needed is a claim that no longer holds."""
    found = {
        (name, column_name)
        for name in {chip for chip, _ in FREE_WHEN}
        for column_name, _, _ in free_cells(margin_system().chip(name))
    }
    assert found == set(FREE_WHEN)


def test_the_rich_batch_fills_every_chip() -> None:
    """A chip without rows would pass unseen."""
    assert all(rich_forgery().height(chip.name) for chip in CHIPS)
