"""The rewritten sum of constraints against the constraints themselves."""

import pytest

from circuits.air.tape import evaluate_tape
from circuits.chips.system import margin_system
from circuits.field import R
from prover.kernels.graph import Graph, Known, graph_of
from prover.kernels.terms import fold_constraints
from tests.support.row_values import node_value
from tests.support.toy_system import toy_system

CHIPS = [*toy_system().chips, *margin_system().chips]


def value_of(graph, folded, leaves):
    terms = (
        node_value(graph, term.factor, leaves) * node_value(graph, term.form, leaves)
        for term in folded.terms
    )
    return (node_value(graph, folded.rest, leaves) + sum(terms)) % R


@pytest.mark.parametrize("chip", CHIPS, ids=lambda chip: chip.name)
def test_the_value_is_the_weighted_sum_of_the_constraints(chip, rng):
    tape = chip.tape
    challenges, publics, weights = (
        [rng.randrange(R) for _ in range(count)]
        for count in (tape.challenges, tape.publics, tape.constraints)
    )
    graph, values = graph_of(tape, challenges, publics)
    folded = fold_constraints(graph, values, weights)
    leaves = [rng.randrange(R) for _ in range(tape.columns + 2)]
    expected = evaluate_tape(tape, leaves[:-2], *leaves[-2:], challenges, publics, R)
    assert (
        value_of(graph, folded, leaves)
        == sum(weight * value for weight, value in zip(weights, expected, strict=True)) % R
    )
    assert max((term.degree for term in folded.terms), default=0) <= chip.degree
    linear = [folded.rest, *(term.form for term in folded.terms)]
    assert all(isinstance(x, Known) or graph.degrees[x] == 1 for x in linear)


def test_a_shared_product_becomes_one_factor():
    # w0 z (1 + x^2) + w1 u (2 - x^2) is x^2 times one form, and a rest.
    graph = Graph()
    x, z, u = (graph.leaf(number) for number in range(3))
    square = graph.mul(x, x)
    values = [
        graph.mul(z, graph.add(Known(1), square)),
        graph.mul(u, graph.sub(Known(2), square)),
    ]
    folded = fold_constraints(graph, values, [5, 7])
    assert [term.factor for term in folded.terms] == [square]
    assert value_of(graph, folded, [11, 13, 17]) == 5 * 13 * 122 + 7 * 17 * (2 - 121) + R


def test_a_product_that_is_needed_once_stays_whole():
    # z (xy + uv) is one term, not two.
    graph = Graph()
    x, y, z, u, v = (graph.leaf(number) for number in range(5))
    inner = graph.add(graph.mul(x, y), graph.mul(u, v))
    folded = fold_constraints(graph, [graph.mul(z, inner)], [3])
    assert [(term.factor, term.degree) for term in folded.terms] == [(inner, 3)]


def test_bilinear_terms_share_factors():
    # a c + a d + b c + b d: two factors cover all four.
    graph = Graph()
    a, b, c, d = (graph.leaf(number) for number in range(4))
    values = [graph.mul(x, y) for x in (a, b) for y in (c, d)]
    folded = fold_constraints(graph, values, [2, 3, 5, 7])
    assert len(folded.terms) == 2
    assert value_of(graph, folded, [10, 20, 30, 40]) == (2 * 300 + 3 * 400 + 5 * 600 + 7 * 800)


def test_what_cancels_is_gone():
    graph = Graph()
    x, y = graph.leaf(0), graph.leaf(1)
    folded = fold_constraints(graph, [graph.mul(x, y), graph.mul(x, y)], [1, R - 1])
    assert folded.terms == ()
    assert folded.rest == Known(0)


def test_a_sum_with_very_many_ways_down_is_opened_once() -> None:
    # x (y^2 2^k + ...), where every sum is twice the one before.
    graph = Graph()
    x, y = (graph.leaf(number) for number in range(2))
    square = graph.mul(y, y)
    total = square
    for number in range(200):
        total = graph.shift(graph.add(total, total), number)
    values = [graph.mul(x, total), graph.mul(x, graph.add(total, square))]
    folded = fold_constraints(graph, values, [5, 7])
    assert (
        value_of(graph, folded, [11, 13])
        == sum(
            weight * node_value(graph, value, [11, 13])
            for weight, value in zip([5, 7], values, strict=True)
        )
        % R
    )
