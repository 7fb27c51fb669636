"""A chip: columns and one `constrain` function, compiled to a tape."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from circuits.air.builder import (
    CHALLENGE_COUNT,
    Builder,
    ChipError,
    Constraint,
    Interaction,
    group_interactions,
    helper_constraint,
)
from circuits.air.bus import COUNT_TOTAL_MAX, Bus
from circuits.air.columns import FULL_BITS, Columns, Physical
from circuits.air.expr import Expr, Op, column, value_at_zero_row, walk
from circuits.air.tape import Tape, compile_tape


class Chip:
    """A table whose constraints look at one row at a time.

    A subclass declares `name`, `Cols` and `constrain(c, b)`, where c carries the column
    expressions and b is the Builder. Its docstring says what one row stands for.
    """

    name: str
    Cols: type[Columns]

    def constrain(self, c: Columns, b: Builder) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class CompiledChip:
    """What all readers know of a chip: columns, constraints, interactions and the tape."""

    name: str
    summary: str
    columns: tuple[Physical, ...]  # main columns only
    constraints: tuple[Constraint, ...]  # main constraints, then one per helper column
    interactions: tuple[Interaction, ...]
    groups: tuple[tuple[Interaction, ...], ...]  # one helper column per group
    zero_values: tuple[int, ...]  # value of each constraint on the zero row
    tape: Tape

    @property
    def helper_count(self) -> int:
        return len(self.groups)

    @property
    def main_constraints(self) -> tuple[Constraint, ...]:
        return self.constraints[: len(self.constraints) - self.helper_count]

    @property
    def helper_columns(self) -> tuple[Physical, ...]:
        return tuple(
            Physical(f"logup[{number}]", FULL_BITS, "") for number in range(self.helper_count)
        )

    @cached_property
    def degree(self) -> int:
        """Highest degree of any constraint in the row's columns."""
        return max((each.expr.degree for each in self.constraints), default=0)

    @property
    def cells_per_row(self) -> int:
        return len(self.columns) + self.helper_count


def compile_chip(chip: Chip, public_count: int, modulus: int) -> CompiledChip:
    """Run `constrain` once and derive everything else.

    Raises: ChipError when a rule of the language is broken.
    """
    physical = chip.Cols.physical
    builder = Builder(chip.name, physical)
    chip.constrain(chip.Cols.symbolic(), builder)
    groups = group_interactions(builder.interactions)
    helpers = [
        Constraint(
            f"logup[{number}]: " + ", ".join(each.label for each in group),
            helper_constraint(column(len(physical) + number), group),
        )
        for number, group in enumerate(groups)
    ]
    constraints = [*builder.constraints, *helpers]
    zero_values = []
    for constraint in constraints:
        zero = value_at_zero_row(constraint.expr, modulus)
        if zero is None:
            raise ChipError(
                f"{chip.name}/{constraint.name}: expected a constant on the zero row, got a value "
                "that depends on challenges or public words"
            )
        zero_values.append(zero)
    for constraint in builder.constraints:
        # Padding rows have a row number but zero columns; only bus tuples may use either.
        if any(node.op in (Op.ROW, Op.ACTIVE) for node in walk([constraint.expr])):
            raise ChipError(
                f"{chip.name}/{constraint.name}: the row number may stand in bus tuples only"
            )
    tape = compile_tape(
        [each.expr for each in constraints],
        len(physical) + len(groups),
        CHALLENGE_COUNT,
        public_count,
        modulus,
    )
    summary = (chip.__doc__ or "").strip().split("\n")[0]
    return CompiledChip(
        chip.name,
        summary,
        physical,
        tuple(constraints),
        tuple(builder.interactions),
        tuple(tuple(group) for group in groups),
        tuple(zero_values),
        tape,
    )


@dataclass(frozen=True)
class System:
    """All chips of one statement in their fixed order, with the public words they may read.

    `pubdata_chip` names the chip whose first column holds the published words, one per row; its
    height is their number. `single_row_chips` have exactly one active row: they speak for the
    statement, so neither none nor two of them may stand.
    """

    chips: tuple[CompiledChip, ...]
    public_names: tuple[str, ...]
    pubdata_chip: str
    single_row_chips: tuple[str, ...]
    modulus: int

    def __post_init__(self) -> None:
        names = [chip.name for chip in self.chips]
        if len(set(names)) != len(names):
            raise ChipError(f"chips: expected distinct names, got {names}")
        for name in (self.pubdata_chip, *self.single_row_chips):
            if name not in names:
                raise ChipError(f"system: expected one of the chips {names}, got {name!r}")
        by_number: dict[int, Bus] = {}
        for bus in self.buses:
            other = by_number.setdefault(bus.number, bus)
            if other != bus or bus.number < 1:
                raise ChipError(
                    f"bus {bus.name}: expected a number of its own above 0, got {bus.number} "
                    f"(also {other.name})"
                )

    @property
    def buses(self) -> tuple[Bus, ...]:
        found: dict[Bus, None] = {}
        for chip in self.chips:
            for interaction in chip.interactions:
                found.setdefault(interaction.bus)
        return tuple(sorted(found, key=lambda bus: bus.number))

    def chip(self, name: str) -> CompiledChip:
        return next(chip for chip in self.chips if chip.name == name)

    @property
    def degree(self) -> int:
        """Degree of a sumcheck round: constraint degree plus one for the equality factor."""
        return 1 + max(chip.degree for chip in self.chips)

    def count_total(self, log_heights: dict[str, int]) -> int:
        """Largest possible sum of all bounded multiplicities, to compare with COUNT_TOTAL_MAX."""
        return sum(
            (1 << log_heights[chip.name]) * each.bound
            for chip in self.chips
            for each in chip.interactions
            if each.bound is not None
        )


def compile_system(
    chips: tuple[Chip, ...],
    public_names: tuple[str, ...],
    pubdata_chip: str,
    single_row_chips: tuple[str, ...],
    modulus: int,
) -> System:
    """Compile every chip against the same list of public words."""
    return System(
        tuple(compile_chip(chip, len(public_names), modulus) for chip in chips),
        public_names,
        pubdata_chip,
        single_row_chips,
        modulus,
    )


__all__ = [
    "COUNT_TOTAL_MAX",
    "Chip",
    "ChipError",
    "CompiledChip",
    "Expr",
    "System",
    "compile_chip",
    "compile_system",
]
