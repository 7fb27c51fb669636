"""How one chip's part of the first sumcheck is computed: which operands, from what, up to where.

The folded constraints are a linear rest and terms factor * form (see `terms`). Their *operands*
are the linear nodes that terms and factors are made of, so values at any point of a pair follow
from those at its two rows. Operands that are dear to make from others are *stored*: they are made
from the columns once and then folded from round to round, in place of the columns. The others are
derived from the stored ones in every block.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from circuits.air.tape import Tape
from circuits.field import R
from prover.kernels import fr
from prover.kernels.graph import Graph, Kind, Known, Value, graph_of
from prover.kernels.program import BLOCK, Assembler, RowProgram, Sketch, row_sketch
from prover.kernels.sumcheck import Linear, Points
from prover.kernels.symbols import Scalar, Symbols, Values
from prover.kernels.terms import Term, fold_constraints

# Products that deriving an operand may take; storing it takes one, and memory.
_DERIVE_MAX = 2
_LOW_TOTAL, _HIGH_TOTAL = 1, 2


@dataclass(frozen=True, slots=True)
class ChipPlan:
    """Programs of a chip's rounds.

    `columns` makes the stored operands of columns. A stored operand's value in a row that the
    table does not have is pads[k][0] + pads[k][1] * row number. `degree` is that of the terms.
    """

    columns: RowProgram
    points: Points
    pads: tuple[tuple[int, int], ...]
    degree: int

    @property
    def stored(self) -> int:
        return len(self.pads)

    def linear(self) -> Linear:
        program = self.columns.program
        targets = np.arange(len(self.columns.columns), dtype=np.int64) * BLOCK
        return Linear(targets, program.code, program.scalars, program.slots, program.results)

    def pads_at(self, row_number: int) -> list[int]:
        """The stored operands' values in a missing row of this number."""
        return [(offset + slope * row_number) % R for offset, slope in self.pads]


@dataclass(frozen=True, slots=True)
class _PlanSketch:
    """A plan but for its scalars."""

    columns: Sketch
    points: Points
    scalars: tuple[Scalar, ...]
    pads: tuple[tuple[Scalar, Scalar], ...]
    degree: int

    def fill(self, values: Values) -> ChipPlan:
        scalars = fr.from_ints(values.of(self.scalars))
        offsets = values.of(offset for offset, _ in self.pads)
        slopes = values.of(slope for _, slope in self.pads)
        return ChipPlan(
            self.columns.fill(values),
            self.points._replace(scalars=scalars),
            tuple(zip(offsets, slopes, strict=True)),
            self.degree,
        )


def make_plan(
    tape: Tape,
    main_columns: int,
    challenges: Sequence[int],
    publics: Sequence[int],
    weights: Sequence[int],
    zero_values: Sequence[int],
) -> ChipPlan:
    """Plan for sum_i weights_i (C_i - (1 - ACTIVE) zero_values_i) and the sum of the helpers.

    Cost: up to 0.1 s once for a tape, then next to nothing.
    """
    sketch, symbols = _plan_sketch(tape, main_columns, tuple(zero_values))
    return sketch.fill(symbols.values([*challenges, *publics, *weights]))


@lru_cache(maxsize=256)
def _plan_sketch(
    tape: Tape, main_columns: int, zero_values: tuple[int, ...]
) -> tuple[_PlanSketch, Symbols]:
    symbols = Symbols(tape.challenges + tape.publics + tape.constraints)
    others = tape.challenges + tape.publics
    challenges = symbols.inputs[: tape.challenges]
    publics, weights = symbols.inputs[tape.challenges : others], symbols.inputs[others:]
    graph, values = graph_of(tape, challenges, publics)
    zero: Scalar = 0
    for weight, value in zip(weights, zero_values, strict=True):
        zero += weight * value
    padding = graph.form([(graph.leaf(tape.active_operand), zero % R)], -zero)
    folded = fold_constraints(graph, [*values, padding], [*weights, 1])
    helpers = graph.form(((graph.leaf(c), 1) for c in range(main_columns, tape.columns)), 0)
    return _Planner(graph, tape, folded.rest, helpers, folded.terms).sketch(), symbols


class _Planner:
    def __init__(
        self, graph: Graph, tape: Tape, rest: Value, helpers: Value, terms: tuple[Term, ...]
    ) -> None:
        self._graph = graph
        self._tape = tape
        self._rest = rest
        self._helpers = helpers
        self._degree = max((term.degree for term in terms), default=0)
        self._low_degree = self._choose_low_degree(terms)
        self._low = [term for term in terms if term.degree <= self._low_degree]
        self._high = [term for term in terms if term.degree > self._low_degree]
        self._row = graph.leaf(tape.row_operand)
        self._active = graph.leaf(tape.active_operand)

    def sketch(self) -> _PlanSketch:
        high = self._operands(self._high)
        low = [node for node in self._operands(self._low) if node not in set(high)]
        sums = {x for x in (self._rest, self._helpers) if not isinstance(x, Known)}
        required = sorted({*high, *low, *sums} - {self._row, self._active})
        derived = self._choose_derived(required)
        stored = [node for node in required if node not in derived]
        order = [self._row, self._active]
        order += [x for group in (high, low, required) for x in group]
        slots = {node: slot for slot, node in enumerate(dict.fromkeys(order))}
        begin = min((slots[x] for x in (*high, *low)), default=0)
        end_high = 1 + max((slots[x] for x in high), default=begin - 1)
        end = 1 + max((slots[x] for x in (*high, *low)), default=begin - 1)
        rest_slot = -1
        if not isinstance(self._rest, Known):
            rest_slot = slots[self._rest]
        elif self._rest.value:
            rest_slot = len(slots)

        homes = {node: slot for node, slot in slots.items() if node not in derived}
        assembler = Assembler(self._graph, homes, 1 + _HIGH_TOTAL)
        wanted: list[tuple[Value, int]] = [(x, slots[x]) for x in required if x in derived]
        if rest_slot == len(slots):
            wanted.append((self._rest, rest_slot))
        derive = assembler.values(wanted)
        homes.update({node: slots[node] for node in derived})
        lists = [derive] + [
            assembler.sums(self._with_totals(terms))
            for terms in ([*self._low, *self._high], self._low, self._high)
        ]
        programs = [assembler.program(each, []) for each in lists]
        points = Points(
            slots=programs[0].slots,
            scalars=programs[0].scalars,
            origins=np.array([slots[node] for node in stored], dtype=np.int64) * BLOCK,
            derive=programs[0].code,
            both=programs[1].code,
            low=programs[2].code,
            high=programs[3].code,
            begin=begin * BLOCK,
            end_high=end_high * BLOCK,
            end=end * BLOCK,
            low_degree=self._low_degree,
            rest=rest_slot * BLOCK if rest_slot >= 0 else -1,
            helpers=-1 if isinstance(self._helpers, Known) else slots[self._helpers] * BLOCK,
        )
        columns = row_sketch(self._graph, self._tape.columns, stored)
        pads = tuple(self._pads(stored))
        return _PlanSketch(columns, points, assembler.scalars, pads, self._degree)

    def _operands(self, terms: Sequence[Term]) -> list[int]:
        """Linear nodes that the terms are evaluated from."""
        graph = self._graph
        found: dict[int, None] = {}
        seen: set[int] = set()
        pending = [
            x for term in terms for x in (term.factor, term.form) if not isinstance(x, Known)
        ]
        while pending:
            node = pending.pop()
            if graph.degrees[node] == 1:
                found[node] = None
            elif node not in seen:
                seen.add(node)
                pending += graph.operands[node]
        return list(found)

    def _choose_derived(self, required: Sequence[int]) -> set[int]:
        """Operands that take few products from others, each of which is stored or derived."""
        graph = self._graph
        wanted = set(required)
        derived: set[int] = set()
        # Products from what is there; missing when a column would be needed.
        costs = {self._row: 0, self._active: 0}
        for number in graph.reachable(required):
            node = graph.nodes[number]
            if number not in costs and all(each in costs for each in graph.operands[number]):
                if node.kind is not Kind.LEAF:
                    is_product = node.kind is Kind.SCALE and node.right != R - 1
                    costs[number] = is_product + sum(
                        costs[each] for each in self._graph.operands[number]
                    )
            if number in wanted:
                if costs.get(number, _DERIVE_MAX + 1) <= _DERIVE_MAX:
                    derived.add(number)
                costs[number] = 0
        return derived

    def _choose_low_degree(self, terms: Sequence[Term]) -> int:
        """Highest degree of the low class: what makes a round cheapest; -1 for no such class.

        With classes, a point up to the low degree costs all terms and point 1 the low ones; the
        points above cost the high ones alone.
        """
        whole, top = self._products(terms), self._degree
        best = (top * whole, -1)
        for degree in sorted({term.degree for term in terms} - {top}):
            low = self._products([term for term in terms if term.degree <= degree])
            high = self._products([term for term in terms if term.degree > degree])
            best = min(best, (degree * whole + low + (top - degree) * high, degree))
        return best[1]

    def _products(self, terms: Sequence[Term]) -> int:
        """Cost of evaluating terms at one point, in halves of a product."""
        nodes = self._graph.reachable(term.factor for term in terms)
        inner = sum(1 for x in nodes if self._graph.nodes[x].kind is Kind.MUL)
        return 2 * inner + len(terms)

    def _with_totals(self, terms: Sequence[Term]) -> list[tuple[int, int, Value]]:
        return [
            (_LOW_TOTAL if term.degree <= self._low_degree else _HIGH_TOTAL, term.factor, term.form)
            for term in terms
        ]

    def _pads(self, stored: Sequence[int]) -> list[tuple[Scalar, Scalar]]:
        """Every stored operand as offset + slope * ROW where all columns and ACTIVE are zero."""
        graph = self._graph
        found: dict[int, tuple[Scalar, Scalar]] = {}
        for number in graph.reachable(stored):
            node = graph.nodes[number]
            if node.kind is Kind.LEAF:
                found[number] = (0, int(number == self._row))
                continue
            offset, slope = found[node.left]
            if node.kind is Kind.SCALE:
                found[number] = (offset * node.right % R, slope * node.right % R)
            elif node.kind is Kind.SHIFT:
                found[number] = ((offset + node.right) % R, slope)
            else:
                sign = 1 if node.kind is Kind.ADD else -1
                right_offset, right_slope = found[graph.operands[number][1]]
                found[number] = (
                    (offset + sign * right_offset) % R,
                    (slope + sign * right_slope) % R,
                )
        return [found[node] for node in stored]
