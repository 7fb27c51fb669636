"""Instructions for blocks of rows, written from graphs.

Work memory is a row of *slots*; a slot is BLOCK consecutive elements, one for each row of a block.
Behind the slots lie the scalars. An operand is the number of its first element and a stride, 1 in
a slot and 0 for a scalar, so the interpreter does not ask what an operand is. Beside work memory
there are *totals*, each BLOCK wide sums (see `wide`): sums of products that are reduced once.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from circuits.air.tape import Tape
from circuits.field import R
from prover.kernels import fr
from prover.kernels.graph import Graph, Kind, Known, Value, graph_of
from prover.kernels.symbols import Scalar, Symbols, Values

# Rows per block: long enough to hide the dispatch, short enough that a chip of two hundred
# operands stays in the second-level cache.
BLOCK = 64
# REDUCE writes the elements of a total to a slot, DOT adds a product to a total.
ADD, SUB, MUL, COPY, CLEAR, DOT, REDUCE = range(7)
_SIMPLE = {Kind.ADD: ADD, Kind.SUB: SUB, Kind.MUL: MUL, Kind.SCALE: MUL, Kind.SHIFT: ADD}
# The total of weighted sums inside a program; the terms of a polynomial have the others.
SCRATCH_TOTAL = 0
# From this many factors on, a weighted sum is cheaper as one total than as products and sums.
_DOT_MIN = 3


class Program(NamedTuple):
    """Instructions (op, target, left, left stride, right, right stride) over elements.

    Shape: code int64[k, 6]; scalars uint64[s, 4]; results int64[n], first element of each result.
    """

    code: np.ndarray
    scalars: np.ndarray
    slots: int
    totals: int
    results: np.ndarray


@dataclass(frozen=True, slots=True)
class RowProgram:
    """A program over rows: its first slots are these columns, then ROW, then ACTIVE."""

    columns: np.ndarray
    program: Program


@dataclass(frozen=True, slots=True)
class Sketch:
    """A program over rows but for its scalars, some of which are not known yet."""

    columns: np.ndarray
    program: Program
    scalars: tuple[Scalar, ...]

    def fill(self, values: Values) -> RowProgram:
        """The program with what its scalars turned out to be."""
        scalars = fr.from_ints(values.of(self.scalars))
        return RowProgram(self.columns, self.program._replace(scalars=scalars))


# (op, target, left, right); a slot, or -1 - number of a scalar.
_Instruction = tuple[int, int, int, int]
# Summands with their factors.
_Parts = list[tuple[Value, Scalar]]


class Assembler:
    """Writes instruction lists that share work memory: slots with a fixed content, scalars."""

    def __init__(self, graph: Graph, homes: dict[int, int], totals: int = 1) -> None:
        self.graph = graph
        self.homes = homes
        self.fixed = 1 + max(homes.values(), default=-1)
        self.slots = self.fixed
        self._totals = totals
        self._scalars: dict[Scalar, int] = {}

    @property
    def scalars(self) -> tuple[Scalar, ...]:
        """What lies behind the slots."""
        return tuple(self._scalars)

    def values(self, wanted: Sequence[tuple[Value, int]]) -> list[_Instruction]:
        """Compute each value into the slot beside it; a slot may be any without a home."""
        self.fixed = max(self.fixed, 1 + max((slot for _, slot in wanted), default=-1))
        self.slots = max(self.slots, self.fixed)
        writer = _Writer(self, (value for value, _ in wanted))
        for value, slot in wanted:
            writer.place(value, slot)
        return writer.instructions

    def sums(self, terms: Iterable[tuple[int, int, Value]]) -> list[_Instruction]:
        """Add up factor * form for every (total, factor, form)."""
        taken = list(terms)
        writer = _Writer(self, (value for _, *pair in taken for value in pair))
        for total in sorted({total for total, _, _ in taken}):
            writer.instructions.append((CLEAR, total, 0, 0))
        for total, factor, form in taken:
            writer.dot(total, factor, form)
        return writer.instructions

    def program(self, instructions: Sequence[_Instruction], results: Sequence[int]) -> Program:
        """Fix the addresses; scalars are left out.

        All lists that share work memory must have been written before.
        """
        base = self.slots * BLOCK

        def place(operand: int) -> tuple[int, int]:
            return (operand * BLOCK, 1) if operand >= 0 else (base - 1 - operand, 0)

        rows = [(op, target * BLOCK, *place(a), *place(b)) for op, target, a, b in instructions]
        return Program(
            np.array(rows, dtype=np.int64).reshape(-1, 6),
            fr.zeros(0),
            self.slots,
            self._totals,
            np.array(results, dtype=np.int64) * BLOCK,
        )

    def scalar(self, value: Scalar) -> int:
        return -1 - self._scalars.setdefault(value % R, len(self._scalars))


class _Writer:
    """One instruction list: computes nodes when they are first needed, frees slots after use."""

    def __init__(self, owner: Assembler, wanted: Iterable[Value]) -> None:
        self.instructions: list[_Instruction] = []
        self._owner = owner
        self._graph = owner.graph
        self._slots = dict(owner.homes)
        self._free: list[int] = []
        self._next = owner.fixed
        roots = [value for value in wanted if not isinstance(value, Known)]
        self._sums: dict[int, tuple[_Parts, _Parts]] = {}
        self._find_sums(roots)
        self._uses = Counter(roots)
        for number in self._needed(roots):
            self._uses.update(self._inputs(number))

    def place(self, value: Value, slot: int) -> None:
        """Compute into this slot, where the value stays."""
        if isinstance(value, Known) or value in self._slots:
            self.instructions.append((COPY, slot, self._operand(value), 0))
            self._release(value)
            return
        for number in self._needed([value])[:-1]:
            self._compute(number, None)
        self._compute(value, slot)

    def dot(self, total: int, factor: Value, form: Value) -> None:
        """Add a product to a total."""
        self.instructions.append((DOT, total, self._operand(factor), self._operand(form)))
        self._release(factor)
        self._release(form)

    def _find_sums(self, roots: list[int]) -> None:
        """Find sums of at least _DOT_MIN weighted parts, opening sums that nothing else uses."""
        graph = self._graph
        live = [x for x in graph.reachable(roots) if x not in self._slots]
        uses = Counter(roots)
        for number in live:
            for operand in graph.operands[number]:
                uses[operand] += 1
        opened: set[int] = set()
        for number in reversed(live):
            if number in opened or graph.nodes[number].kind in (Kind.LEAF, Kind.MUL):
                continue
            inside, weighted, units = self._open(number, uses)
            # What is inside of a sum with few parts is a sum of few parts as well.
            opened |= inside
            if len(weighted) >= _DOT_MIN:
                self._sums[number] = weighted, units

    def _open(self, number: int, uses: Counter[int]) -> tuple[set[int], _Parts, _Parts]:
        """The sums inside of a sum, its parts with factors other than 1 and -1, its other parts."""
        inside: set[int] = set()
        weighted: _Parts = []
        units: _Parts = []
        pending: list[tuple[int, Scalar]] = [(number, 1)]
        while pending:
            value, factor = pending.pop()
            node = self._graph.nodes[value]
            is_single = uses[value] == 1 and value not in self._slots
            if node.kind in (Kind.LEAF, Kind.MUL) or not (value == number or is_single):
                (units if factor in (1, R - 1) else weighted).append((value, factor))
                continue
            inside.add(value)
            scale = node.right if node.kind is Kind.SCALE else 1
            left, *others = self._graph.operands[value]
            pending.append((left, factor * scale % R))
            if node.kind is Kind.SHIFT:
                units.append((Known(factor * node.right % R), 1))
            for right in others:
                pending.append((right, factor if node.kind is Kind.ADD else R - factor))
        return inside, weighted, units

    def _inputs(self, number: int) -> list[int]:
        """Nodes that must be in slots before this one is computed."""
        if number not in self._sums:
            return list(self._graph.operands[number])
        weighted, units = self._sums[number]
        return [value for value, _ in (*weighted, *units) if not isinstance(value, Known)]

    def _needed(self, wanted: Iterable[int]) -> list[int]:
        """Nodes still to be computed for the wanted ones, operands first."""
        found: set[int] = set()
        pending = list(wanted)
        while pending:
            number = pending.pop()
            if number not in found and number not in self._slots:
                found.add(number)
                pending += self._inputs(number)
        return sorted(found)

    def _operand(self, value: Value) -> int:
        if isinstance(value, Known):
            return self._owner.scalar(value.value)
        for number in self._needed([value]):
            self._compute(number, None)
        return self._slots[value]

    def _compute(self, number: int, slot: int | None) -> None:
        """Write the instructions of a node whose inputs are there; `slot` is kept for good."""
        if slot is not None:
            self._uses[number] += 1
        if number in self._sums:
            self._add_up(number, slot)
        else:
            node = self._graph.nodes[number]
            operands = [self._slots[each] for each in self._graph.operands[number]]
            if node.kind in (Kind.SCALE, Kind.SHIFT):
                operands.append(self._owner.scalar(node.right))
            op, (left, right) = _SIMPLE[node.kind], operands
            if node.kind is Kind.SCALE and node.right == R - 1:
                op, left, right = SUB, self._owner.scalar(0), left
            for each in self._graph.operands[number]:
                self._release(each)
            self.instructions.append((op, self._take(number, slot), left, right))

    def _add_up(self, number: int, slot: int | None) -> None:
        weighted, units = self._sums[number]
        self.instructions.append((CLEAR, SCRATCH_TOTAL, 0, 0))
        for value, factor in weighted:
            operand = self._operand(value), self._owner.scalar(factor)
            self.instructions.append((DOT, SCRATCH_TOTAL, *operand))
            self._release(value)
        # The result may take a slot that was read for the last time above, never one of `units`.
        target = self._take(number, slot)
        self.instructions.append((REDUCE, target, SCRATCH_TOTAL, 0))
        for value, factor in units:
            op = ADD if factor == 1 else SUB
            self.instructions.append((op, target, target, self._operand(value)))
            self._release(value)

    def _take(self, number: int, slot: int | None) -> int:
        if slot is None:
            slot = self._free.pop() if self._free else self._next
            self._next = max(self._next, slot + 1)
            self._owner.slots = max(self._owner.slots, self._next)
        self._slots[number] = slot
        return slot

    def _release(self, value: Value) -> None:
        if isinstance(value, Known) or value in self._owner.homes:
            return
        self._uses[value] -= 1
        if self._uses[value] == 0:
            self._free.append(self._slots[value])


def value_program(tape: Tape, challenges: Sequence[int], publics: Sequence[int]) -> RowProgram:
    """Program whose result i is the value of constraint i, in consecutive slots.

    Cost: what `row_sketch` costs once for a tape, then next to nothing.
    """
    sketch, symbols = _value_sketch(tape)
    return sketch.fill(symbols.values([*challenges, *publics]))


@lru_cache(maxsize=256)
def _value_sketch(tape: Tape) -> tuple[Sketch, Symbols]:
    symbols = Symbols(tape.challenges + tape.publics)
    challenges, publics = symbols.inputs[: tape.challenges], symbols.inputs[tape.challenges :]
    graph, values = graph_of(tape, challenges, publics)
    return row_sketch(graph, tape.columns, values), symbols


def row_sketch(graph: Graph, columns: int, values: Sequence[Value]) -> Sketch:
    """Program over rows for values of a graph whose leaves are the columns, ROW and ACTIVE.

    Results lie in consecutive slots; only the columns that they need are read.
    Cost: some 0.2 ms for ten operations.
    """
    live = graph.reachable(value for value in values if not isinstance(value, Known))
    used = [graph.nodes[x].left for x in live if graph.nodes[x].kind is Kind.LEAF]
    read = [leaf for leaf in sorted(used) if leaf < columns]
    leaves = [*read, columns, columns + 1]
    assembler = Assembler(graph, {graph.leaf(leaf): slot for slot, leaf in enumerate(leaves)})
    results = range(len(leaves), len(leaves) + len(values))
    instructions = assembler.values(list(zip(values, results, strict=True)))
    program = assembler.program(instructions, results)
    return Sketch(np.array(read, dtype=np.int64), program, assembler.scalars)
