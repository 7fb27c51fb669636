"""Whole input spaces over small fields: nothing is sampled here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import pytest

from circuits.air.builder import CHALLENGE_COUNT, Builder
from circuits.air.bus import ARITY_MAX, Bus
from circuits.air.check import check_buses, check_chip
from circuits.air.chip import CompiledChip, System, compile_chip
from circuits.air.columns import Bit, Field
from circuits.air.expr import Op, public
from circuits.air.tape import evaluate_tape
from tests.support.chips import make_chip
from tests.support.expressions import value_of
from verifier.sumcheck import activity, equality, next_claim, powers_at, row_number

P = 97
NO_CHALLENGES = (0,) * CHALLENGE_COUNT


def nonlinear(c: Any, b: Builder) -> None:
    b.assert_zero("curve", c.y * c.y - c.x * c.x * c.x - 3 * c.x - 200)
    b.assert_zero("folded", (c.x - public(0)) * (c.y - 1) * c.x * public(0))
    b.assert_eq("mixed", c.x * 98 + c.y * -1, c.x * c.y)


NONLINEAR = compile_chip(make_chip("nonlinear", {"x": Field, "y": Field}, nonlinear), 1, P)


@pytest.mark.parametrize("word", [0, 1, 96])
def test_a_tape_is_its_constraints_on_every_row(word: int) -> None:
    """Given all 97^2 rows, tape, expression and debugger agree on every constraint."""
    failing = {
        (each.constraint, each.cells): each.value
        for each in check_chip(
            NONLINEAR, list(zip(*product(range(P), repeat=2), strict=True)), [word], P
        )
    }
    for x, y in product(range(P), repeat=2):
        inputs = {(Op.COLUMN, 0): x, (Op.COLUMN, 1): y, (Op.PUBLIC, 0): word}
        expected = [value_of(each.expr, inputs) % P for each in NONLINEAR.constraints]
        assert evaluate_tape(NONLINEAR.tape, [x, y], 0, 1, NO_CHALLENGES, [word], P) == expected
        cells = (("x", x), ("y", y))
        found = [failing.get((each.name, cells), 0) for each in NONLINEAR.constraints]
        assert found == expected


def test_a_bit_is_zero_or_one() -> None:
    chip = compile_chip(make_chip("bit", {"x": Bit}), 0, P)
    good = [x for x in range(P) if evaluate_tape(chip.tape, [x], 0, 1, NO_CHALLENGES, [], P) == [0]]
    assert good == [0, 1]


def rounds_agree(modulus: int, degree: int) -> None:
    """Every claim, message and challenge: next_claim is the one polynomial that fits both."""
    for message in product(range(modulus), repeat=degree):
        constant, *higher = message
        for linear in range(modulus):
            values = [
                constant + linear * x + sum(c * x**k for k, c in enumerate(higher, 2))
                for x in range(modulus)
            ]
            claim = (values[0] + values[1]) % modulus
            for challenge in range(modulus):
                found = next_claim(message, claim, challenge, modulus)
                assert found == values[challenge] % modulus


@pytest.mark.parametrize(("modulus", "degree"), [(97, 1), (19, 2), (11, 3), (5, 4), (3, 6)])
def test_rounds_interpolate(modulus: int, degree: int) -> None:
    """Linear coefficient and claim determine each other, so all claims are met."""
    rounds_agree(modulus, degree)


def extension(function: Callable[[int], int], point: Sequence[int], modulus: int) -> int:
    total = 0
    for x in range(1 << len(point)):
        weight = 1
        for bit, r in enumerate(point):
            weight *= r if x >> bit & 1 else 1 - r
        total += weight * function(x)
    return total % modulus


SPACES = [(97, 0), (97, 1), (97, 2), (11, 3), (5, 4)]


@pytest.mark.parametrize(("modulus", "variables"), SPACES)
def test_activity_on_all_points_and_heights(modulus: int, variables: int) -> None:
    for height in range((1 << variables) + 1):
        for point in product(range(modulus), repeat=variables):
            expected = extension(lambda x, h=height: int(x < h), point, modulus)
            assert activity(height, point, modulus) == expected


@pytest.mark.parametrize(("modulus", "variables"), SPACES)
def test_row_number_on_all_points(modulus: int, variables: int) -> None:
    for point in product(range(modulus), repeat=variables):
        assert row_number(point, modulus) == extension(lambda x: x, point, modulus)


@pytest.mark.parametrize(("modulus", "variables"), [(97, 1), (13, 2), (5, 3)])
def test_powers_on_all_bases_and_points(modulus: int, variables: int) -> None:
    for base in range(modulus):
        powers = [base**x for x in range(1 << variables)]
        for point in product(range(modulus), repeat=variables):
            expected = extension(powers.__getitem__, point, modulus)
            assert powers_at(base, point, modulus) == expected


@pytest.mark.parametrize(("modulus", "variables"), [(97, 1), (11, 2), (3, 3)])
def test_equality_on_all_pairs_of_points(modulus: int, variables: int) -> None:
    """Given both points anywhere, it extends the indicator in each of them."""
    for left in product(range(modulus), repeat=variables):
        weights = [
            extension(lambda x, r=row: int(x == r), left, modulus) for row in range(1 << variables)
        ]
        for right in product(range(modulus), repeat=variables):
            expected = extension(weights.__getitem__, right, modulus)
            assert equality(left, right, modulus) == expected


CHANNEL = Bus("channel", 2, 1)
TABLE = Bus("table", 3, 1, is_table=True)


def pair(c: Any, b: Builder) -> None:
    b.send(CHANNEL, c.sent, times=c.flag)
    b.provide(TABLE, c.taken, times=c.count)


PAIR_COLUMNS = {"flag": Field, "sent": Field, "taken": Field, "count": Field}


def pair_chip() -> CompiledChip:
    declared = PAIR_COLUMNS | {"flag": Bit}
    chip = compile_chip(make_chip("pair", declared, pair), 0, P)
    assert chip.helper_count == 1
    return chip


def challenges_for(alpha: int, beta: int) -> list[int]:
    return [alpha, *(pow(beta, power, P) for power in range(1, ARITY_MAX + 2))]


@pytest.mark.parametrize("active", [0, 1])
@pytest.mark.parametrize("count", [0, 1, 5])
@pytest.mark.parametrize("flag", [0, 1])
def test_a_helper_is_the_sum_of_fractions(active: int, count: int, flag: int) -> None:
    """Given all pairs of denominators, the constraint is zero for that helper value alone.

    It is linear in the helper, so its values at 0, 1 and 2 tell its root.
    """
    chip, beta = pair_chip(), 5
    challenges = challenges_for(11, beta)
    offsets = [11 + pow(beta, 9, P) * bus.number for bus in (CHANNEL, TABLE)]
    for sent, taken in product(range(P), repeat=2):
        first, second = (
            (offset + beta * value) % P
            for offset, value in zip(offsets, (sent, taken), strict=True)
        )
        at = [
            evaluate_tape(chip.tape, [flag, sent, taken, count, h], 0, active, challenges, [], P)[
                -1
            ]
            for h in range(3)
        ]
        slope = (at[1] - at[0]) % P
        assert (at[2] - at[1]) % P == slope == first * second % P
        if slope:
            fractions = flag * pow(first, -1, P) - count * pow(second, -1, P)
            assert -at[0] * pow(slope, -1, P) % P == active * fractions % P
        else:
            # A denominator that vanishes leaves the helper free exactly when nothing is counted
            # there; alpha is drawn after all tuples, so this has no chance in the real field.
            assert at[0] == -active * (flag * second - count * first) % P


def fraction_sum(values: Sequence[int], alpha: int) -> int:
    return sum(pow(alpha + value, -1, P) for value in values) % P


def test_buses_cancel_exactly_when_the_fractions_do() -> None:
    """Given all two-row senders and receivers of small values and every alpha off the poles."""

    def one_side(send: bool) -> Callable[[Any, Builder], None]:
        return lambda c, b: b.send(CHANNEL, c.x) if send else b.receive(CHANNEL, c.x)

    chips = tuple(
        compile_chip(make_chip(name, {"x": Field}, one_side(send)), 0, P)
        for name, send in (("sender", True), ("receiver", False))
    )
    system = System(chips, (), "sender", (), P)
    heights = {"sender": 2, "receiver": 2}
    for sent in product(range(4), repeat=2):
        for received in product(range(4), repeat=2):
            tables = {"sender": [list(sent)], "receiver": [list(received)]}
            is_balanced = check_buses(system, tables, heights, []) == []
            assert is_balanced is (sorted(sent) == sorted(received))
            matches = [
                fraction_sum(sent, alpha) == fraction_sum(received, alpha)
                for alpha in range(1, P - 4)
            ]
            # Unequal sums of four fractions agree at three points at most.
            assert all(matches) if is_balanced else sum(matches) <= 3
