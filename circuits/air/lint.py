"""What a chip author may overlook: unused columns, unbalanced buses, needless degree."""

from __future__ import annotations

from circuits.air.bus import Bus
from circuits.air.chip import CompiledChip, System
from circuits.air.expr import Op, walk

# A point that slopes lead to has degree two and three (`circuits.chips.slopes`).
VALUE_DEGREE_MAX = 3


def lint_chip(chip: CompiledChip) -> list[str]:
    """Findings about one chip, each naming the chip and the place."""
    findings = []
    if not chip.summary:
        findings.append(f"{chip.name}: no docstring that says what a row is")
    constrained = {
        node.value
        for each in chip.main_constraints
        for node in walk([each.expr])
        if node.op is Op.COLUMN
    }
    on_bus = {
        node.value
        for each in chip.interactions
        for node in walk([each.times, *each.values])
        if node.op is Op.COLUMN
    }
    for number, physical in enumerate(chip.columns):
        if number not in constrained | on_bus:
            findings.append(f"{chip.name}: column {physical.name} is never used")
        elif not _bound_beyond_its_range(chip, number):
            findings.append(
                f"{chip.name}: column {physical.name} is only ranged, nothing ties it to others"
            )
    for each in chip.interactions:
        for position, value in enumerate(each.values):
            if value.degree > VALUE_DEGREE_MAX:
                findings.append(
                    f"{chip.name}: {each.label}: value {position} has degree {value.degree}; "
                    "commit it as a column"
                )
    return findings


def _bound_beyond_its_range(chip: CompiledChip, number: int) -> bool:
    """Whether the column occurs anywhere but in its own range rule."""
    own = (f"{chip.columns[number].name} is a bit",)
    for constraint in chip.main_constraints:
        if constraint.name in own:
            continue
        if any(n.op is Op.COLUMN and n.value == number for n in walk([constraint.expr])):
            return True
    for each in chip.interactions:
        if each.bus.name == "range16" and len(list(walk([each.values[0]]))) <= 3 and each.sign > 0:
            continue
        nodes = walk([each.times, *each.values])
        if any(n.op is Op.COLUMN and n.value == number for n in nodes):
            return True
    return False


def lint_buses(system: System) -> list[str]:
    """Every bus needs both sides, and a channel needs no provider."""
    signs: dict[Bus, set[int]] = {}
    for chip in system.chips:
        for each in chip.interactions:
            signs.setdefault(each.bus, set()).add(each.sign)
    return [
        f"bus {bus.name}: expected both sides, got only {'senders' if seen == {1} else 'receivers'}"
        for bus, seen in sorted(signs.items(), key=lambda item: item[0].number)
        if seen != {1, -1}
    ]


def lint(system: System) -> list[str]:
    """All findings; an empty list is what CI asks for."""
    return [f for chip in system.chips for f in lint_chip(chip)] + lint_buses(system)
