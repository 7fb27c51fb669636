"""Whole batches for tests: honest witnesses as integer cells, and ways to forge them.

A `Forgery` starts as an honest witness. After a change `answered()` fills the look-up tables anew
with all that is true, as a forger would, so that what still fails is what stops the forgery.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from circuits.air.builder import RANGE16
from circuits.air.check import ConstraintFailure, Failure, check_buses, check_chip
from circuits.air.chip import Chip
from circuits.air.columns import FULL_BITS, Given, Logical
from circuits.chips import bits, poseidon2, range16, signature
from circuits.chips.buses import HASH, WIDE
from circuits.chips.command import signature_requests
from circuits.chips.system import margin_system
from circuits.chips.trace import Trace
from circuits.chips.tree import fill as fill_tree
from circuits.exchange.addresses import header_address
from circuits.exchange.apply import Command, apply_command
from circuits.exchange.bodies import Body
from circuits.exchange.commit import build_tree
from circuits.exchange.state import State
from circuits.field import R
from circuits.statement import PUBLIC_WORDS
from circuits.witness.build import CHIP_BY_NAME, STATEMENT_FILLS
from circuits.witness.record import make_trace
from circuits.witness.table import CellLists
from sequencer.batcher import Batch, Batcher
from tests.support import exchange
from tests.support.breaker import assert_every_constraint_breakable
from tests.support.harness import TRUTHS
from tests.support.look_ups import demand

TIME_FIRST_MS = 1_700_000_000_000
# A point of order two: on the curve, and eight times it is the identity.
SMALL_ORDER = (0, R - 1)


def seal(state: State, commands: Sequence[Command]) -> Batch:
    """The batch of commands that the rules accept all."""
    batcher = Batcher(1, state, build_tree(state))
    state = state.at_batch_start()
    for command in commands:
        receipt = apply_command(state, command)
        assert receipt.rejected is None, receipt.rejected
        batcher.add(receipt)
        state = receipt.state
    return batcher.seal()


def batch_of(*bodies: Body, state: State | None = None, step_ms: int = 3) -> Batch:
    """The batch of bodies, one every few milliseconds, on an empty exchange unless told."""
    commands = [
        Command(TIME_FIRST_MS + step_ms * number, body) for number, body in enumerate(bodies)
    ]
    return seal(state or State(exchange.DOMAIN), commands)


@cache
def rich_batch() -> Batch:
    """Every kind of command in every variant, on an exchange with two old accounts."""
    return batch_of(
        exchange.register(3),
        exchange.deposit(3, 500),
        exchange.deposit(4, 700),
        exchange.register(5, exchange.OFF_CURVE),
        exchange.register(4),
        exchange.register(1, SMALL_ORDER),
        exchange.transfer(1, 4, 3, 100),
        exchange.withdraw(2, 7, 250),
        exchange.transfer(3, 1, 2, 600),
        exchange.withdraw(4, 9, 1),
        exchange.deposit(1, 50),
        exchange.transfer(1, 5, 4, 10),
        exchange.withdraw(2, 8, 15),
        state=exchange.funded(2),
    )


def trace_of(batch: Batch) -> Trace:
    """What the chips of the batch are filled from."""
    return make_trace(batch.statement, batch.events, batch.touched_nodes)


@dataclass(frozen=True)
class Forgery:
    """Cells of all chips and the public words; every change makes a copy."""

    cells: dict[str, CellLists]
    publics: tuple[int, ...]

    @classmethod
    def honest(cls, batch: Batch) -> Forgery:
        return cls.of_trace(trace_of(batch))

    @classmethod
    def of_trace(cls, trace: Trace) -> Forgery:
        """The cells that the chips fill for a trace, honest or not, with all true look-ups."""
        columns = {name: fill(trace) for name, fill in STATEMENT_FILLS.items()}
        leaves = {header_address(each.account_id) for each in trace.accounts}
        columns["tree"] = fill_tree(trace.nodes, leaves)
        columns |= signature.fill(signature_requests(trace))
        cells = {name: forced_cells(CHIP_BY_NAME[name], each) for name, each in columns.items()}
        return cls(cells, trace.statement.words()).answered()

    def value(self, chip: str, column: str, row: int) -> int:
        return self.cells[chip][column_number(chip, column)][row]

    def height(self, chip: str) -> int:
        return len(self.cells[chip][0])

    def with_table(self, chip: str, cells: CellLists) -> Forgery:
        return replace(self, cells=self.cells | {chip: cells})

    def with_cell(self, chip: str, column: str, row: int, value: int) -> Forgery:
        """One physical cell changed, named as in the committed table: "amount_minus_one.0"."""
        cells = [list(each) for each in self.cells[chip]]
        cells[column_number(chip, column)][row] = value % R
        return self.with_table(chip, cells)

    def with_added(self, chip: str, column: str, row: int, difference: int) -> Forgery:
        return self.with_cell(chip, column, row, self.value(chip, column, row) + difference)

    def with_public(self, name: str, value: int) -> Forgery:
        words = list(self.publics)
        words[PUBLIC_WORDS.index(name)] = value % R
        return replace(self, publics=tuple(words))

    def public(self, name: str) -> int:
        return self.publics[PUBLIC_WORDS.index(name)]

    def without_row(self, chip: str, row: int) -> Forgery:
        return self.with_table(chip, [[*each[:row], *each[row + 1 :]] for each in self.cells[chip]])

    def with_repeated_row(self, chip: str, row: int) -> Forgery:
        return self.with_table(chip, [[*each, each[row]] for each in self.cells[chip]])

    def with_swapped_rows(self, chip: str, first: int, second: int) -> Forgery:
        cells = [list(each) for each in self.cells[chip]]
        for each in cells:
            each[first], each[second] = each[second], each[first]
        return self.with_table(chip, cells)

    def answered(self) -> Forgery:
        """Every look-up that is true is answered; the others stay open."""
        cells = {
            name: each
            for name, each in self.cells.items()
            if name not in ("poseidon2", "wide", "range16")
        }

        asked = {
            bus.name: tuple(
                (words, count)
                for words, count in demand(bus, cells, self.publics).items()
                if _is_true(bus.name, words)
            )
            for bus in (HASH, WIDE)
        }
        cells["poseidon2"] = _permutations(asked["hash"])
        cells["wide"] = _wide_numbers(asked["wide"])
        counts = [0] * range16.HEIGHT
        for (value,), count in demand(RANGE16, cells, self.publics).items():
            if value < range16.HEIGHT:
                counts[value] += count
        cells["range16"] = [counts]
        return replace(self, cells=cells)

    def failures(self) -> list[Failure]:
        """What air.check finds; tables without a change are not looked at again."""
        system = margin_system()
        heights = {name: len(each[0]) for name, each in self.cells.items()}
        failures: list[Failure] = []
        for chip in system.chips:
            failures += _chip_failures(chip.name, self.cells[chip.name])
        return failures + check_buses(system, self.cells, heights, self.publics)

    def failing(self) -> set[str]:
        """Names of what fails: "chip/constraint" or "bus name"."""
        return {
            f"{each.chip}/{each.constraint}"
            if isinstance(each, ConstraintFailure)
            else f"bus {each.bus}"
            for each in self.failures()
        }


_CHECKED: dict[int, tuple[CellLists, list[ConstraintFailure]]] = {}


def _chip_failures(name: str, cells: CellLists) -> list[ConstraintFailure]:
    """Constraint failures of one table; no constraint of a chip reads a public word."""
    known = _CHECKED.get(id(cells))
    if known is None:
        found = check_chip(margin_system().chip(name), cells, (), R) if cells[0] else []
        known = _CHECKED[id(cells)] = (cells, found)
    return known[1]


@cache
def _is_true(bus: str, words: tuple[int, ...]) -> bool:
    return TRUTHS[bus](words)


@cache
def _permutations(hashes: tuple[Any, ...]) -> CellLists:
    return forced_cells(CHIP_BY_NAME["poseidon2"], poseidon2.fill(dict(hashes)))


@cache
def _wide_numbers(asked: tuple[Any, ...]) -> CellLists:
    return forced_cells(CHIP_BY_NAME["wide"], bits.fill(dict(asked)))


def column_number(chip: str, column: str) -> int:
    names = [each.name for each in margin_system().chip(chip).columns]
    return names.index(column)


def forced_cells(chip: Chip, filled: Mapping[str, Any]) -> CellLists:
    """Physical columns of any values: one that does not fit its limbs goes into the lowest."""
    cells: CellLists = []
    for name, declared in chip.Cols.logical.items():
        if isinstance(declared, tuple):
            for place, values in zip(declared, filled[name], strict=True):
                cells += _forced_limbs(place, values)
        else:
            cells += _forced_limbs(declared, filled[name])
    return cells


def _forced_limbs(place: Logical, values: Sequence[int]) -> CellLists:
    if isinstance(place.declared, Given) or place.declared.bits == FULL_BITS:
        return [[value % R for value in values]]
    limbs: CellLists = [[] for _ in range(place.count)]
    for value in values:
        rest = value
        for (width, _), limb in zip(place.declared.limbs, limbs, strict=True):
            limb.append(rest % 2**width)
            rest >>= width
        if rest:
            for limb in limbs:
                limb[-1] = 0
            limbs[0][-1] = value % R
    return limbs


@cache
def rich_forgery() -> Forgery:
    """The honest witness of the rich batch, to be changed."""
    return Forgery.honest(rich_batch())


def rows_of_chip(chip: str) -> list[list[int]]:
    """The rows of a chip in the rich batch."""
    return [list(row) for row in zip(*rich_forgery().cells[chip], strict=True)]


def break_every_constraint(chip: str, by_hand: Mapping[str, list[int]] | None = None) -> None:
    """The demands of `tests.support.breaker` on one chip, near the rows of the rich batch."""
    compiled = margin_system().chip(chip)
    publics = rich_forgery().publics
    assert_every_constraint_breakable(compiled, rows_of_chip(chip), publics, R, by_hand)
