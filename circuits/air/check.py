"""The debugger: every failing chip, constraint and row with its values, and bus imbalances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from circuits.air.chip import CompiledChip, System
from circuits.air.expr import Expr, Op, walk

_PLACES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class ConstraintFailure:
    """One constraint that does not vanish on one row; `cells` are the columns it reads."""

    chip: str
    constraint: str
    row: int
    value: int
    cells: tuple[tuple[str, int], ...]

    def __str__(self) -> str:
        cells = ", ".join(f"{name}={value}" for name, value in self.cells)
        return (
            f"{self.chip}/{self.constraint}: row {self.row}: expected 0, got {self.value} ({cells})"
        )


@dataclass(frozen=True, slots=True)
class BusImbalance:
    """One tuple whose multiplicities do not cancel; places are (chip, row, signed count)."""

    bus: str
    values: tuple[int, ...]
    total: int
    places: tuple[tuple[str, int, int], ...]

    def __str__(self) -> str:
        added = [f"{c} row {r} x{m}" for c, r, m in self.places if m > 0]
        taken = [f"{c} row {r} x{-m}" for c, r, m in self.places if m < 0]
        return (
            f"bus {self.bus} {self.values}: expected balance 0, got {self.total}; "
            f"sent by {_some(added)}; received by {_some(taken)}"
        )


def _some(places: Sequence[str]) -> str:
    """The first few places: one tuple of a false witness may be in thousands of rows."""
    if not places:
        return "nobody"
    more = len(places) - _PLACES_SHOWN
    return f"{list(places[:_PLACES_SHOWN])}{f' and {more:,} more' if more > 0 else ''}"


Failure = ConstraintFailure | BusImbalance
# Rows of one chip: for every main column its canonical cells, all of the same length.
Cells = Sequence[Sequence[int]]


def evaluate(
    exprs: Sequence[Expr], cells: Cells, publics: Sequence[int], modulus: int, height: int
) -> list[list[int]]:
    """Values of expressions on every active row, as one list per expression.

    Challenges cannot be read here: only main constraints and bus tuples are evaluated.
    """
    memo: dict[int, list[int]] = {}
    for node in walk(list(exprs)):
        if node.left is not None and node.right is not None:
            left, right = memo[id(node.left)], memo[id(node.right)]
            if node.op is Op.ADD:
                memo[id(node)] = [(a + b) % modulus for a, b in zip(left, right, strict=True)]
            elif node.op is Op.SUB:
                memo[id(node)] = [(a - b) % modulus for a, b in zip(left, right, strict=True)]
            else:
                memo[id(node)] = [a * b % modulus for a, b in zip(left, right, strict=True)]
        elif node.op is Op.COLUMN:
            memo[id(node)] = list(cells[node.value])
        elif node.op is Op.ROW:
            memo[id(node)] = list(range(height))
        elif node.op is Op.CHALLENGE:
            raise ValueError("evaluate: expected an expression without challenges")
        else:
            value = (
                1
                if node.op is Op.ACTIVE
                else publics[node.value]
                if node.op is Op.PUBLIC
                else node.value
            )
            memo[id(node)] = [value % modulus] * height
    return [memo[id(expr)] for expr in exprs]


def check_chip(
    chip: CompiledChip, cells: Cells, publics: Sequence[int], modulus: int
) -> list[ConstraintFailure]:
    """Every failing main constraint of one chip on its active rows."""
    height = len(cells[0]) if cells else 1
    constraints = chip.main_constraints
    values = evaluate([each.expr for each in constraints], cells, publics, modulus, height)
    failures = []
    for constraint, results in zip(constraints, values, strict=True):
        for row, value in enumerate(results):
            if value:
                used = sorted(
                    node.value for node in walk([constraint.expr]) if node.op is Op.COLUMN
                )
                named = tuple((chip.columns[i].name, cells[i][row]) for i in used)
                failures.append(ConstraintFailure(chip.name, constraint.name, row, value, named))
    return failures


def check_buses(
    system: System,
    tables: Mapping[str, Cells],
    heights: Mapping[str, int],
    publics: Sequence[int],
) -> list[BusImbalance]:
    """Every tuple of every bus whose signed multiplicities do not sum to zero."""
    modulus = system.modulus
    places: dict[tuple[str, tuple[int, ...]], list[tuple[str, int, int]]] = defaultdict(list)
    for chip in system.chips:
        height = heights[chip.name]
        for each in chip.interactions:
            times, *columns = evaluate(
                [each.times, *each.values], tables[chip.name], publics, modulus, height
            )
            for row, count in enumerate(times):
                if count:
                    values = tuple(column[row] for column in columns)
                    signed = count if count < modulus // 2 else count - modulus
                    places[each.bus.name, values].append((chip.name, row, each.sign * signed))
    return [
        BusImbalance(bus, values, total, tuple(found))
        for (bus, values), found in places.items()
        if (total := sum(count for _, _, count in found)) % modulus
    ]


def check(
    system: System,
    tables: Mapping[str, Cells],
    heights: Mapping[str, int],
    publics: Sequence[int],
) -> list[Failure]:
    """All failures of a whole witness; an empty list means that it satisfies the statement.

    Cost: some microseconds per cell; for tests and for a batch that will not prove.
    """
    failures: list[Failure] = []
    for chip in system.chips:
        if heights[chip.name]:
            failures += check_chip(chip, tables[chip.name], publics, system.modulus)
    return failures + check_buses(system, tables, heights, publics)
