"""Expressions: interning, folding, degrees, evaluation order and the value on the zero row."""

from __future__ import annotations

import operator
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.air.expr import (
    ACTIVE,
    ROW,
    Expr,
    Op,
    challenge,
    column,
    constant,
    public,
    value_at_zero_row,
    walk,
)
from tests.support.expressions import INPUTS, expressions, value_of

X, Y = column(0), column(1)


def test_equal_expressions_are_one_object() -> None:
    assert (X + Y) * 3 is (column(0) + column(1)) * constant(3)
    assert X + Y is not Y + X


@pytest.mark.parametrize(
    ("folded", "same_as"),
    [
        (X + 0, X),
        (0 + X, X),
        (X - 0, X),
        (X - X, constant(0)),
        (X * 1, X),
        (1 * X, X),
        (X * 0, constant(0)),
        (0 * X, constant(0)),
        (constant(2) + 3, constant(5)),
        (constant(2) - 3, constant(-1)),
        (constant(2) * 3, constant(6)),
        (2 - constant(3), constant(-1)),
        (-constant(4), constant(-4)),
    ],
)
def test_trivial_operations_fold(folded: Expr, same_as: Expr) -> None:
    assert folded is same_as


@pytest.mark.parametrize(
    ("expr", "degree"),
    [
        (constant(7), 0),
        (challenge(0), 0),
        (public(0), 0),
        (X, 1),
        (ROW, 1),
        (ACTIVE, 1),
        (X + public(0) * challenge(1), 1),
        (X * Y - X, 2),
        (X * X * X, 3),
        (ACTIVE * X * ROW, 3),
        (-(X * Y), 2),
    ],
)
def test_degree_counts_what_varies_over_the_rows(expr: Expr, degree: int) -> None:
    assert expr.degree == degree


def test_repr_is_the_formula() -> None:
    assert repr((X - 2) * public(3) + ROW) == "(((column[0] - 2) * public[3]) + row[0])"


@pytest.mark.parametrize("apply", [operator.add, operator.sub, operator.mul])
@given(left=expressions(), right=expressions())
def test_arithmetic_is_that_of_integers(
    apply: Callable[[int, int], int], left: Expr, right: Expr
) -> None:
    assert value_of(apply(left, right), INPUTS) == apply(
        value_of(left, INPUTS), value_of(right, INPUTS)
    )


@given(number=st.integers(-5, 5), expr=expressions())
def test_integers_stand_on_either_side(number: int, expr: Expr) -> None:
    value = value_of(expr, INPUTS)
    assert value_of(number + expr, INPUTS) == number + value
    assert value_of(number - expr, INPUTS) == number - value
    assert value_of(number * expr, INPUTS) == number * value
    assert value_of(-expr, INPUTS) == -value


@given(roots=st.lists(expressions(), max_size=3))
def test_walk_lists_operands_before_their_users_and_each_node_once(roots: list[Expr]) -> None:
    order = walk(roots)
    places = {id(node): place for place, node in enumerate(order)}
    assert len(places) == len(order)
    assert all(id(root) in places for root in roots)
    for place, node in enumerate(order):
        for child in (node.left, node.right):
            assert child is None or places[id(child)] < place


def test_walk_needs_no_recursion() -> None:
    expr = X
    for _ in range(20_000):
        expr = expr * X + 1
    assert len(walk([expr])) == 2 + 2 * 20_000


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        (X * Y + ROW + ACTIVE, 0),
        (X * 5 + 7, 7),
        ((X - 1) * (Y + 2), -2 % 97),
        (X * public(0) * challenge(1), 0),
        (X - public(0), None),
        (challenge(0), None),
        ((X + 1) * challenge(2), None),
        (public(0) - public(0) + X + 98, 1),
    ],
)
def test_value_on_the_zero_row(expr: Expr, value: int | None) -> None:
    assert value_at_zero_row(expr, 97) == value


@given(expr=expressions())
def test_a_constant_on_the_zero_row_is_the_value_there(expr: Expr) -> None:
    """Given any challenges and public words, the folded value is what evaluation gives."""
    found = value_at_zero_row(expr, 97)
    erased = {
        key: 0 if key[0] in (Op.COLUMN, Op.ROW, Op.ACTIVE) else value
        for key, value in INPUTS.items()
    }
    assert found is None or found == value_of(expr, erased) % 97
