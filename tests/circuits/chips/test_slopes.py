"""Sums by slopes: what binds a slope, and what does not."""

import random
from typing import Any

import pytest

from circuits.air.builder import Builder
from circuits.air.chip import Chip, compile_chip
from circuits.air.columns import Columns, Field
from circuits.chips.slopes import added, assert_held, assert_image, doubled
from circuits.edwards import BASE8, GENERATOR, IDENTITY, Point, multiply
from circuits.field import R, square_root
from circuits.montgomery import COEFFICIENT, chord, image, is_on_curve, tangent, third
from tests.support.breaker import failing_constraints

POINTS = [image(multiply(BASE8, factor)) for factor in (1, 2, 3, 12345)]


class SumChip(Chip):
    """Two points, twice the first, and their sum, held."""

    name = "sum"

    class Cols(Columns):
        left: Field[2]
        right: Field[2]
        double_slope: Field
        slope: Field
        double: Field[2]
        total: Field[2]

    def constrain(self, c: Any, b: Builder) -> None:
        for name, found, expected in (
            ("double", doubled(b, "double", c.left, c.double_slope), c.double),
            ("total", added(b, "sum", c.left, c.right, c.slope), c.total),
        ):
            for axis, value, cell in zip("uv", found, expected, strict=True):
                b.assert_eq(f"{name} {axis}", value, cell)
        assert_held(b, "sum", c.left, c.right, c.slope)


SUM = compile_chip(SumChip(), 0, R)


class ImageChip(Chip):
    """A point of the Edwards form and its image."""

    name = "image"

    class Cols(Columns):
        point: Field[2]
        image: Field[2]

    def constrain(self, c: Any, b: Builder) -> None:
        assert_image(b, "it", c.point, c.image)


IMAGE = compile_chip(ImageChip(), 0, R)


def failing(left: Point, right: Point, double_slope: int, slope: int) -> list[str]:
    """What fails when the results are those of the slopes."""
    double, total = third(left, left[0], double_slope), third(left, right[0], slope)
    row = [*left, *right, double_slope % R, slope % R, *double, *total]
    return failing_constraints(SUM, row, (), R)


@pytest.mark.parametrize("left", POINTS)
@pytest.mark.parametrize("right", POINTS)
def test_the_slopes_of_points_on_the_curve_are_bound(left: Point, right: Point) -> None:
    double_slope, slope = tangent(left), chord(left, right)
    assert failing(left, right, double_slope, slope) == []
    assert failing(left, right, double_slope + 1, slope) == ["double tangent"]
    # For equal points any slope is a chord, and only the held sum knows the tangent.
    unequal = [] if left == right else ["sum chord"]
    assert failing(left, right, double_slope, slope + 1) == [*unequal, "sum on one curve"]


def test_results_are_bound() -> None:
    left, right = POINTS[:2]
    double_slope, slope = tangent(left), chord(left, right)
    row = [*left, *right, double_slope, slope]
    row += [*third(left, left[0], double_slope), *third(left, right[0], slope)]
    for place, name in enumerate(("double u", "double v", "total u", "total v"), start=6):
        wrong = [*row[:place], (row[place] + 1) % R, *row[place + 1 :]]
        assert failing_constraints(SUM, wrong, (), R) == [name]


def test_opposite_points_have_no_slope(rng: random.Random) -> None:
    u, v = POINTS[0]
    for slope in (0, 1, tangent(POINTS[0]), rng.randrange(R)):
        assert "sum chord" in failing((u, v), (u, R - v), tangent((u, v)), slope)


def test_the_point_of_order_two_has_no_tangent(rng: random.Random) -> None:
    for slope in (0, 1, rng.randrange(R)):
        assert "double tangent" in failing((0, 0), POINTS[0], slope, chord((0, 0), POINTS[0]))


def test_a_held_sum_is_of_points_on_one_curve(rng: random.Random) -> None:
    """Off the curve with off the curve passes, if it is the same one; on with off never."""
    off = (rng.randrange(R), rng.randrange(R))
    twice = third(off, off[0], tangent(off))
    assert not is_on_curve(off)
    assert failing(off, twice, tangent(off), chord(off, twice)) == []
    mixed = failing(off, POINTS[0], tangent(off), chord(off, POINTS[0]))
    assert mixed == ["sum on one curve"]


def test_a_wrong_slope_of_equal_points_leads_off_the_curve_or_to_the_mirror_image() -> None:
    """Why no sum of points that may be equal goes without being held."""
    point = next(each for each in POINTS if mirror_slopes(each))
    u, v = point
    for slope in range(100):
        assert not is_on_curve(third(point, u, slope))
    assert is_on_curve(third(point, u, tangent(point)))
    for slope in mirror_slopes(point):
        assert slope != tangent(point)
        assert third(point, u, slope) == (u, R - v)
        assert failing(point, point, tangent(point), slope) == ["sum on one curve"]


def mirror_slopes(point: Point) -> tuple[int, ...]:
    """The slopes with which a point and itself lead to its mirror image."""
    root = square_root((COEFFICIENT + 3 * point[0]) % R)
    return () if root is None else (root, R - root)


def test_an_image_and_its_point_fix_each_other() -> None:
    for point in (BASE8, GENERATOR):
        row = [*point, *image(point)]
        assert failing_constraints(IMAGE, row, (), R) == []
        for place in range(4):
            wrong = [*row[:place], (row[place] + 1) % R, *row[place + 1 :]]
            assert failing_constraints(IMAGE, wrong, (), R) != []


def test_the_identity_has_no_image(rng: random.Random) -> None:
    for found in ((0, 0), POINTS[0], (rng.randrange(R), rng.randrange(R))):
        assert "it u" in failing_constraints(IMAGE, [*IDENTITY, *found], (), R)


def test_the_point_of_order_two_is_the_image_of_many() -> None:
    """Why a caller must keep it out: (x, -1) is a point for x = 0 alone."""
    for x in (0, 1, COEFFICIENT):
        assert failing_constraints(IMAGE, [x, R - 1, 0, 0], (), R) == []
