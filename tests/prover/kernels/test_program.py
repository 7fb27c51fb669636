"""Instructions written from graphs, run by the interpreter, against the graphs on integers."""

import numpy as np
import pytest

from circuits.chips.system import margin_system
from circuits.field import R
from prover.kernels import fr
from prover.kernels.graph import Graph, Known, graph_of
from prover.kernels.program import (
    BLOCK,
    DOT,
    MUL,
    REDUCE,
    SUB,
    Assembler,
    row_sketch,
    value_program,
)
from prover.kernels.symbols import KNOWN
from prover.kernels.tape import new_totals, new_work, run_code
from tests.support.row_values import node_value
from tests.support.toy_system import toy_system


def run(program, inputs, count=3):
    """Work memory and totals after a run over `count` rows; inputs[slot] are that slot's rows."""
    work = new_work(program.slots, program.scalars)
    for slot, rows in enumerate(inputs):
        work[slot * BLOCK : slot * BLOCK + count] = fr.from_ints(rows)
    totals = new_totals(program.totals)
    run_code(program.code, work, totals, count)
    return work, totals


def slot_rows(work, slot, count=3):
    return fr.to_ints(np.ascontiguousarray(work[slot * BLOCK : slot * BLOCK + count]))


def any_number(rng):
    return rng.randrange(R)


def special_number(rng):
    """With these, much of what a program computes vanishes or is equal."""
    return rng.choice([0, 1, 1, R - 1, 5])


@pytest.mark.parametrize("draw", [any_number, special_number])
@pytest.mark.parametrize(
    "chip", [*toy_system().chips, *margin_system().chips], ids=lambda chip: chip.name
)
def test_values_of_every_chip(chip, draw, rng):
    tape = chip.tape
    challenges, publics = (
        [draw(rng) for _ in range(count)] for count in (tape.challenges, tape.publics)
    )
    made = value_program(tape, challenges, publics)
    leaves = [[rng.randrange(R) for _ in range(3)] for _ in range(tape.columns + 2)]
    read = [*made.columns.tolist(), tape.columns, tape.columns + 1]
    work, _ = run(made.program, [leaves[number] for number in read])
    graph, values = graph_of(tape, challenges, publics)
    for value, first in zip(values, made.program.results, strict=True):
        assert slot_rows(work, first // BLOCK) == [
            node_value(graph, value, [leaf[row] for leaf in leaves]) for row in range(3)
        ]


def test_only_needed_columns_are_read():
    graph = Graph()
    columns = [graph.leaf(number) for number in range(6)]
    made = row_sketch(graph, 4, [graph.mul(columns[1], columns[4]), columns[3], Known(7)]).fill(
        KNOWN
    )
    assert made.columns.tolist() == [1, 3]
    work, _ = run(made.program, [[2, 3, 4], [5, 6, 7], [10, 20, 30], [1, 1, 1]])
    found = [slot_rows(work, first // BLOCK) for first in made.program.results]
    assert found == [[20, 60, 120], [5, 6, 7], [7, 7, 7]]


def test_long_weighted_sums_are_reduced_once(rng):
    graph = Graph()
    leaves = [graph.leaf(number) for number in range(6)]
    factors = [3, R - 1, 5, 1, 7, 9]
    form = graph.form(zip(leaves, factors, strict=True), 4)
    made = row_sketch(graph, 4, [form]).fill(KNOWN)
    ops = made.program.code[:, 0].tolist()
    assert ops.count(DOT) == 4
    assert ops.count(REDUCE) == 1
    assert MUL not in ops
    rows = [[rng.randrange(R) for _ in range(3)] for _ in leaves]
    work, _ = run(made.program, rows)
    assert slot_rows(work, made.program.results[0] // BLOCK) == [
        (sum(f * row[i] for f, row in zip(factors, rows, strict=True)) + 4) % R for i in range(3)
    ]


def test_a_negation_takes_no_product():
    graph = Graph()
    made = row_sketch(graph, 0, [graph.scale(graph.leaf(0), R - 1)]).fill(KNOWN)
    assert made.program.code[:, 0].tolist() == [SUB]
    work, _ = run(made.program, [[0, 1, 5], [1, 1, 1]])
    assert slot_rows(work, made.program.results[0] // BLOCK) == [0, R - 1, R - 5]


def test_slots_of_intermediate_values_are_used_again():
    graph = Graph()
    total = graph.leaf(0)
    for number in range(1, 40):
        total = graph.mul(total, graph.shift(graph.leaf(0), number))
    made = row_sketch(graph, 0, [total]).fill(KNOWN)
    assert made.program.slots <= 2 + 1 + 3


def test_terms_go_to_their_totals(rng):
    graph = Graph()
    x, y = graph.leaf(0), graph.leaf(1)
    assembler = Assembler(graph, {x: 0, y: 1}, totals=3)
    square = graph.mul(x, x)
    code = assembler.sums([(1, square, y), (2, y, Known(5)), (1, square, x)])
    program = assembler.program(code, [])._replace(scalars=fr.from_ints([5]))
    assert assembler.scalars == (5,)
    rows = [[rng.randrange(R) for _ in range(3)] for _ in range(2)]
    _, totals = run(program, rows)
    sums = [
        sum(int(limb) << 64 * k for k, limb in enumerate(totals[total * BLOCK + row])) % R
        for total in (1, 2)
        for row in range(3)
    ]
    shift = pow(2, 512, R)
    expected = [(a * a * b + a**3) * shift % R for a, b in zip(*rows, strict=True)]
    assert sums == [*expected, *(b * 5 * shift % R for b in rows[1])]
