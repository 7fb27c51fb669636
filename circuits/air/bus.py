"""Buses: multisets of tuples that must cancel over the whole batch (LogUp, protocol 3.2).

Two disciplines exist. On a *channel* every tuple is sent once and received once. On a *table*
rows are provided with a multiplicity of the prover's choice and looked up any number of times.
Only a provider of a table may use an unconstrained multiplicity: on a channel, m and -m on two
padding rows would forge a message, so there every multiplicity has a derived integer bound.
"""

from __future__ import annotations

from dataclasses import dataclass

from circuits.air.columns import Physical
from circuits.air.expr import Expr, Op, walk

ARITY_MAX = 8
# Sum over all rows of all multiplicities must stay far below the modulus, or counts could wrap.
COUNT_TOTAL_MAX = 1 << 60


@dataclass(frozen=True, slots=True)
class Bus:
    """A named multiset. `number` separates buses inside one fingerprint and is never zero."""

    name: str
    number: int
    arity: int
    is_table: bool = False


@dataclass(frozen=True, slots=True)
class Interaction:
    """One term sign * times / fingerprint(tuple) of a row. `bound` is None for providers."""

    bus: Bus
    sign: int
    times: Expr
    values: tuple[Expr, ...]
    bound: int | None
    label: str


def integer_bounds(expr: Expr, columns: tuple[Physical, ...]) -> tuple[int, int] | None:
    """Smallest and largest integer value of an expression of range-ruled columns.

    None when a leaf has no range rule of its own in this chip: nothing is then known here.
    """
    bounds: dict[int, tuple[int, int]] = {}
    for node in walk([expr]):
        if node.op is Op.CONSTANT:
            bounds[id(node)] = (node.value, node.value)
        elif node.op is Op.COLUMN:
            physical = columns[node.value]
            if not physical.rule:
                return None
            bounds[id(node)] = (0, (1 << physical.bits) - 1)
        elif node.left is None or node.right is None:
            return None
        else:
            (a, b), (c, d) = bounds[id(node.left)], bounds[id(node.right)]
            if node.op is Op.ADD:
                bounds[id(node)] = (a + c, b + d)
            elif node.op is Op.SUB:
                bounds[id(node)] = (a - d, b - c)
            else:
                corners = (a * c, a * d, b * c, b * d)
                bounds[id(node)] = (min(corners), max(corners))
    return bounds[id(expr)]
