"""A weighted sum of constraints, rewritten as few products with one linear factor each.

    sum_i weight_i C_i  =  rest  +  sum over terms of factor * form

where `rest` and every form are linear in the row's cells, so that they need not be evaluated
point by point: their values at any point follow from those at 0 and 1. The weights go into the
forms, so a term costs one product. Squares and other products that several constraints share
become one factor, with the sum of what they are multiplied by as its form.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from circuits.field import R
from prover.kernels.graph import Graph, Kind, Known, Value
from prover.kernels.symbols import Scalar

_INTEGER = -1


@dataclass(frozen=True, slots=True)
class Term:
    """factor * form; the form is linear or known."""

    factor: int
    form: Value
    degree: int


@dataclass(frozen=True, slots=True)
class Folded:
    """rest + sum of terms."""

    rest: Value
    terms: tuple[Term, ...]


def fold_constraints(graph: Graph, values: Sequence[Value], weights: Sequence[Scalar]) -> Folded:
    """Rewrite sum_i weights_i values_i. Adds nodes to the graph."""
    live = graph.reachable(value for value in values if not isinstance(value, Known))
    return _Folding(graph, live).run(values, weights)


class _Folding:
    def __init__(self, graph: Graph, live: list[int]) -> None:
        self._graph = graph
        self._live = live
        self._uses = Counter(x for node in live for x in graph.operands[node])
        self._offset: Scalar = 0
        self._linear: defaultdict[int, Scalar] = defaultdict(int)
        # Coefficients by pair of linear nodes, and by factor and linear node or _INTEGER.
        self._pairs: defaultdict[tuple[int, int], Scalar] = defaultdict(int)
        self._forms: defaultdict[int, defaultdict[int, Scalar]] = defaultdict(
            lambda: defaultdict(int)
        )

    def run(self, values: Sequence[Value], weights: Sequence[Scalar]) -> Folded:
        pending: defaultdict[int, Scalar] = defaultdict(int)
        for value, weight in zip(values, weights, strict=True):
            if isinstance(value, Known):
                self._offset += weight * value.value
            else:
                pending[value] += weight
        for node in reversed(self._live):
            if weight := pending[node] % R:
                self._descend(node, weight, pending)
        self._cover_pairs()
        rest = self._graph.form(self._linear.items(), self._offset)
        return Folded(rest, tuple(self._terms()))

    def _descend(self, number: int, weight: Scalar, pending: defaultdict[int, Scalar]) -> None:
        """Give the weight of a node to its parts, down to linear nodes and products."""
        if self._graph.degrees[number] == 1:
            self._linear[number] += weight
            return
        if self._graph.nodes[number].kind is Kind.MUL:
            self._add_product(number, weight)
            return
        self._offset += self._open(number, weight, pending)

    def _add_product(self, number: int, weight: Scalar) -> None:
        left, right = self._graph.operands[number]
        if self._graph.degrees[left] > self._graph.degrees[right]:
            left, right = right, left
        if self._graph.degrees[right] == 1:
            self._pairs[left, right] += weight
        elif self._graph.degrees[left] == 1:
            self._distribute(left, right, weight)
        else:
            self._forms[number][_INTEGER] += weight

    def _distribute(self, form: int, factor: int, weight: Scalar) -> None:
        """Add weight * form * factor for a linear node and one that is not.

        A sum as factor is split up if its products are needed elsewhere anyway.
        """
        products, linear, offset = self._spread(factor, weight)
        if len(products) > 1 and min(self._uses[each] for each in products) < 2:
            self._forms[factor][form] += weight
            return
        for product, coefficient in products.items():
            self._forms[product][form] += coefficient
        for node, coefficient in linear.items():
            self._pairs[min(form, node), max(form, node)] += coefficient
        self._linear[form] += offset

    def _spread(
        self, number: int, weight: Scalar
    ) -> tuple[dict[int, Scalar], dict[int, Scalar], Scalar]:
        """A node's products and linear nodes with their coefficients, and its integer.

        A sum is opened once, with all that its uses add up to: there may be very many ways down.
        """
        products: dict[int, Scalar] = {}
        linear: dict[int, Scalar] = {}
        offset: Scalar = 0
        pending: defaultdict[int, Scalar] = defaultdict(int, {number: weight})
        while pending:
            # Operands have lower numbers, so nothing is added to this one any more.
            number = max(pending)
            if not (weight := pending.pop(number) % R):
                continue
            if self._graph.degrees[number] == 1:
                linear[number] = weight
            elif self._graph.nodes[number].kind is Kind.MUL:
                products[number] = weight
            else:
                offset += self._open(number, weight, pending)
        return products, linear, offset

    def _open(self, number: int, weight: Scalar, pending: defaultdict[int, Scalar]) -> Scalar:
        """Give the weight of a sum to its parts; return what its integer comes to."""
        node = self._graph.nodes[number]
        left, *others = self._graph.operands[number]
        pending[left] += weight * (node.right if node.kind is Kind.SCALE else 1)
        for right in others:
            pending[right] += weight if node.kind is Kind.ADD else -weight
        return weight * node.right if node.kind is Kind.SHIFT else 0

    def _cover_pairs(self) -> None:
        """Turn products of two linear nodes into few factors: the most frequent nodes first."""
        while self._pairs:
            counts = Counter(node for pair in self._pairs for node in set(pair))
            factor = min(counts, key=lambda node: (-counts[node], node))
            for pair in [pair for pair in self._pairs if factor in pair]:
                other = pair[1] if pair[0] == factor else pair[0]
                self._forms[factor][other] += self._pairs.pop(pair)

    def _terms(self) -> list[Term]:
        terms = []
        for factor, parts in self._forms.items():
            offset = parts.pop(_INTEGER, 0)
            form = self._graph.form(((x, c % R) for x, c in parts.items() if c % R), offset)
            if form != Known(0):
                degree = self._graph.degrees[factor] + (not isinstance(form, Known))
                terms.append(Term(factor, form, degree))
        return terms
