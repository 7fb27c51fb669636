import random

import pytest

from circuits.edwards import BASE8, GENERATOR, IDENTITY, Point, add, multiply, negate
from circuits.errors import CurveError, FieldError
from circuits.field import R
from circuits.montgomery import COEFFICIENT, chord, image, is_on_curve, tangent, third

ORDER_TWO = (0, R - 1)
POINTS = [GENERATOR, BASE8, multiply(BASE8, 12345), multiply(GENERATOR, 99)]


def total(left: Point, right: Point) -> Point:
    return third(left, right[0], chord(left, right))


def test_the_form_is_that_of_the_standard() -> None:
    """EIP-2494 names the coefficient and the image of its generator."""
    assert COEFFICIENT == 168698
    assert image(GENERATOR) == (
        7,
        4258727773875940690362607550498304598101071202821725296872974770776423442226,
    )


def test_images_are_on_the_curve() -> None:
    assert all(is_on_curve(image(point)) for point in POINTS)
    u, v = image(BASE8)
    assert not is_on_curve((u, v + 1))
    assert not is_on_curve((u + R, v))
    assert not is_on_curve((u, -v))
    assert is_on_curve((u, R - v))


@pytest.mark.parametrize("left", POINTS)
@pytest.mark.parametrize("right", POINTS)
def test_sums_of_images_are_images_of_sums(left: Point, right: Point) -> None:
    assert total(image(left), image(right)) == image(add(left, right))


def test_the_identity_and_the_point_of_order_two_have_no_image() -> None:
    for point in (IDENTITY, ORDER_TWO):
        with pytest.raises(CurveError, match="x other than 0"):
            image(point)


def test_opposite_points_have_no_chord() -> None:
    with pytest.raises(FieldError):
        chord(image(BASE8), image(negate(BASE8)))
    with pytest.raises(FieldError):
        tangent((0, 0))


def test_off_the_curve_a_point_stays_off_it(rng: random.Random) -> None:
    """The two facts that `circuits.chips.slopes` builds on."""
    for _ in range(10):
        point = (rng.randrange(R), rng.randrange(R))
        assert not is_on_curve(point)
        assert not is_on_curve(third(point, point[0], tangent(point)))
        assert not is_on_curve(total(point, image(BASE8)))


def test_only_the_mirrored_summand_leads_back_to_the_curve(rng: random.Random) -> None:
    u, v = image(BASE8)
    slope = rng.randrange(R)
    # The point from which this slope and BASE8 lead to -BASE8.
    before_u = (slope * slope - COEFFICIENT - 2 * u) % R
    before = (before_u, (slope * (before_u - u) + v) % R)
    assert not is_on_curve(before)
    assert total(before, (u, v)) == (u, R - v)
