"""The builder: names, degrees, multiplicities, range rules and LogUp helper constraints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.air.builder import (
    CHALLENGE_COUNT,
    DEGREE_MAX,
    RANGE16,
    Builder,
    ChipError,
    fingerprint,
    group_interactions,
)
from circuits.air.bus import ARITY_MAX, Bus, Interaction
from circuits.air.chip import compile_chip
from circuits.air.columns import U8, U16, U64, Bit, Field, Given
from circuits.air.expr import ACTIVE, ROW, challenge, column, constant, public
from circuits.air.tape import evaluate_tape
from circuits.field import R
from tests.support.chips import make_chip

CHANNEL = Bus("channel", 2, 2)
TABLE = Bus("table", 3, 1, is_table=True)
COLUMNS = {"flag": Bit, "byte": U8, "other": Bit, "free": Field, "given": Given[U8], "wide": U64}


def compiled(constrain: Callable[[Any, Builder], None]) -> Any:
    return compile_chip(make_chip("toy", COLUMNS, constrain), 1, R)


def refusal(constrain: Callable[[Any, Builder], None]) -> str:
    with pytest.raises(ChipError) as caught:
        compiled(constrain)
    return str(caught.value)


def test_constraints_keep_their_order_behind_the_range_rules() -> None:
    def constrain(c: Any, b: Builder) -> None:
        b.assert_zero("free square", c.free * c.free - c.free)
        b.assert_eq("same", c.free, c.given)

    chip = compiled(constrain)
    assert [each.name for each in chip.main_constraints] == [
        "flag is a bit", "other is a bit", "free square", "same",
    ]  # fmt: skip
    assert [each.name for each in chip.constraints[-chip.helper_count :]] == [
        "logup[0]: range16#0, range16#1, range16#2, range16#3, range16#4",
        "logup[1]: range16#5",
    ]


@pytest.mark.parametrize("name", ["flag is a bit", "twice"])
def test_a_name_is_given_once(name: str) -> None:
    def constrain(c: Any, b: Builder) -> None:
        b.assert_zero("twice", c.free)
        b.assert_zero(name, c.given)

    assert refusal(constrain) == f"toy/{name}: expected a new name, got a repeated one"


def test_the_degree_is_limited() -> None:
    def constrain(degree: int) -> Callable[[Any, Builder], None]:
        def body(c: Any, b: Builder) -> None:
            power = constant(1)
            for _ in range(degree):
                power = power * c.free
            b.assert_zero("power", power)

        return body

    assert compiled(constrain(DEGREE_MAX)).degree == DEGREE_MAX
    assert refusal(constrain(7)) == "toy/power: expected degree at most 6, got 7"


@pytest.mark.parametrize(
    ("times", "bounds"),
    [
        (lambda c: c.free, "None"),
        (lambda c: c.given, "None"),
        (lambda c: c.flag * c.free, "None"),
        (lambda c: ROW, "None"),
        (lambda c: ACTIVE, "None"),
        (lambda c: public(0), "None"),
        (lambda c: challenge(0), "None"),
        (lambda c: c.flag - c.other, "(-1, 1)"),
        (lambda c: c.flag - 1, "(-1, 0)"),
        (lambda c: constant(-1), "(-1, -1)"),
        (lambda c: c.flag * -1, "(-1, 0)"),
        (lambda c: c.flag * (c.byte - c.other), "(-1, 255)"),
    ],
)
@pytest.mark.parametrize("kind", ["send", "receive", "lookup"])
def test_a_multiplicity_that_may_be_negative_or_anything_is_refused(
    times: Callable[[Any], Any], bounds: str, kind: str
) -> None:
    def constrain(c: Any, b: Builder) -> None:
        if kind == "lookup":
            b.lookup(TABLE, c.free, times=times(c))
        else:
            getattr(b, kind)(CHANNEL, c.free, 1, times=times(c))

    symbolic = make_chip("toy", COLUMNS).Cols.symbolic()
    bus = "table" if kind == "lookup" else "channel"
    assert refusal(constrain) == (
        f"toy: multiplicity on bus {bus}: expected an expression of ranged columns that is never "
        f"negative, got {times(symbolic)!r} with bounds {bounds}"
    )


@pytest.mark.parametrize(
    ("times", "bound"),
    [
        (lambda c: 1, 1),
        (lambda c: 0, 0),
        (lambda c: c.flag, 1),
        (lambda c: 1 - c.flag, 1),
        (lambda c: c.flag * c.other, 1),
        (lambda c: c.flag * 2 + c.other, 3),
        (lambda c: c.byte + c.flag, 256),
        (lambda c: c.wide, 2**64 - 1),
    ],
)
def test_a_multiplicity_gets_its_largest_value(times: Callable[[Any], Any], bound: int) -> None:
    chip = compiled(lambda c, b: b.send(CHANNEL, c.free, 1, times=times(c)))
    assert chip.interactions[-1].bound == bound


def test_only_a_provider_counts_freely() -> None:
    chip = compiled(lambda c, b: b.provide(TABLE, ROW, times=c.free))
    assert (chip.interactions[-1].bound, chip.interactions[-1].sign) == (None, -1)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda c, b: b.send(TABLE, c.free), "toy: expected a channel, got bus table"),
        (lambda c, b: b.receive(TABLE, c.free), "toy: expected a channel, got bus table"),
        (lambda c, b: b.lookup(CHANNEL, c.free, 1), "toy: expected a table, got bus channel"),
        (
            lambda c, b: b.provide(CHANNEL, c.free, 1, times=1),
            "toy: expected a table, got bus channel",
        ),
        (lambda c, b: b.send(CHANNEL, c.free), "toy: bus channel: expected 2 values, got 1"),
        (lambda c, b: b.lookup(TABLE, 1, 2), "toy: bus table: expected 1 values, got 2"),
    ],
)
def test_a_bus_is_used_as_it_is_declared(use: Callable[[Any, Builder], None], message: str) -> None:
    assert refusal(use) == message


@pytest.mark.parametrize(
    ("value", "degree"),
    [(lambda c: c.free * c.free * c.free * c.free * c.free * c.free, 7), (lambda c: c.free, 8)],
)
def test_an_interaction_too_high_for_any_helper_is_refused(
    value: Callable[[Any], Any], degree: int
) -> None:
    def constrain(c: Any, b: Builder) -> None:
        times = constant(1)
        for _ in range(degree - 1):
            times = times * c.flag
        b.lookup(TABLE, value(c), times=times if degree == 8 else 1)

    assert refusal(constrain) == (
        f"toy/table#0: expected a helper constraint of degree at most 6, got {degree}"
    )


@pytest.mark.parametrize("leaf", [ROW, ACTIVE])
def test_row_and_activity_stand_in_bus_tuples_only(leaf: Any) -> None:
    def constrain(c: Any, b: Builder) -> None:
        b.assert_zero("counted", c.free * (c.free - leaf))

    assert refusal(constrain) == "toy/counted: the row number may stand in bus tuples only"


def test_a_constraint_may_not_differ_on_the_zero_row_with_the_statement() -> None:
    assert refusal(lambda c, b: b.assert_eq("public", c.free, public(0))) == (
        "toy/public: expected a constant on the zero row, got a value that depends on challenges "
        "or public words"
    )
    chip = compiled(lambda c, b: b.assert_zero("public", c.flag * (c.free - public(0))))
    assert set(chip.zero_values) == {0}


def test_a_byte_is_looked_up_twice_and_a_limb_once() -> None:
    builder = Builder("toy", make_chip("toy", {"a": U8, "b": U16}).Cols.physical)
    assert [(each.bus, each.values, each.bound) for each in builder.interactions] == [
        (RANGE16, (column(0),), 1),
        (RANGE16, (column(0) * 256,), 1),
        (RANGE16, (column(1),), 1),
    ]


def interaction(degree: int, times_degree: int) -> Interaction:
    value, times = constant(0) if degree == 0 else column(0), constant(1)
    for _ in range(degree - 1):
        value = value * column(0)
    for _ in range(times_degree):
        times = times * column(1)
    return Interaction(TABLE, 1, times, (value,), 1, "table#0")


@given(degrees=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=12))
def test_groups_cover_all_interactions_in_order_within_the_degree(
    degrees: list[tuple[int, int]],
) -> None:
    interactions = [interaction(*each) for each in degrees]
    groups = group_interactions(interactions)
    assert [each for group in groups for each in group] == interactions
    for group in groups:
        denominators = [fingerprint(each).degree for each in group]
        helper_degree = 1 + max(
            sum(denominators),
            *(
                each.times.degree + sum(denominators) - own
                for each, own in zip(group, denominators, strict=True)
            ),
        )
        assert helper_degree <= DEGREE_MAX


def test_the_fingerprint_separates_positions_and_buses() -> None:
    """alpha + beta t_0 + beta^2 t_1 + beta^9 bus, whatever the arity is."""
    sent = Interaction(CHANNEL, 1, constant(1), (column(0), column(1)), 1, "channel#0")
    expected = (
        challenge(0) + challenge(ARITY_MAX + 1) * CHANNEL.number
        + challenge(1) * column(0) + challenge(2) * column(1)
    )  # fmt: skip
    assert fingerprint(sent) is expected
    assert CHALLENGE_COUNT == ARITY_MAX + 2


@given(data=st.data())
def test_a_helper_constraint_holds_for_the_sum_of_fractions_alone(data: st.DataObject) -> None:
    def constrain(c: Any, b: Builder) -> None:
        b.send(CHANNEL, c.free, 7, times=c.flag)
        b.receive(CHANNEL, c.given, c.free)
        b.provide(TABLE, c.given, times=c.other)

    declared = {"flag": Bit, "other": Field, "free": Field, "given": Field}
    chip = compile_chip(make_chip("toy", declared, constrain), 0, R)
    element = st.integers(0, R - 1)
    alpha, beta, flag, other, free, given_value = (data.draw(element) for _ in range(6))
    active = data.draw(st.integers(0, 1))
    powers = [alpha, *(pow(beta, power, R) for power in range(1, ARITY_MAX + 2))]
    denominators = [
        alpha + beta * free + beta**2 * 7 + beta**9 * 2,
        alpha + beta * given_value + beta**2 * free + beta**9 * 2,
        alpha + beta * given_value + beta**9 * 3,
    ]
    if any(value % R == 0 for value in denominators):
        return
    signed = [flag, -1, -other]
    helper = active * sum(
        count * pow(value, -1, R) for count, value in zip(signed, denominators, strict=True)
    )
    for wrong in (0, 1):
        row = [flag, other, free, given_value, (helper + wrong) % R]
        *_, value = evaluate_tape(chip.tape, row, 0, active, powers, [], R)
        assert (value == 0) is (wrong == 0)
