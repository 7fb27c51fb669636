"""Compiled chips and systems: what is derived, and which systems are refused."""

from __future__ import annotations

from typing import Any

import pytest

from circuits.air.builder import CHALLENGE_COUNT, Builder
from circuits.air.bus import Bus
from circuits.air.chip import Chip, ChipError, compile_chip, compile_system
from circuits.air.columns import U8, Bit, Field
from circuits.field import R
from tests.support.chips import make_chip
from tests.support.counter_chips import COUNTER, DIGITS, ENDS, counter_system

PLAIN = make_chip("plain", {"x": Field})


def on_bus(name: str, bus: Bus) -> Chip:
    return make_chip(name, {"x": Field}, lambda c, b: b.send(bus, c.x))


def refusal(chips: tuple[Chip, ...], pubdata: str = "plain", single: tuple[str, ...] = ()) -> str:
    with pytest.raises(ChipError) as caught:
        compile_system(chips, (), pubdata, single, R)
    return str(caught.value)


def test_what_is_derived_from_a_chip() -> None:
    chip = compile_chip(COUNTER, 2, R)
    assert (chip.name, chip.summary) == ("counter", "One addition to the total.")
    assert [each.name for each in chip.columns] == ["flag", "step", "before", "after"]
    assert [each.name for each in chip.main_constraints] == [
        "flag is a bit", "step is odd", "after",
    ]  # fmt: skip
    assert [each.label for group in chip.groups for each in group] == [
        "small#0", "total#0", "total#1",
    ]  # fmt: skip
    assert (chip.helper_count, chip.cells_per_row, chip.degree) == (1, 5, 4)
    assert [each.name for each in chip.helper_columns] == ["logup[0]"]
    tape = chip.tape
    assert (tape.columns, tape.challenges, tape.publics) == (5, CHALLENGE_COUNT, 2)
    assert tape.constraints == len(chip.constraints) == len(chip.zero_values) == 4


def test_zero_values_are_those_of_the_zero_row() -> None:
    def constrain(c: Any, b: Builder) -> None:
        b.assert_zero("shifted", c.byte * 3 + 5)
        b.assert_zero("negative", c.flag - 1)

    chip = compile_chip(make_chip("toy", {"flag": Bit, "byte": U8}, constrain), 0, 97)
    assert chip.zero_values == (0, 5, 96, 0)


def test_a_chip_without_constraints_is_a_chip() -> None:
    chip = compile_chip(PLAIN, 0, R)
    assert (chip.degree, chip.helper_count, chip.tape.code) == (0, 0, ())


def test_a_chip_must_say_what_it_constrains() -> None:
    with pytest.raises(NotImplementedError):
        Chip().constrain(PLAIN.Cols.symbolic(), Builder("plain", ()))


def test_what_is_derived_from_a_system() -> None:
    system = counter_system()
    assert [bus.name for bus in system.buses] == ["small", "total"]
    assert system.chip("digits").name == "digits"
    assert system.degree == 5
    # counter: one look-up, one message sent and one taken per row; ends: two messages.
    assert system.count_total({"counter": 4, "digits": 2, "ends": 0}) == 16 * 3 + 2


@pytest.mark.parametrize(
    ("chips", "pubdata", "single", "message"),
    [
        (
            (PLAIN, PLAIN), "plain", (),
            "chips: expected distinct names, got ['plain', 'plain']",
        ),
        ((PLAIN,), "absent", (), "system: expected one of the chips ['plain'], got 'absent'"),
        ((PLAIN,), "plain", ("one",), "system: expected one of the chips ['plain'], got 'one'"),
        (
            (on_bus("a", Bus("left", 4, 1)), on_bus("b", Bus("right", 4, 1))), "a", (),
            "bus right: expected a number of its own above 0, got 4 (also left)",
        ),
        (
            (on_bus("a", Bus("zero", 0, 1)),), "a", (),
            "bus zero: expected a number of its own above 0, got 0 (also zero)",
        ),
    ],
    ids=["names", "pubdata", "single row", "same number", "number zero"],
)  # fmt: skip
def test_a_system_that_is_not_sound_is_refused(
    chips: tuple[Chip, ...], pubdata: str, single: tuple[str, ...], message: str
) -> None:
    assert refusal(chips, pubdata, single) == message


def test_one_list_of_public_words_serves_all_chips() -> None:
    system = compile_system((COUNTER, DIGITS, ENDS), ("a", "b"), "digits", (), R)
    assert [chip.tape.publics for chip in system.chips] == [2, 2, 2]
