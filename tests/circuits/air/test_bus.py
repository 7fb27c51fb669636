"""Integer bounds of expressions: never too narrow, exact where every column occurs once."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.air.bus import integer_bounds
from circuits.air.columns import Physical
from circuits.air.expr import ACTIVE, ROW, Expr, Op, challenge, column, constant, public
from tests.support.expressions import value_of

BITS = tuple(Physical(f"b{number}", 1, "bit") for number in range(3))
UNRANGED = (*BITS, Physical("free", 256, ""))

bit_expressions = st.recursive(
    st.one_of(st.integers(0, 2).map(column), st.integers(-3, 3).map(constant)),
    lambda inner: st.one_of(
        st.builds(lambda a, b: a + b, inner, inner),
        st.builds(lambda a, b: a - b, inner, inner),
        st.builds(lambda a, b: a * b, inner, inner),
    ),
    max_leaves=8,
)


@given(expr=bit_expressions)
def test_every_value_lies_within_the_bounds(expr: Expr) -> None:
    bounds = integer_bounds(expr, BITS)
    assert bounds is not None
    for bits in product((0, 1), repeat=3):
        value = value_of(expr, {(Op.COLUMN, number): bit for number, bit in enumerate(bits)})
        assert bounds[0] <= value <= bounds[1]


@pytest.mark.parametrize(
    ("expr", "bounds"),
    [
        (column(0) - column(1), (-1, 1)),
        (column(0) * 3 + column(1) * 5 - 2, (-2, 6)),
        ((column(0) - 2) * (column(1) - 3), (2, 6)),
        (constant(-4), (-4, -4)),
    ],
)
def test_bounds_are_exact_when_columns_occur_once(expr: Expr, bounds: tuple[int, int]) -> None:
    assert integer_bounds(expr, BITS) == bounds


@pytest.mark.parametrize("leaf", [column(3), ROW, ACTIVE, challenge(0), public(0)])
def test_nothing_is_known_of_a_leaf_without_a_range(leaf: Expr) -> None:
    assert integer_bounds(leaf, UNRANGED) is None
    assert integer_bounds(column(0) + leaf * column(1), UNRANGED) is None


@pytest.mark.parametrize(("bits", "rule"), [(1, "bit"), (8, "u8"), (16, "u16")])
def test_a_ranged_column_is_bounded_by_its_bits(bits: int, rule: str) -> None:
    assert integer_bounds(column(0), (Physical("x", bits, rule),)) == (0, 2**bits - 1)
