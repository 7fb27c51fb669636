"""One careless chip for each finding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from circuits.air.builder import RANGE16, Builder
from circuits.air.bus import Bus
from circuits.air.chip import System, compile_chip, compile_system
from circuits.air.columns import U8, U16, U64, Bit, Field, Given
from circuits.air.expr import ROW
from circuits.air.lint import lint, lint_buses, lint_chip
from circuits.field import R
from tests.support.chips import make_chip
from tests.support.counter_chips import counter_system

CHANNEL = Bus("channel", 2, 1)


def findings(
    declared: Mapping[str, Any],
    constrain: Callable[[Any, Builder], None] = lambda c, b: None,
    doc: str = "One row.",
) -> list[str]:
    return lint_chip(compile_chip(make_chip("toy", declared, constrain, doc), 0, R))


def fourth_power(c: Any, b: Builder) -> None:
    b.send(CHANNEL, c.x * c.x * c.x * c.x)


@pytest.mark.parametrize(
    ("declared", "constrain", "finding"),
    [
        ({"x": Field}, lambda c, b: None, "toy: column x is never used"),
        ({"x": Given[U16]}, lambda c, b: None, "toy: column x is never used"),
        ({"x": Bit}, lambda c, b: None,
         "toy: column x is only ranged, nothing ties it to others"),
        ({"x": U16}, lambda c, b: None,
         "toy: column x is only ranged, nothing ties it to others"),
        ({"x": U8}, lambda c, b: None,
         "toy: column x is only ranged, nothing ties it to others"),
        ({"x": Field}, fourth_power,
         "toy: channel#0: value 0 has degree 4; commit it as a column"),
    ],
    ids=["unused", "unused given", "lonely bit", "lonely limb", "lonely byte", "degree"],
)  # fmt: skip
def test_a_careless_chip_is_found(
    declared: Mapping[str, Any], constrain: Callable[[Any, Builder], None], finding: str
) -> None:
    assert findings(declared, constrain) == [finding]


def test_a_chip_says_what_a_row_is() -> None:
    found = findings({"x": Field}, lambda c, b: b.assert_zero("x", c.x), doc="")
    assert found == ["toy: no docstring that says what a row is"]


def test_every_limb_is_looked_at() -> None:
    declared = {"x": U64, "y": Field}
    assert findings(declared, lambda c, b: b.assert_eq("same", c.x, c.y)) == []
    assert findings(declared, lambda c, b: b.assert_zero("y", c.y)) == [
        f"toy: column x.{limb} is only ranged, nothing ties it to others" for limb in range(4)
    ]


@pytest.mark.parametrize(
    "constrain",
    [
        lambda c, b: b.assert_zero("zero", c.x * c.x),
        lambda c, b: b.send(CHANNEL, c.x),
        lambda c, b: b.send(CHANNEL, 1, times=c.x),
        lambda c, b: b.provide(RANGE16, ROW, times=c.x),
    ],
    ids=["constraint", "tuple", "multiplicity", "count"],
)
def test_any_use_beyond_the_range_ties_a_column(
    constrain: Callable[[Any, Builder], None],
) -> None:
    assert findings({"x": U8}, constrain) == []


def system_of(*uses: Callable[[Any, Builder], None]) -> System:
    chips = tuple(make_chip(f"chip{number}", {"x": Field}, use) for number, use in enumerate(uses))
    return compile_system(chips, (), "chip0", (), R)


def send(c: Any, b: Builder) -> None:
    b.send(CHANNEL, c.x)


def receive(c: Any, b: Builder) -> None:
    b.receive(CHANNEL, c.x)


def test_a_bus_needs_both_sides() -> None:
    assert lint_buses(system_of(send, send)) == [
        "bus channel: expected both sides, got only senders"
    ]
    assert lint_buses(system_of(receive)) == [
        "bus channel: expected both sides, got only receivers"
    ]
    assert lint_buses(system_of(send, receive)) == []


def test_a_careful_system_has_no_findings() -> None:
    assert lint(counter_system()) == []


def test_lint_joins_the_findings_of_chips_and_buses() -> None:
    found = lint(system_of(send, lambda c, b: None))
    assert found == [
        "chip1: column x is never used", "bus channel: expected both sides, got only senders",
    ]  # fmt: skip
