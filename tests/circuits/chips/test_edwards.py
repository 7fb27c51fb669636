from typing import Any

import pytest

from circuits.air.builder import Builder
from circuits.air.chip import Chip, compile_chip
from circuits.air.columns import Columns, Field
from circuits.chips.edwards import assert_double, curve_residual, negate
from circuits.edwards import BASE8, GENERATOR, IDENTITY, SUBGROUP_ORDER, Point, add, multiply
from circuits.edwards import negate as negate_point
from circuits.field import R
from tests.support.breaker import failing_constraints

# Of order 2 and of order 8, beside ordinary points.
ORDER_TWO = (0, R - 1)
TORSION = multiply(GENERATOR, SUBGROUP_ORDER)
POINTS = (IDENTITY, ORDER_TWO, TORSION, BASE8, GENERATOR, multiply(BASE8, 12345))


class DoubleChip(Chip):
    """A point and twice the point."""

    name = "double"

    class Cols(Columns):
        point: Field[2]
        double: Field[2]

    def constrain(self, c: Any, b: Builder) -> None:
        b.assert_zero("it is on the curve", curve_residual(c.point))
        assert_double(b, "double", c.point, c.double)


DOUBLE = compile_chip(DoubleChip(), 0, R)


@pytest.mark.parametrize("point", POINTS)
def test_the_law_is_complete_and_its_result_bound(point: Point) -> None:
    row = [*point, *add(point, point)]
    assert failing_constraints(DOUBLE, row, (), R) == []
    for place, name in enumerate(("double x", "double y"), start=2):
        wrong = [*row[:place], (row[place] + 1) % R, *row[place + 1 :]]
        assert failing_constraints(DOUBLE, wrong, (), R) == [name]


def test_off_the_curve_a_double_may_be_free() -> None:
    """Why callers must name who puts their points on the curve."""
    for x in (0, 1, 99):
        assert failing_constraints(DOUBLE, [0, 0, x, 0], (), R) == ["it is on the curve"]


def test_the_degree_of_a_double_stays_low() -> None:
    assert DOUBLE.degree == 4
    degrees = {each.name: each.expr.degree for each in DOUBLE.main_constraints}
    assert degrees == {"it is on the curve": 4, "double x": 3, "double y": 3}


@pytest.mark.parametrize("point", POINTS)
def test_constant_points(point: Point) -> None:
    assert curve_residual(point) % R == 0
    x, y = negate(point)
    assert (x % R, y) == negate_point(point)
