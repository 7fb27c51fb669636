"""No cells of a batch witness can be changed together, except for the times of the steps between.

The equations of a valid witness are its constraints and, for each message on a bus, that sender
and receiver say the same. Their derivatives leave a space of directions in which the cells could
move; a cell that some direction moves is not pinned by what the contract knows. Ranges are no
equations, so of a ranged integer the lowest limb stands for the sum, and what they make certain
is added as a rule, like what hashing and signing make certain:

- a hash that cannot move pins all that is hashed, because no second preimage is known;
- a key that cannot move pins the digest that it signed;
- words of ranged fields that cannot move pin each of the fields.

Choices between whole numbers, such as bits, are invisible here; `test_no_free_cells` flips them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from circuits.air.bus import Interaction
from circuits.air.chip import CompiledChip
from circuits.air.columns import Given
from circuits.air.expr import Expr, Op, walk
from circuits.chips.system import margin_system
from circuits.field import R
from circuits.poseidon2 import ROUND_CONSTANTS, external_linear, internal_linear, is_full_round
from circuits.statement import PUBLIC_WORDS, QUEUE_WORDS
from circuits.witness.build import CHIP_BY_NAME
from tests.support.batches import rich_forgery

TABLES = ("range16", "wide", "poseidon2")
# Public words that only the proof vouches for; of the published ones, all behind the queue's.
UNKNOWN_WORDS = {
    "new_root",
    "root_accounts",
    "root_markets",
    "root_books",
    "root_system",
    "withdrawal_total",
}
# Fields of one word that its ranges tell apart, with their units: chip, then columns.
PACKED = {
    "command": {
        "kind": 1,
        "account": 2**8,
        "nonce.0": 2**32,
        "time_previous": 2**80,
        "elapsed.0": 2**80,
        "expiry_slack.0": 2**80,
    },
    "queue": {"owner_low": 1, "owner_high.0": 2**128},
}
# Of the command's head the expiry is one field, the sum of these.
NOT_FIELDS = {"time_previous", "elapsed.0", "expiry_slack.0"}

Cell = tuple[str, str, int]
"""Chip, column and row; the chip of a public word is "public"."""
Row = dict[Cell, int]
"""A linear form in the movements of cells."""


def plus(left: Mapping[Cell, int], right: Mapping[Cell, int], scale: int = 1) -> Row:
    total = dict(left)
    for cell, factor in right.items():
        total[cell] = (total.get(cell, 0) + scale * factor) % R
    return {cell: factor for cell, factor in total.items() if factor}


@dataclass
class Equations:
    """Linear equations in echelon form: each pivot cell by the cells that are still open."""

    pivots: dict[Cell, Row] = field(default_factory=dict)
    order: dict[Cell, int] = field(default_factory=dict)

    def reduced(self, row: Row) -> Row:
        while hit := [cell for cell in row if cell in self.pivots]:
            for cell in hit:
                if factor := row.get(cell, 0):
                    rest = {each: value for each, value in row.items() if each != cell}
                    row = plus(rest, self.pivots[cell], factor)
        return row

    def add(self, row: Row) -> bool:
        """Whether the equation says anything new."""
        row = self.reduced(row)
        if not row:
            return False
        pivot = max(row, key=lambda cell: self.order.setdefault(cell, len(self.order)))
        scale = -pow(row.pop(pivot), -1, R) % R
        self.pivots[pivot] = plus({}, row, scale)
        return True

    def pins(self, *rows: Row) -> bool:
        return not any(self.reduced(row) for row in rows)


Moving = tuple[int, Row]
"""A value and how it moves with the cells."""
OPERATIONS: dict[Op, Callable[[Moving, Moving], Moving]] = {
    Op.ADD: lambda a, b: ((a[0] + b[0]) % R, plus(a[1], b[1])),
    Op.SUB: lambda a, b: ((a[0] - b[0]) % R, plus(a[1], b[1], -1)),
    Op.MUL: lambda a, b: (a[0] * b[0] % R, plus(plus({}, a[1], b[0]), b[1], a[0])),
}


@dataclass
class Witness:
    """Equations and messages of the rich batch."""

    equations: list[Row] = field(default_factory=list)
    said: dict[tuple[str, tuple[int, ...]], list[list[Row]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    heard: dict[tuple[str, tuple[int, ...]], list[list[Row]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    hashes: list[tuple[tuple[int, ...], list[Row]]] = field(default_factory=list)
    signed: list[list[Row]] = field(default_factory=list)
    cells: set[Cell] = field(default_factory=set)

    def add_row(self, chip: CompiledChip, row: int) -> None:
        known: dict[int, Moving] = {}
        for constraint in chip.main_constraints:
            value, movement = self._moving(chip, row, constraint.expr, known)
            assert value == 0, constraint.name
            self.equations.append(movement)
        for each in chip.interactions:
            times, movement = self._moving(chip, row, each.times, known)
            is_provider = each.bus.is_table and each.sign < 0
            if each.bus.name not in TABLES and (times or is_provider):
                self._add_message(each, [self._moving(chip, row, v, known) for v in each.values])

    def _add_message(self, each: Interaction, message: Sequence[Moving]) -> None:
        values = tuple(value for value, _ in message)
        movements = [movement for _, movement in message]
        if each.bus.name == "hash":
            self.hashes.append((values, movements))
            return
        if each.bus.name == "signature" and each.sign > 0:
            self.signed.append(movements)
        is_lookup = each.bus.is_table and each.sign > 0
        side = self.heard if is_lookup or (each.sign < 0 and not each.bus.is_table) else self.said
        side[each.bus.name, values].append(movements)

    def _moving(self, chip: CompiledChip, row: int, expr: Expr, known: dict[int, Moving]) -> Moving:
        for node in walk([expr]):
            if id(node) in known:
                continue
            if node.left is not None and node.right is not None:
                operation = OPERATIONS[node.op]
                known[id(node)] = operation(known[id(node.left)], known[id(node.right)])
            else:
                known[id(node)] = self._leaf(chip, row, node)
        return known[id(expr)]

    def _leaf(self, chip: CompiledChip, row: int, node: Expr) -> Moving:
        forgery = rich_forgery()
        if node.op is Op.COLUMN:
            name = chip.columns[node.value].name
            value, cell = forgery.value(chip.name, name, row), (chip.name, name, row)
            is_known = name in fixed_columns(chip.name)
            is_known |= chip.name == "pubdata" and row < QUEUE_WORDS * forgery.public("queue_count")
        elif node.op is Op.PUBLIC:
            name = PUBLIC_WORDS[node.value]
            value, cell = forgery.public(name), ("public", name, 0)
            is_known = name not in UNKNOWN_WORDS
        else:
            return (row if node.op is Op.ROW else node.value % R), {}
        if is_known:
            return value, {}
        self.cells.add(cell)
        return value, {cell: 1}


def fixed_columns(chip: str) -> set[str]:
    """Higher limbs, which the lowest one stands for, and counts, which the look-ups decide."""
    found = set()
    columns = margin_system().chip(chip).columns
    for place in CHIP_BY_NAME[chip].Cols.logical.values():
        for each in place if isinstance(place, tuple) else (place,):
            limbs = 1 if isinstance(each.declared, Given) else each.count
            found |= {columns[each.first + limb].name for limb in range(1, limbs)}
    return found | {column.name for column in columns if column.name.startswith("count")}


def permutation_slopes(words: Sequence[int]) -> list[tuple[int, list[int]]]:
    """The outputs of Poseidon2, each with its four partial derivatives."""
    lanes = [(word, [int(lane == other) for other in range(4)]) for lane, word in enumerate(words)]

    def linear(matrix: Callable[[Sequence[int]], Sequence[int]]) -> None:
        values = matrix([value for value, _ in lanes])
        slopes = [matrix([slope[other] for _, slope in lanes]) for other in range(4)]
        lanes[:] = [(values[k] % R, [each[k] % R for each in slopes]) for k in range(4)]

    linear(external_linear)
    for number, constants in enumerate(ROUND_CONSTANTS):
        for lane in range(4 if is_full_round(number) else 1):
            value, slope = lanes[lane]
            base = (value + constants[lane]) % R
            lanes[lane] = (pow(base, 5, R), [5 * pow(base, 4, R) * each % R for each in slope])
        linear(external_linear if is_full_round(number) else internal_linear)
    return lanes


def hash_equations(words: tuple[int, ...], movements: list[Row]) -> Iterator[Row]:
    for output, (value, slopes) in enumerate(permutation_slopes(words[:4])[: len(words) - 4]):
        assert value == words[4 + output]
        row = movements[4 + output]
        for slope, movement in zip(slopes, movements[:4], strict=True):
            row = plus(row, movement, -slope)
        yield row


def rules_apply(equations: Equations, witness: Witness) -> bool:
    """Add what hashes, signatures and ranges make certain; whether that was anything."""
    certain: list[Row] = []
    for words, movements in witness.hashes:
        inputs, outputs = movements[:4], movements[4:]
        node_hash = plus(outputs[0], inputs[0])
        if equations.pins(*outputs) or (len(words) == 5 and equations.pins(node_hash)):
            certain += inputs
    certain += [digest for *key, digest in witness.signed if equations.pins(*key)]
    for chip, units in PACKED.items():
        for row in range(rich_forgery().height(chip)):
            fields = {(chip, name, row): unit for name, unit in units.items()}
            if equations.pins(fields):
                certain += [{cell: 1} for cell in fields if cell[1] not in NOT_FIELDS]
    return sum(equations.add(row) for row in certain) > 0


def moving_cells(chips: Sequence[CompiledChip]) -> set[Cell]:
    """All cells that some direction moves."""
    witness = Witness()
    for chip in chips:
        for row in range(rich_forgery().height(chip.name)):
            witness.add_row(chip, row)
    rows = list(witness.equations)
    for message, hearers in witness.heard.items():
        (sayer,) = witness.said[message]
        for hearer in hearers:
            rows += [plus(a, b, -1) for a, b in zip(sayer, hearer, strict=True)]
    for words, movements in witness.hashes:
        rows += hash_equations(words, movements)
    equations = Equations()
    for equation in sorted(rows, key=len):
        equations.add(equation)
    while rules_apply(equations, witness):
        pass
    return {cell for cell in witness.cells if not equations.pins({cell: 1})}


def chips_without(chip: str = "", constraint: str = "") -> list[CompiledChip]:
    chips = [each for each in margin_system().chips if each.name not in TABLES]
    return [
        replace(each, constraints=tuple(c for c in each.constraints if c.name != constraint))
        if each.name == chip
        else each
        for each in chips
    ]


def test_only_the_times_between_can_move() -> None:
    moving = {(chip, column) for chip, column, _ in moving_cells(chips_without())}
    assert moving == {
        ("command", "time_previous"),
        ("command", "elapsed.0"),
        ("command", "expiry_slack.0"),
        ("queue", "time_previous"),
        ("queue", "elapsed.0"),
    }


@pytest.mark.parametrize(
    ("chip", "constraint", "moved"),
    [
        ("tree", "child 1 is kept", ("public", "new_root")),
        ("deposit", "identity kept unless fresh", ("public", "new_root")),
        ("register", "four times x", ("leaf", "new_identity")),
        ("base_table", "next high entry chord", ("signature_windows", "start[0]")),
    ],
)
def test_without_a_constraint_more_can_move(
    chip: str, constraint: str, moved: tuple[str, str]
) -> None:
    """The method sees what a lost constraint would open."""
    cells = moving_cells(chips_without(chip, constraint))
    assert moved in {(chip, column) for chip, column, _ in cells}
