"""Expressions over one row as a graph without repetitions, with everything known folded in.

A node is a leaf (a column, ROW or ACTIVE), a sum, a difference, a product of two nodes, or a node
times or plus an integer. Nodes are numbered so that operands come before what is made of them.
What does not depend on the row (constants, challenges, public words and all that is made of them)
is `Known` and never becomes a node. It is an integer, or a symbol that stands for one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, TypeAlias

from circuits.air import tape as air_tape
from circuits.air.tape import Tape
from circuits.field import R
from prover.kernels.symbols import Scalar


class Kind(IntEnum):
    """What a node is; SCALE and SHIFT have a scalar as right operand, LEAF its number as left."""

    LEAF = 0
    ADD = 1
    SUB = 2
    MUL = 3
    SCALE = 4
    SHIFT = 5


class Node(NamedTuple):
    kind: Kind
    left: int
    right: Scalar


@dataclass(frozen=True, slots=True)
class Known:
    """An integer in [0, r), or a symbol."""

    value: Scalar


Value: TypeAlias = int | Known


class Graph:
    """Makes nodes; equal ones are the same node.

    `operands` holds the numbers of the nodes that each node is made of.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.operands: list[tuple[int, ...]] = []
        self.degrees: list[int] = []
        self._numbers: dict[Node, int] = {}

    def leaf(self, number: int) -> int:
        return self._make(Kind.LEAF, number, 0, 1)

    def add(self, a: Value, b: Value) -> Value:
        if isinstance(a, Known) and isinstance(b, Known):
            return Known((a.value + b.value) % R)
        if isinstance(a, Known):
            return self.add(b, a)
        if isinstance(b, Known):
            return self.shift(a, b.value)
        return self._make(Kind.ADD, min(a, b), max(a, b), max(self.degrees[a], self.degrees[b]))

    def sub(self, a: Value, b: Value) -> Value:
        if isinstance(b, Known):
            return self.add(a, Known(-b.value % R))
        if isinstance(a, Known):
            return self.add(self.scale(b, R - 1), a)
        if a == b:
            return Known(0)
        return self._make(Kind.SUB, a, b, max(self.degrees[a], self.degrees[b]))

    def mul(self, a: Value, b: Value) -> Value:
        if isinstance(a, Known) and isinstance(b, Known):
            return Known(a.value * b.value % R)
        if isinstance(a, Known):
            return self.scale(b, a.value)
        if isinstance(b, Known):
            return self.scale(a, b.value)
        # Integer factors are kept outside of products, where they can join a weight.
        (a, a_factor), (b, b_factor) = self._split(a), self._split(b)
        degree = self.degrees[a] + self.degrees[b]
        product = self._make(Kind.MUL, min(a, b), max(a, b), degree)
        return self.scale(product, a_factor * b_factor % R)

    def scale(self, a: Value, factor: Scalar) -> Value:
        if isinstance(a, Known):
            return Known(a.value * factor % R)
        a, inner = self._split(a)
        factor = factor * inner % R
        if isinstance(factor, int) and factor < 2:
            return a if factor else Known(0)
        return self._make(Kind.SCALE, a, factor, self.degrees[a])

    def shift(self, a: int, offset: Scalar) -> Value:
        if self.nodes[a].kind is Kind.SHIFT:
            a, offset = self.nodes[a].left, (offset + self.nodes[a].right) % R
        return self._make(Kind.SHIFT, a, offset, self.degrees[a]) if offset != 0 else a

    def form(self, parts: Iterable[tuple[int, Scalar]], offset: Scalar) -> Value:
        """sum of factor * node, plus the offset."""
        total: Value = Known(0)
        for node, factor in parts:
            negated = isinstance(factor, int) and R - factor < factor
            part = self.scale(node, R - factor if negated else factor)
            total = self.sub(total, part) if negated else self.add(total, part)
        return self.add(total, Known(offset % R))

    def reachable(self, roots: Iterable[int]) -> list[int]:
        """All nodes that the roots are made of, and the roots; operands first."""
        found: set[int] = set()
        pending = list(roots)
        while pending:
            node = pending.pop()
            if node not in found:
                found.add(node)
                pending += self.operands[node]
        return sorted(found)

    def _split(self, a: int) -> tuple[int, Scalar]:
        node = self.nodes[a]
        return (node.left, node.right) if node.kind is Kind.SCALE else (a, 1)

    def _make(self, kind: Kind, left: int, right: Scalar, degree: int) -> int:
        node = Node(kind, left, right)
        number = self._numbers.setdefault(node, len(self.nodes))
        if number == len(self.nodes):
            self.nodes.append(node)
            operands: tuple[int, ...] = () if kind is Kind.LEAF else (left,)
            if isinstance(right, int) and kind in (Kind.ADD, Kind.SUB, Kind.MUL):
                operands = (left, right)
            self.operands.append(operands)
            self.degrees.append(degree)
        return number


def graph_of(
    tape: Tape, challenges: Sequence[Scalar], publics: Sequence[Scalar]
) -> tuple[Graph, list[Value]]:
    """The graph of a tape and its emitted values in order. Leaves are numbered as operands are."""
    graph = Graph()
    values: list[Value] = [graph.leaf(number) for number in range(tape.constant_base)]
    values += [Known(value % R) for value in (*tape.constants, *challenges, *publics)]
    values += [Known(0)] * tape.temporaries
    emitted: list[Value] = [Known(0)] * tape.constraints
    operations = {air_tape.ADD: graph.add, air_tape.SUB: graph.sub, air_tape.MUL: graph.mul}
    for op, target, left, right in tape.code:
        if op == air_tape.EMIT:
            emitted[target] = values[left]
        else:
            values[tape.temporary_base + target] = operations[op](values[left], values[right])
    return graph, emitted
