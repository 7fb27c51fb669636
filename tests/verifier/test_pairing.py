"""Group operations and the pairing check against py_ecc, and what importing it leaves behind."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc import optimized_bn128 as bn128

from circuits.field import Q, R
from tests.support.curve import multiply
from tests.support.ptau import g2_outside_subgroup
from verifier.pairing import G2Point, is_valid_g2, multi_scalar, pairing_check
from verifier.transcript import INFINITY, Point, is_on_curve

GENERATOR: Point = (1, 2)
LOGS = (1, 2, 3, 5, R - 1, R - 2, 0)
POINTS = [INFINITY if log == 0 else multiply(GENERATOR, log) for log in LOGS]

terms = st.lists(
    st.tuples(
        st.integers(0, len(LOGS) - 1),
        st.one_of(st.integers(0, R - 1), st.sampled_from([0, 1, 2, 15, 16, R - 1, R - 2])),
    ),
    max_size=6,
)


def g2_multiple(scalar: int) -> G2Point:
    point = bn128.normalize(bn128.multiply(bn128.G2, scalar))
    (x0, x1), (y0, y1) = (tuple(int(c) for c in coordinate.coeffs) for coordinate in point)
    return ((x0, x1), (y0, y1))


@settings(max_examples=40)
@given(terms=terms)
def test_a_sum_of_multiples_is_that_of_py_ecc(terms: list[tuple[int, int]]) -> None:
    """Given points with known logarithms, repeated, opposite and infinite among them."""
    found = multi_scalar([POINTS[i] for i, _ in terms], [scalar for _, scalar in terms])
    log = sum(LOGS[i] * scalar for i, scalar in terms) % R
    assert found == (multiply(GENERATOR, log) if log else INFINITY)
    assert is_on_curve(found)


@pytest.mark.parametrize(
    ("points", "scalars", "sum_of"),
    [
        ([], [], 0),
        ([GENERATOR], [0], 0),
        ([INFINITY], [R - 1], 0),
        ([GENERATOR, GENERATOR], [1, R - 1], 0),
        ([GENERATOR, (1, Q - 2)], [7, 7], 0),
        ([GENERATOR, GENERATOR], [8, 8], 16),
        ([GENERATOR] * 3, [R - 1, R - 1, 5], 3),
    ],
)
def test_sums_that_meet_every_case_of_the_addition(
    points: list[Point], scalars: list[int], sum_of: int
) -> None:
    expected = multiply(GENERATOR, sum_of) if sum_of else INFINITY
    assert multi_scalar(points, scalars) == expected


def test_points_and_scalars_come_in_pairs() -> None:
    with pytest.raises(ValueError, match="zip"):
        multi_scalar([GENERATOR], [1, 2])


@pytest.mark.parametrize(
    ("left", "witness", "tau", "holds"),
    [
        (6, 3, 2, True),
        (6, 2, 3, True),
        (6, 3, 3, False),
        (7, 3, 2, False),
        (R - 6, 3, 2, False),
        (0, 0, 5, True),
        (0, 3, 5, False),
        (3, 0, 5, False),
    ],
)
def test_the_pairing_check_compares_logarithms(
    left: int, witness: int, tau: int, holds: bool
) -> None:
    points = [multiply(GENERATOR, log) if log else INFINITY for log in (left, witness)]
    assert pairing_check(points[0], points[1], g2_multiple(tau)) is holds


def outside_subgroup() -> G2Point:
    data = g2_outside_subgroup()
    inverse = pow(2**256, -1, Q)
    x0, x1, y0, y1 = (
        int.from_bytes(data[start : start + 32], "little") * inverse % Q
        for start in range(0, 128, 32)
    )
    return ((x0, x1), (y0, y1))


@pytest.mark.parametrize("scalar", [1, 2, R - 1, 2**200])
def test_multiples_of_the_generator_are_valid(scalar: int) -> None:
    assert is_valid_g2(g2_multiple(scalar))


(X0, X1), (Y0, Y1) = g2_multiple(5)
INVALID: dict[str, G2Point] = {
    "infinity": ((0, 0), (0, 0)),
    "off the twist": ((X0, X1), (Y0, Y1 + 1)),
    "parts exchanged": ((X1, X0), (Y1, Y0)),
    "outside the subgroup": outside_subgroup(),
    "x0 + q": ((X0 + Q, X1), (Y0, Y1)),
    "x1 + q": ((X0, X1 + Q), (Y0, Y1)),
    "y0 + q": ((X0, X1), (Y0 + Q, Y1)),
    "y1 + q": ((X0, X1), (Y0, Y1 + Q)),
    "negative": ((X0 - Q, X1), (Y0, Y1)),
}


@pytest.mark.parametrize("point", INVALID.values(), ids=INVALID)
def test_an_invalid_point_of_g2_is_seen(point: G2Point) -> None:
    assert not is_valid_g2(point)


def test_the_point_outside_the_subgroup_is_on_the_twist() -> None:
    x, y = (bn128.FQ2(list(pair)) for pair in outside_subgroup())
    assert bn128.is_on_curve((x, y, bn128.FQ2.one()), bn128.b2)


@pytest.mark.parametrize(
    "module", ["verifier.pairing", "verifier.srs", "verifier.verify", "prover.srs_tools"]
)
def test_the_recursion_limit_of_the_process_stays(module: str) -> None:
    """Given py_ecc, which lifts it to 100 000, importing it through us leaves it as it was."""
    script = f"import sys; before = sys.getrecursionlimit(); import {module}; "
    script += "print('py_ecc' in sys.modules, sys.getrecursionlimit() == before)"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout == "True True\n"


def test_a_pairing_needs_no_deep_recursion() -> None:
    script = (
        "import sys\n"
        "from verifier.srs import GENERATOR_G2\n"
        "from verifier.pairing import is_valid_g2, pairing_check\n"
        "sys.setrecursionlimit(400)\n"
        "print(is_valid_g2(GENERATOR_G2), pairing_check((1, 2), (1, 2), GENERATOR_G2))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout == "True True\n"
