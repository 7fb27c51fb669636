"""BabyJubJub: published vectors, the group laws, torsion points and the packed form."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits import edwards
from circuits.edwards import (
    BASE8,
    COFACTOR,
    EXTENDED_IDENTITY,
    GENERATOR,
    IDENTITY,
    SUBGROUP_ORDER,
    Point,
    add,
    clear_cofactor,
    extended_add,
    extended_double,
    extended_equal,
    extended_multiply,
    is_in_subgroup,
    is_on_curve,
    multiply,
    multiply_base8,
    negate,
    pack_point,
    times_cofactor,
    to_affine,
    to_affine_batch,
    to_extended,
    unpack_point,
)
from circuits.errors import CurveError
from circuits.field import R, inverse, is_square

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "babyjubjub.json").read_text(encoding="ascii")
)
EIP_2494 = VECTORS["eip_2494"]
CIRCOMLIBJS = VECTORS["circomlibjs"]

ORDER_EIGHT = multiply(GENERATOR, SUBGROUP_ORDER)
TORSION = [multiply(ORDER_EIGHT, multiple) for multiple in range(COFACTOR)]
OFF_CURVE: Point = (1, 1)

scalars = st.integers(0, COFACTOR * SUBGROUP_ORDER)
points = scalars.map(lambda scalar: multiply(GENERATOR, scalar))


def point_of(texts: list[str]) -> Point:
    """A point of a vector file."""
    x, y = map(int, texts)
    return (x, y)


def naive_multiply(point: Point, scalar: int) -> Point:
    """Double-and-add on affine points, one bit at a time."""
    total = IDENTITY
    for bit in bin(scalar)[2:]:
        total = add(total, total)
        if bit == "1":
            total = add(total, point)
    return total


def order_of(point: Point) -> int:
    """The order of a point of the 8-torsion."""
    return next(order for order in (1, 2, 4, 8) if naive_multiply(point, order) == IDENTITY)


def test_parameters_are_those_of_eip_2494() -> None:
    assert int(EIP_2494["a"]) == edwards.A
    assert int(EIP_2494["d"]) == edwards.D
    assert int(EIP_2494["subgroup_order"]) == SUBGROUP_ORDER
    assert int(EIP_2494["cofactor"]) == COFACTOR
    assert int(EIP_2494["order"]) == COFACTOR * SUBGROUP_ORDER
    assert point_of(EIP_2494["generator"]) == GENERATOR
    assert point_of(EIP_2494["base"]) == BASE8


def test_generator_generates_the_whole_curve() -> None:
    assert is_on_curve(GENERATOR)
    assert multiply(GENERATOR, COFACTOR * SUBGROUP_ORDER) == IDENTITY
    assert multiply(GENERATOR, 4 * SUBGROUP_ORDER) != IDENTITY
    assert multiply(GENERATOR, COFACTOR) == times_cofactor(GENERATOR) == BASE8
    assert is_in_subgroup(BASE8)
    assert not is_in_subgroup(GENERATOR)


def test_addition_is_complete_because_a_is_square_and_d_is_not() -> None:
    assert is_square(edwards.A)
    assert not is_square(edwards.D)


@pytest.mark.parametrize("name", ["generator", "base"])
def test_montgomery_and_reduced_forms_of_eip_2494(name: str) -> None:
    """Given EIP-2494's maps, when applied to its other forms, then they give our points."""
    x, y = point_of(EIP_2494[name])
    u, v = point_of(EIP_2494[f"montgomery_{name}"])
    assert (u * inverse(v) % R, (u - 1) * inverse(u + 1) % R) == (x, y)
    scaling = int(EIP_2494["reduced_scaling"])
    assert (x * scaling % R, y) == point_of(EIP_2494[f"reduced_{name}"])


@pytest.mark.parametrize("case", CIRCOMLIBJS["additions"])
def test_published_additions(case: dict[str, list[str]]) -> None:
    left, right = point_of(case["left"]), point_of(case["right"])
    assert add(left, right) == point_of(case["sum"])
    assert to_affine(extended_add(to_extended(left), to_extended(right))) == point_of(case["sum"])


@pytest.mark.parametrize("case", CIRCOMLIBJS["multiples"])
def test_published_multiples(case: dict[str, Any]) -> None:
    point = point_of(case["point"])
    assert multiply(point, int(case["scalar"])) == point_of(case["product"])
    assert is_in_subgroup(point)


@pytest.mark.parametrize("case", CIRCOMLIBJS["packed"])
def test_published_packed_points(case: dict[str, Any]) -> None:
    point = point_of(case["point"])
    assert pack_point(point).hex() == case["bytes"]
    assert unpack_point(bytes.fromhex(case["bytes"])) == point


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        (IDENTITY, True),
        (GENERATOR, True),
        (OFF_CURVE, False),
        ((0, 0), False),
        ((GENERATOR[0] + R, GENERATOR[1]), False),
        ((GENERATOR[0], GENERATOR[1] + R), False),
        ((-GENERATOR[0], GENERATOR[1]), False),
    ],
)
def test_on_curve_means_canonical_coordinates_too(point: Point, expected: bool) -> None:
    assert is_on_curve(point) is expected


@given(points, points)
@settings(max_examples=25)
def test_extended_addition_equals_the_affine_law(left: Point, right: Point) -> None:
    expected = add(left, right)
    assert to_affine(extended_add(to_extended(left), to_extended(right))) == expected
    assert add(right, left) == expected
    assert is_on_curve(expected)


@given(points)
@settings(max_examples=25)
def test_identity_inverse_and_doubling(point: Point) -> None:
    assert add(point, IDENTITY) == point
    assert add(point, negate(point)) == IDENTITY
    assert to_affine(extended_double(to_extended(point))) == add(point, point)
    assert extended_add(to_extended(point), EXTENDED_IDENTITY)[2] != 0


@given(points, st.integers(0, 2**256))
@settings(max_examples=10)
def test_windowed_multiple_equals_double_and_add(point: Point, scalar: int) -> None:
    assert multiply(point, scalar) == naive_multiply(point, scalar)


@pytest.mark.parametrize("scalar", [0, 1, 15, 16, SUBGROUP_ORDER - 1, SUBGROUP_ORDER, 2**251 - 1])
def test_base_table_at_the_edges(scalar: int) -> None:
    assert multiply_base8(scalar) == multiply(BASE8, scalar)


@given(st.integers(0, 2**256))
@settings(max_examples=25)
def test_base_table_equals_the_general_multiple(scalar: int) -> None:
    assert multiply_base8(scalar) == multiply(BASE8, scalar)


def test_negative_scalar_is_refused() -> None:
    with pytest.raises(CurveError) as caught:
        multiply(BASE8, -1)
    assert str(caught.value) == "scalar: expected a number not below zero, got -1"


@given(st.lists(scalars, max_size=6))
@settings(max_examples=15)
def test_batch_to_affine_equals_single(multiples: list[int]) -> None:
    extended = [extended_multiply(GENERATOR, scalar) for scalar in multiples]
    assert to_affine_batch(extended) == [to_affine(point) for point in extended]


def test_extended_equality_ignores_the_scale() -> None:
    x, y, z, t = extended_multiply(GENERATOR, 5)
    assert extended_equal((x, y, z, t), (3 * x % R, 3 * y % R, 3 * z % R, 3 * t % R))
    assert not extended_equal((x, y, z, t), extended_multiply(GENERATOR, 6))
    assert not extended_equal((x, y, z, t), (-x % R, y, z, -t % R))
    assert not extended_equal((x, y, z, t), (x, -y % R, z, -t % R))


def test_torsion_has_eight_points_of_the_known_orders() -> None:
    assert len(set(TORSION)) == COFACTOR
    assert [order_of(point) for point in TORSION] == [1, 8, 4, 8, 2, 8, 4, 8]
    assert TORSION[4] == (0, R - 1)


@pytest.mark.parametrize("multiple", range(COFACTOR))
def test_small_order_keys_are_refused_at_registration(multiple: int) -> None:
    assert is_on_curve(TORSION[multiple])
    assert clear_cofactor(TORSION[multiple]) is None


@pytest.mark.parametrize(
    "point",
    [
        OFF_CURVE,
        (0, 0),
        (BASE8[0] + R, BASE8[1]),
        (BASE8[0], BASE8[1] + R),
        (BASE8[0], BASE8[1] ^ 1),
        (-1, 0),
    ],
)
def test_off_curve_and_non_canonical_keys_are_refused_at_registration(point: Point) -> None:
    assert clear_cofactor(point) is None


@given(st.integers(1, SUBGROUP_ORDER - 1), st.integers(0, COFACTOR - 1))
@settings(max_examples=25)
def test_cleared_key_is_in_the_subgroup_and_forgets_torsion(scalar: int, multiple: int) -> None:
    """Given a key plus any small-order point, then the account key is that of the key alone."""
    key = add(multiply_base8(scalar), TORSION[multiple])
    cleared = clear_cofactor(key)
    assert cleared == multiply_base8(COFACTOR * scalar)
    assert cleared is not None
    assert is_in_subgroup(cleared)
    assert cleared[0] != 0


@given(points)
@settings(max_examples=25)
def test_packing_round_trip(point: Point) -> None:
    assert unpack_point(pack_point(point)) == point


@pytest.mark.parametrize("point", TORSION)
def test_packing_round_trip_of_small_orders(point: Point) -> None:
    assert unpack_point(pack_point(point)) == point


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (bytes(31), "packed point: expected 32 bytes, got 31 bytes"),
        (
            R.to_bytes(32, "little"),
            f"packed point y: expected a field element below r, got {R}",
        ),
        (
            (2).to_bytes(32, "little"),
            "packed point y: expected the y of a point on BabyJubJub, got 2",
        ),
        (
            bytes([1]) + bytes(30) + b"\x80",
            "packed point sign: expected a clear sign bit for x = 0, got a set bit",
        ),
    ],
)
def test_bad_packed_points_are_named(packed: bytes, message: str) -> None:
    with pytest.raises(CurveError) as caught:
        unpack_point(packed)
    assert str(caught.value) == message


def test_packing_refuses_a_point_off_the_curve() -> None:
    with pytest.raises(CurveError) as caught:
        pack_point(OFF_CURVE)
    assert str(caught.value) == "point: expected a point on BabyJubJub, got (1, 1)"
