from typing import Any

import pytest

from circuits.air.builder import Builder
from circuits.air.chip import Chip, compile_chip
from circuits.air.columns import Columns, Field
from circuits.chips.edwards import assert_double, assert_sum, curve_residual, negate
from circuits.edwards import BASE8, GENERATOR, IDENTITY, SUBGROUP_ORDER, Point, add, multiply
from circuits.edwards import negate as negate_point
from circuits.field import R
from tests.support.breaker import failing_constraints

# Of order 2 and of order 8, beside ordinary points.
ORDER_TWO = (0, R - 1)
TORSION = multiply(GENERATOR, SUBGROUP_ORDER)
POINTS = (IDENTITY, ORDER_TWO, TORSION, BASE8, GENERATOR, multiply(BASE8, 12345))


class LawsChip(Chip):
    """Two points, twice the first, and their sum and difference."""

    name = "laws"

    class Cols(Columns):
        left: Field[2]
        right: Field[2]
        double: Field[2]
        total: Field[2]
        difference: Field[2]

    def constrain(self, c: Any, b: Builder) -> None:
        b.assert_zero("left is on the curve", curve_residual(c.left))
        assert_double(b, "double", c.left, c.double)
        assert_sum(b, "total", c.left, c.right, c.total)
        assert_sum(b, "difference", c.left, negate(c.right), c.difference)


LAWS = compile_chip(LawsChip(), 0, R)


def row_of(left: Point, right: Point) -> list[int]:
    points = (left, right, add(left, left), add(left, right), add(left, negate_point(right)))
    return [coordinate for point in points for coordinate in point]


@pytest.mark.parametrize("left", POINTS)
@pytest.mark.parametrize("right", POINTS)
def test_the_laws_are_complete_and_their_results_bound(left: Point, right: Point) -> None:
    row = row_of(left, right)
    assert failing_constraints(LAWS, row, (), R) == []
    results = ("double x", "double y", "total x", "total y", "difference x", "difference y")
    for place, name in enumerate(results, start=4):
        wrong = [*row[:place], (row[place] + 1) % R, *row[place + 1 :]]
        assert failing_constraints(LAWS, wrong, (), R) == [name]


def test_off_the_curve_a_double_may_be_free() -> None:
    """Why callers must name who puts their points on the curve."""
    for x in (0, 1, 99):
        row = [0, 0, *IDENTITY, x, 0, 0, 0, 0, 0]
        assert failing_constraints(LAWS, row, (), R) == ["left is on the curve"]


def test_the_laws_take_constant_points() -> None:
    assert curve_residual(BASE8) % R == 0
    assert LAWS.degree == 5
