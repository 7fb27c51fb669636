"""Look-ups counted tuple by tuple: what `circuits.witness.look_ups` must equal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from circuits.air.bus import Bus
from circuits.air.check import evaluate
from circuits.chips.system import margin_system
from circuits.witness.table import CellLists


def demand(bus: Bus, cells: Mapping[str, CellLists], publics: Sequence[int]) -> Counter[Any]:
    """How often each tuple of a table is looked up by the chips in `cells`."""
    system = margin_system()
    found: Counter[Any] = Counter()
    for chip in system.chips:
        asking = [each for each in chip.interactions if each.bus is bus and each.sign > 0]
        if not asking or chip.name not in cells:
            continue
        columns = cells[chip.name]
        for each in asking:
            times, *values = evaluate(
                [each.times, *each.values], columns, publics, system.modulus, len(columns[0])
            )
            for count, row in zip(times, zip(*values, strict=True), strict=True):
                if count:
                    found[row] += count
    return found
