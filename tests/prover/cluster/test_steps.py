"""Partials add up whatever their number and order; only what still matters is told again."""

import pytest

from circuits.field import R
from prover.cluster.steps import (
    Adopt,
    Bind,
    Commit,
    FoldedRows,
    HandOver,
    Helpers,
    Pieces,
    Points,
    RoundSums,
    Rows,
    StartReduction,
    StartZerocheck,
    Sums,
    digest,
    needed,
    total,
)
from prover.kernels import fr
from tests.support.curve import generator_multiple
from verifier.constraints import Batching
from verifier.transcript import INFINITY

START = StartZerocheck(Batching(1, 2, 3, 4, 5, 6))
SECOND_START = StartReduction((1, 2), 3)


def test_points_add_as_points_do():
    five, seven, minus_five = (generator_multiple(n) for n in (5, 7, R - 5))
    parts = [Points((five, five, INFINITY)), Points((seven, minus_five, INFINITY))]
    assert total(parts) == Points((generator_multiple(12), INFINITY, INFINITY))
    assert total([Points((five, five, five))] * 2).values == (generator_multiple(10),) * 3
    assert total([Points(()), Points(())]) == Points(())


def test_sums_add_by_chip_and_place():
    parts = [Sums({2: (1, R - 1), 0: (5,)}), Sums({2: (10, 2)}), Sums({})]
    assert total(parts) == Sums({0: (5,), 2: (11, 1)})
    assert digest(total(parts)) == digest(total(parts[::-1]))


def test_rows_join_in_the_order_of_their_shards():
    one, two = FoldedRows(0, 2, b"a" * 64), FoldedRows(1, 2, b"b" * 128)
    assert (one.count, two.count) == (1, 2)
    joined = Rows({4: (FoldedRows(0, 2, b"a" * 64 + b"b" * 128),)})
    assert total([Rows({4: (two,)}), Rows({4: (one,)})]) == joined


def test_pieces_are_put_side_by_side_and_told_apart_by_content():
    a, b = fr.from_ints([1, 2]), fr.from_ints([3])
    joined = total([Pieces(((0, a),)), Pieces(((5, b),))])
    assert [first for first, _ in joined.parts] == [0, 5]
    assert digest(Pieces(((0, a),))) == digest(Pieces(((0, a.copy()),)))
    assert digest(Pieces(((0, a),))) != digest(Pieces(((1, a),)))
    assert digest(Pieces(((0, a),))) != digest(Pieces(((0, fr.from_ints([1, 4])),)))


def test_partials_of_two_kinds_do_not_add():
    with pytest.raises(TypeError):
        total([Points(()), Sums({})])


def test_only_helper_columns_and_the_running_sumcheck_are_told_again():
    first = (Commit(0, 1), Helpers((1,)), Commit(1, 2), START, RoundSums(), Bind(7))
    assert needed(first) == (Helpers((1,)), START, Bind(7))
    rows = (HandOver((1,)), Adopt(Rows({})), Bind(8))
    running = (Helpers((1,)), START, Bind(7))
    assert needed(first + rows, takes_over=True) == (*running, *rows)
    assert needed(first + rows) == (*running, HandOver((1,)), Bind(8))
    assert needed((*first, *rows, SECOND_START, Bind(9))) == (
        Helpers((1,)), SECOND_START, Bind(9)
    )  # fmt: skip
    assert needed((Bind(7), RoundSums(), Bind(8))) == (Bind(7), Bind(8))
