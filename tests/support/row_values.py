"""Values of tapes and graphs on plain integers, for comparison with the kernels."""

import operator

from circuits.air.tape import Tape, evaluate_tape
from circuits.field import R
from prover.kernels.graph import Graph, Kind, Known, Value

_OPERATIONS = {Kind.ADD: operator.add, Kind.SUB: operator.sub, Kind.MUL: operator.mul}


def node_value(graph: Graph, value: Value, leaves: list[int]) -> int:
    """A node on plain integers, by its definition."""
    if isinstance(value, Known):
        return value.value
    values: dict[int, int] = {}
    for number in graph.reachable([value]):
        kind, left, right = graph.nodes[number]
        if kind is Kind.LEAF:
            values[number] = leaves[left]
        elif kind is Kind.SCALE:
            values[number] = values[left] * right % R
        elif kind is Kind.SHIFT:
            values[number] = (values[left] + right) % R
        else:
            a, b = values[left], values[right]
            values[number] = (
                a + b if kind is Kind.ADD else a - b if kind is Kind.SUB else a * b
            ) % R
    return values[value]


def folded_value(
    tape: Tape,
    leaves: list[int],
    challenges: list[int],
    publics: list[int],
    weights: list[int],
    zero_values: tuple[int, ...],
) -> int:
    """sum_i weights_i (C_i - (1 - ACTIVE) zero_values_i); leaves are columns, ROW, ACTIVE."""
    *columns, row, active = leaves
    values = evaluate_tape(tape, columns, row, active, challenges, publics, R)
    total = sum(
        weight * (value - (1 - active) * zero)
        for weight, value, zero in zip(weights, values, zero_values, strict=True)
    )
    return total % R
