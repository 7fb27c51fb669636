"""Test chips alone: the missing side of every bus is played by driver chips.

A `Harness` takes some chips with their columns. For each bus that these chips do not balance
among themselves it adds drivers, small chips that send or receive what is missing. Tables that
the chips both provide and look up, and the channels named as `closed`, get no drivers. The rest:

- a channel driver keeps the honest messages for ever, so a tampered cell that reaches a channel
  leaves an imbalance;
- a table driver answers look-ups only with what is true (`TRUTHS`), after a tampering again: a
  limb of 2^16 or a wrong hash stays unanswered, as it does with the real table.

So a `Harness` of a forged witness fails where its forgery meets a table.

    harness = Harness.honest((TreeChip(),), {"tree": fill(nodes, leaves)})
    assert harness.failures() == []
    assert harness.tampered("tree", "new_hash", 0, 7).failing() == {"bus hash", "bus node"}
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from circuits.air.bus import Bus
from circuits.air.check import Cells, ConstraintFailure, Failure, check, check_buses
from circuits.air.chip import Chip, CompiledChip, System, compile_chip
from circuits.air.columns import Columns, Field, Given, Logical
from circuits.field import R
from circuits.poseidon2 import permute
from circuits.statement import PUBLIC_WORDS

NO_PUBLICS = (0,) * len(PUBLIC_WORDS)

# What a table may say, by bus name; a table without an entry says what it said honestly.
TRUTHS = {
    "range16": lambda value: value[0] < 1 << 16,
    "wide": lambda value: value[0] in (0, 1) and value[1] < 1 << (112 if value[0] else 128),
    "hash": lambda value: permute(value[:4])[0] == value[4],
}


def cells_of(chip: Chip, logical: Mapping[str, Any]) -> list[list[int]]:
    """Physical main columns from logical ones: arrays flattened, wide integers cut into limbs."""
    cells: list[list[int]] = []
    for name, place in chip.Cols.logical.items():
        if isinstance(place, tuple):
            for each, values in zip(place, logical[name], strict=True):
                cells += _limbs(each, values)
        else:
            cells += _limbs(place, logical[name])
    assert len(logical) == len(chip.Cols.logical), set(logical) ^ set(chip.Cols.logical)
    return cells


def _limbs(place: Logical, values: Sequence[int]) -> list[list[int]]:
    whole = [int(value) for value in values]
    if isinstance(place.declared, Given) or place.count == 1:
        return [[value % R for value in whole]]
    limbs, shift = [], 0
    for bits, _ in place.declared.limbs:
        limbs.append([value >> shift & (1 << bits) - 1 for value in whole])
        shift += bits
    return limbs


def rows_of(cells: Cells) -> list[list[int]]:
    """The rows of a table given by columns."""
    return [list(row) for row in zip(*cells, strict=True)]


def driver(bus: Bus, sign: int) -> Chip:
    """A chip that sends (+1) or receives (-1) any tuples of one bus, one per row."""
    is_provider = bus.is_table and sign < 0
    declared: dict[str, Any] = {"values": Field[bus.arity]}
    if is_provider:
        declared["count"] = Field

    def constrain(self: Chip, c: Any, b: Any) -> None:
        if is_provider:
            b.provide(bus, *c.values, times=c.count)
        elif bus.is_table:
            b.lookup(bus, *c.values)
        elif sign > 0:
            b.send(bus, *c.values)
        else:
            b.receive(bus, *c.values)

    return type(
        "Driver",
        (Chip,),
        {
            "__doc__": f"One tuple of the bus {bus.name}.",
            "name": driver_name(bus, sign),
            "Cols": type("Cols", (Columns,), {"__annotations__": declared}),
            "constrain": constrain,
        },
    )()


def _anything(values: Sequence[int]) -> bool:
    return True


def driver_name(bus: Bus, sign: int) -> str:
    return f"{bus.name} {'sender' if sign > 0 else 'receiver'}"


@dataclass(frozen=True)
class Harness:
    """Chips under test with their tables, and drivers for all that they do not balance."""

    system: System
    tables: dict[str, list[list[int]]]
    heights: dict[str, int]
    publics: tuple[int, ...]
    answered: tuple[Bus, ...]  # tables without a chip among those under test

    @classmethod
    def honest(
        cls,
        chips: Sequence[Chip],
        columns: Mapping[str, Mapping[str, Any]],
        publics: Sequence[int] = NO_PUBLICS,
        closed: Collection[Bus] = (),
    ) -> "Harness":
        """Chips with honest logical columns by chip name, and drivers that balance them."""
        compiled = [compile_chip(chip, len(publics), R) for chip in chips]
        tables = {chip.name: cells_of(chip, columns[chip.name]) for chip in chips}
        return cls.honest_cells(compiled, tables, publics, closed)

    @classmethod
    def honest_cells(
        cls,
        chips: Sequence[CompiledChip],
        tables: Mapping[str, Cells],
        publics: Sequence[int] = NO_PUBLICS,
        closed: Collection[Bus] = (),
    ) -> "Harness":
        """The same from compiled chips and physical cells."""
        own = {name: [list(column) for column in cells] for name, cells in tables.items()}
        heights = {name: len(cells[0]) for name, cells in own.items()}
        alone = System(tuple(chips), PUBLIC_WORDS, chips[0].name, (), R)
        missing: dict[tuple[Bus, int], list[tuple[tuple[int, ...], int]]] = {}
        by_name = {bus.name: bus for bus in alone.buses}
        sides = {(each.bus, each.sign) for chip in chips for each in chip.interactions}
        whole = {bus for bus, _ in sides if bus.is_table and {(bus, 1), (bus, -1)} <= sides}
        whole |= set(closed)
        for each in check_buses(alone, own, heights, publics):
            is_true = TRUTHS.get(each.bus, _anything)
            if by_name[each.bus] in whole or not is_true(each.values):
                continue
            total = each.total if each.total < R // 2 else each.total - R
            side = (by_name[each.bus], -1 if total > 0 else 1)
            missing.setdefault(side, []).append((each.values, abs(total)))
        drivers = []
        for (bus, sign), tuples in sorted(missing.items(), key=lambda item: item[0][0].number):
            chip = compile_chip(driver(bus, sign), len(publics), R)
            drivers.append(chip)
            own[chip.name] = _driver_cells(bus, sign, tuples)
            heights[chip.name] = len(own[chip.name][0])
        system = replace(alone, chips=(*chips, *drivers))
        answered = tuple(bus for bus, sign in missing if bus.is_table and sign < 0)
        return cls(system, own, heights, tuple(publics), answered)

    def tampered(self, chip: str, column: str, row: int, value: int) -> "Harness":
        """A copy with one physical cell of a chip under test changed, and the tables asked again.

        The column is named as in the committed table: "limb.1" or "digits[3]".
        """
        number = [each.name for each in self.system.chip(chip).columns].index(column)
        tables = {name: [list(each) for each in cells] for name, cells in self.tables.items()}
        tables[chip][number][row] = value % R
        return self._answered_anew(tables)

    def _answered_anew(self, tables: dict[str, list[list[int]]]) -> "Harness":
        heights = dict(self.heights)
        for bus in self.answered:
            name = driver_name(bus, -1)
            kept = {values[:-1] for values in zip(*tables[name], strict=True)}
            heights[name] = 0
            tables[name] = [[] for _ in tables[name]]
            is_true = TRUTHS.get(bus.name, kept.__contains__)
            tuples = [
                (each.values, each.total)
                for each in check_buses(self.system, tables, heights, self.publics)
                if each.bus == bus.name and is_true(each.values)
            ]
            tables[name] = _driver_cells(bus, -1, tuples)
            heights[name] = len(tables[name][0])
        return replace(self, tables=tables, heights=heights)

    def failures(self) -> list[Failure]:
        """Everything that air.check finds."""
        return check(self.system, self.tables, self.heights, self.publics)

    def failing(self) -> set[str]:
        """Names of what fails: "chip/constraint" or "bus name"."""
        return {
            f"{each.chip}/{each.constraint}"
            if isinstance(each, ConstraintFailure)
            else f"bus {each.bus}"
            for each in self.failures()
        }


def _driver_cells(
    bus: Bus, sign: int, tuples: Sequence[tuple[tuple[int, ...], int]]
) -> list[list[int]]:
    if bus.is_table and sign < 0:
        rows = [(*values, count) for values, count in tuples]
        width = bus.arity + 1
    else:
        rows = [values for values, count in tuples for _ in range(count)]
        width = bus.arity
    return [[row[number] for row in rows] for number in range(width)]
