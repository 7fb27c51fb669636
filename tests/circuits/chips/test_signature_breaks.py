"""Each constraint of the signature chips is broken alone; for slopes by rows made here.

A wrong slope moves every point after it, so a search repairs too much. These rows go on from the
wrong point instead, with entries on whatever curve it has come to.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import count

import pytest

from circuits.air.chip import CompiledChip
from circuits.chips.signature import fill
from circuits.chips.signature_trace import (
    BYTES_PER_WINDOW,
    DIGIT_BITS,
    DIGITS_PER_WINDOW,
    MULTIPLES_PER_ROW,
    WINDOWS_PER_ROW,
)
from circuits.edwards import Point
from circuits.field import R, inverse
from circuits.montgomery import COEFFICIENT, chord, tangent, third
from tests.support.breaker import assert_every_constraint_breakable
from tests.support.harness import NO_PUBLICS, rows_of
from tests.support.signatures import harness_of, request_of

Rows = dict[str, list[int]]


@pytest.fixture(scope="module")
def compiled_rows() -> dict[str, tuple[CompiledChip, list[list[int]]]]:
    harness = harness_of(fill([request_of(7, 0), request_of(8, 1)]))
    return {
        chip.name: (chip, rows_of(harness.tables[chip.name]))
        for chip in harness.system.chips
        if chip.name in CHIPS
    }


def some_point(rng: random.Random) -> Point:
    """A point on no curve in particular."""
    return rng.randrange(R), rng.randrange(R)


def double(point: Point) -> Point:
    return third(point, point[0], tangent(point))


def slope_of_one_curve(left: Point, right: Point) -> int:
    """What `assert_held` demands; for points of two curves it is not the chord."""
    total = left[0] + right[0]
    value = total * total - left[0] * right[0] + COEFFICIENT * total + 1
    return value * inverse(left[1] + right[1]) % R


def before(total: Point, right: Point, slope: int) -> Point:
    """The point that this slope and `right` lead to `total` from."""
    u = (slope * slope - COEFFICIENT - right[0] - total[0]) % R
    return u, (slope * (u - total[0]) - total[1]) % R


def row_with(chip: CompiledChip, row: list[int], cells: dict[str, list[int]]) -> list[int]:
    """A row with other cells in some arrays of columns."""
    numbers = {physical.name: number for number, physical in enumerate(chip.columns)}
    changed = list(row)
    for name, values in cells.items():
        for k, value in enumerate(values):
            changed[numbers[f"{name}[{k}]"]] = value
    return changed


def window_sums() -> Iterator[tuple[str, str]]:
    """The sums of a row in order, and the column of the entry."""
    digits, octets = count(), count()
    for _ in range(WINDOWS_PER_ROW):
        for _ in range(DIGITS_PER_WINDOW):
            yield f"digit {next(digits)}", "multiple"
        for _ in range(BYTES_PER_WINDOW):
            yield f"byte {next(octets)}", "base"


def window_cells(broken: str, rng: random.Random) -> dict[str, list[int]]:
    """Start, entries and slopes that satisfy all constraints of a row but one."""
    point = some_point(rng)
    cells: dict[str, list[int]] = {"start": list(point), "multiple": [], "base": [], "slope": []}
    for name, column in window_sums():
        for time in range(DIGIT_BITS if column == "multiple" else 0):
            slope = tangent(point) + (broken == f"{name} double {time} tangent")
            cells["slope"].append(slope % R)
            point = third(point, point[0], slope)
        is_broken = broken.startswith(f"{name} sum")
        entry = some_point(rng) if is_broken else double(point)
        slope = (slope_of_one_curve if broken == f"{name} sum chord" else chord)(point, entry)
        cells[column] += entry
        cells["slope"].append(slope % R)
        point = third(point, entry[0], slope)
    return cells


def table_cells(broken: str, rng: random.Random) -> dict[str, list[int]]:
    """First entry, key and slopes that satisfy all constraints of a row but one."""
    negated = some_point(rng)
    place = int(broken.split()[1])
    slopes: list[int] = []
    point = double(double(double(negated)))
    for number in range(MULTIPLES_PER_ROW, 0, -1):
        if number == MULTIPLES_PER_ROW == place:
            point = some_point(rng)
            is_chord = broken.endswith("chord")
            slopes.append((slope_of_one_curve if is_chord else chord)(point, negated))
            continue
        mirrored = (point[0], -point[1] % R)
        slope = chord(mirrored, negated) + (number == place)
        slopes.append(slope % R)
        point = before(point, negated, slope)
    return {"first": list(point), "negated": list(negated), "slope": slopes[::-1]}


CHIPS: dict[str, Callable[[str, random.Random], dict[str, list[int]]] | None] = {
    "signature": None,
    "signature_windows": window_cells,
    "signature_table": table_cells,
    "base_table": None,
}


def is_asked_for(row: Sequence[int]) -> bool:
    """True for a row of the base table whose counts, next to the last cell, are not zero."""
    return all(row[-3:-1])


# The last sum of a row, after which nothing has to be repaired.
FOUND_BY_SEARCH = ("byte 3 sum chord", "byte 3 sum on one curve")


SUMS = ("chord", "on one curve")
NAMES = {
    "signature": {
        "key is on the curve", "negated key u", "negated key v", "R x",
        "s_borrow is a bit", "h_borrow is a bit",
    },
    "signature_windows": {f"digit {k} double {time} tangent" for k in range(4) for time in range(4)}
    | {f"digit {k} sum {kind}" for k in range(4) for kind in SUMS}
    | {f"byte {k} sum {kind}" for k in range(4) for kind in SUMS},
    "signature_table": {f"entry {k} chord" for k in range(1, 5)}
    | {"entry 4 on one curve", "last is a bit", "last has multiple 12"},
    "base_table": {"next high entry chord", "next low entry chord", "first is a bit"},
}  # fmt: skip
"""All constraints by chip, so that none is lost unseen."""


@pytest.mark.parametrize("name", CHIPS)
def test_every_constraint_is_needed(
    compiled_rows: dict[str, tuple[CompiledChip, list[list[int]]]], name: str, rng: random.Random
) -> None:
    chip, rows = compiled_rows[name]
    # One row of the windows, where searches are long. Of the tables a row that goes on and a last
    # one, or a first one and one whose two entries both have a count.
    first, last = {"signature_windows": (2, 3), "signature_table": (2, 4)}.get(name, (0, 2))
    rows = rows[first:last] if name != "base_table" else [rows[0], *filter(is_asked_for, rows)][:2]
    make = CHIPS[name]
    assert {each.name for each in chip.main_constraints} == NAMES[name]
    by_hand = (
        {
            each.name: row_with(chip, rows[0], make(each.name, rng))
            for each in chip.main_constraints
            if each.name.endswith((" tangent", " chord", " on one curve"))
            and each.name not in FOUND_BY_SEARCH
        }
        if make
        else {}
    )
    assert_every_constraint_breakable(chip, rows, NO_PUBLICS, R, by_hand)
