"""Graphs against the tape on integers, and the simplifications that others rely on."""

import pytest

from circuits.air.tape import evaluate_tape
from circuits.field import R
from prover.kernels.graph import Graph, Kind, Known, graph_of
from tests.support.row_values import node_value
from tests.support.toy_system import toy_system

CHIPS = [chip.name for chip in toy_system().chips]
PUBLICS = [11, 12, 13, 14]
CHALLENGES = list(range(100, 110))


@pytest.mark.parametrize("name", CHIPS)
def test_every_value_equals_the_tape_on_integers(name, rng):
    tape = toy_system().chip(name).tape
    graph, values = graph_of(tape, CHALLENGES, PUBLICS)
    leaves = [rng.randrange(R) for _ in range(tape.columns + 2)]
    expected = evaluate_tape(tape, leaves[:-2], leaves[-2], leaves[-1], CHALLENGES, PUBLICS, R)
    assert [node_value(graph, value, leaves) for value in values] == expected


def test_known_values_never_become_nodes():
    graph = Graph()
    assert graph.add(Known(R - 1), Known(3)) == Known(2)
    assert graph.mul(Known(4), Known(5)) == Known(20)
    x = graph.leaf(0)
    assert graph.mul(x, Known(0)) == Known(0)
    assert graph.mul(x, Known(1)) == x
    assert graph.add(Known(0), x) == x
    assert graph.sub(x, x) == Known(0)
    assert len(graph.nodes) == 1


def test_equal_expressions_are_one_node():
    graph = Graph()
    x, y = graph.leaf(0), graph.leaf(1)
    assert graph.mul(x, y) == graph.mul(y, x)
    assert graph.add(x, y) == graph.add(y, x)
    assert graph.scale(graph.scale(x, 5), 7) == graph.scale(x, 35)
    assert graph.shift(graph.shift(x, 5), 7) == graph.shift(x, 12)
    assert graph.shift(graph.shift(x, 5), R - 5) == x


def test_factors_stay_outside_of_products():
    graph = Graph()
    x, y = graph.leaf(0), graph.leaf(1)
    product = graph.mul(graph.scale(x, 3), graph.scale(y, 5))
    assert graph.nodes[product] == (Kind.SCALE, graph.mul(x, y), 15)
    assert graph.degrees[product] == 2


@pytest.mark.parametrize("offset", [0, 9])
def test_a_form_is_its_sum(offset, rng):
    graph = Graph()
    factors = [1, R - 1, 7, R - 7, 0]
    nodes = [graph.leaf(number) for number in range(5)]
    form = graph.form(zip(nodes, factors, strict=True), offset)
    leaves = [rng.randrange(R) for _ in range(5)]
    expected = sum(f * x for f, x in zip(factors, leaves, strict=True)) + offset
    assert node_value(graph, form, leaves) == expected % R


def test_reachable_nodes_come_after_their_operands():
    graph, values = graph_of(toy_system().chip("step").tape, CHALLENGES, PUBLICS)
    seen = set()
    for number in graph.reachable(value for value in values if not isinstance(value, Known)):
        assert set(graph.operands[number]) <= seen
        seen.add(number)
