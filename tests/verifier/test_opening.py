"""The opening against a prover written from the formulas, over a setup whose secret is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.field import R
from tests.support.curve import multiply
from tests.support.known_tau import check_with
from tests.support.toy_system import TAU, toy_key, toy_shape
from verifier import opening
from verifier.errors import DegenerateChallenge, OpeningMismatch
from verifier.opening import check_opening, positive_values
from verifier.transcript import INFINITY, Point

GENERATOR: Point = (1, 2)
TAU_G2 = toy_key(toy_shape()).setup.tau_g2
Polynomial = Sequence[int]


def value_at(polynomial: Polynomial, x: int) -> int:
    return sum(c * pow(x, power, R) for power, c in enumerate(polynomial)) % R


def commit(polynomial: Polynomial) -> Point:
    log = value_at(polynomial, TAU)
    return multiply(GENERATOR, log) if log else INFINITY


def extension(table: Polynomial, point: Sequence[int]) -> int:
    """The multilinear extension, by folding low variables first."""
    for rho in point:
        table = fold(table, rho)
    return table[0]


def fold(table: Polynomial, rho: int) -> list[int]:
    return [((1 - rho) * table[j] + rho * table[j + 1]) % R for j in range(0, len(table), 2)]


@dataclass(frozen=True)
class Opening:
    """Arguments of check_opening, in its order."""

    commitments: tuple[Point, ...]
    weights: tuple[int, ...]
    claim: int
    rho: tuple[int, ...]
    folds: tuple[Point, ...]
    r: int
    negated: tuple[int, ...]
    nu: int
    quotient: Point
    z: int
    witness: Point

    def check(self) -> None:
        check_opening(
            TAU_G2, self.commitments, self.weights, self.claim, self.rho, self.folds, self.r,
            self.negated, self.nu, self.quotient, self.z, self.witness,
        )  # fmt: skip


def open_honestly(m: int, chunks: int, seed: int, *, long: bool = False) -> Opening:
    """Commit to random chunks and open their sum at random challenges.

    The witness commitment is the logarithm's quotient by tau - z: with the secret known there is
    no polynomial division to get wrong.
    """
    rng = Random(seed)

    def draw() -> int:
        return rng.randrange(R)

    length = 1 << m
    tables = [[draw() for _ in range(length)] for _ in range(chunks)]
    weights, rho, r, nu, z = (
        [draw() for _ in range(chunks)], [draw() for _ in range(m)], draw(), draw(), draw()
    )  # fmt: skip
    combined = [
        sum(w * table[j] for w, table in zip(weights, tables, strict=True)) % R
        for j in range(length)
    ]
    folds = [combined]
    for each in rho[:-1]:
        folds.append(fold(folds[-1], each))
    roots = [pow(r, 1 << i, R) for i in range(m)]
    quotient = scaled = 0
    for i, (table, root) in enumerate(zip(folds, roots, strict=True)):
        for side, x in enumerate((root, -root)):
            weight = pow(nu, 2 * i + side, R)
            difference = value_at(table, TAU) - value_at(table, x)
            quotient += weight * difference * pow(TAU - x, -1, R)
            scaled += weight * difference * pow(z - x, -1, R)
    witness = (quotient - scaled) * pow(TAU - z, -1, R) % R
    return Opening(
        tuple(commit(table) for table in tables), tuple(weights), extension(combined, rho),
        tuple(rho), tuple(commit(table) for table in folds[1:]), r,
        tuple(value_at(table, -root) for table, root in zip(folds, roots, strict=True)),
        nu, multiply(GENERATOR, quotient % R), z, multiply(GENERATOR, witness),
    )  # fmt: skip


HONEST = open_honestly(3, 2, 1)


@pytest.mark.parametrize(("m", "chunks"), [(1, 1), (2, 3), (4, 2)])
def test_an_honest_opening_is_accepted(m: int, chunks: int) -> None:
    open_honestly(m, chunks, 5).check()


@pytest.fixture
def known_tau(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "pairing_check", check_with(TAU))


@settings(max_examples=20)
@given(m=st.integers(1, 5), chunks=st.integers(1, 3), seed=st.integers(0, 2**32))
def test_any_honest_opening_is_accepted(m: int, chunks: int, seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "pairing_check", check_with(TAU))
        open_honestly(m, chunks, seed).check()


SCALARS = ["claim", "r", "nu", "z"]
POINTS = ["quotient", "witness"]
LISTS = ["weights", "rho", "negated", "commitments", "folds"]


def moved(value: int | Point) -> int | Point:
    if isinstance(value, int):
        return (value + 1) % R
    return GENERATOR if value != GENERATOR else INFINITY


@pytest.mark.parametrize("name", [*SCALARS, *POINTS])
@pytest.mark.usefixtures("known_tau")
def test_every_input_counts(name: str) -> None:
    HONEST.check()
    with pytest.raises(OpeningMismatch, match=r"^OpeningMismatch: pairing: expected 1, got 0$"):
        replace(HONEST, **{name: moved(getattr(HONEST, name))}).check()


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.usefixtures("known_tau")
def test_every_item_of_every_list_counts(name: str) -> None:
    items = getattr(HONEST, name)
    for number in range(len(items)):
        changed = (*items[:number], moved(items[number]), *items[number + 1 :])
        with pytest.raises(OpeningMismatch):
            replace(HONEST, **{name: changed}).check()
    if len(set(items)) > 1:
        with pytest.raises(OpeningMismatch):
            replace(HONEST, **{name: (items[1], items[0], *items[2:])}).check()


@pytest.mark.parametrize(
    "change",
    [
        {"z": HONEST.r},
        {"z": R - HONEST.r},
        {"z": pow(HONEST.r, 4, R)},
        {"z": -pow(HONEST.r, 2, R) % R},
        {"r": 0, "z": 0},
        # r (1 - rho) + rho = 0 for rho = r / (r - 1)
        {"rho": (HONEST.r * pow(HONEST.r - 1, -1, R) % R, *HONEST.rho[1:])},
    ],
    ids=["z = r", "z = -r", "z = r^4", "z = -r^2", "zero", "fold"],
)
def test_a_vanishing_denominator_is_refused(change: dict[str, int]) -> None:
    with pytest.raises(DegenerateChallenge) as caught:
        replace(HONEST, **change).check()
    message = "DegenerateChallenge: opening: expected non-zero denominators, got 0"
    assert str(caught.value) == message


@given(seed=st.integers(0, 2**32), m=st.integers(1, 5))
def test_positive_values_are_those_of_the_folds(seed: int, m: int) -> None:
    rng = Random(seed)
    table = [rng.randrange(R) for _ in range(1 << m)]
    rho = [rng.randrange(R) for _ in range(m)]
    r = rng.randrange(1, R)
    roots = [pow(r, 1 << i, R) for i in range(m)]
    folds = [table]
    for each in rho:
        folds.append(fold(folds[-1], each))
    inverses = [pow(root * (1 - p) + p, -1, R) for root, p in zip(roots, rho, strict=True)]
    negated = [value_at(f, -root) for f, root in zip(folds, roots, strict=False)]
    expected = [value_at(f, root) for f, root in zip(folds, roots, strict=False)]
    assert positive_values(folds[-1][0], rho, roots, negated, inverses) == expected
