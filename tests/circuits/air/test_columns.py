"""Column types: how they are committed, what reading them gives, and that each range rule holds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.air.builder import RANGE16
from circuits.air.check import evaluate
from circuits.air.chip import CompiledChip, compile_chip
from circuits.air.columns import (
    FULL_BITS,
    U8,
    U16,
    U24,
    U32,
    U48,
    U64,
    U112,
    U128,
    Bit,
    ColumnType,
    Field,
    Given,
    Physical,
)
from circuits.air.expr import column
from circuits.field import R, inverse
from tests.support.chips import make_chip

RANGED = (Bit, U8, U16, U24, U32, U48, U64, U112, U128)
TABLE_SIZE = 1 << 16


def columns_of(declared: Any) -> tuple[Physical, ...]:
    return make_chip("test", {"x": declared}).Cols.physical


def limbs_of(kind: type[ColumnType], value: int) -> list[int]:
    limbs = []
    for bits, _ in kind.limbs[:-1]:
        limbs.append(value & (1 << bits) - 1)
        value >>= bits
    return [*limbs, value]


def is_admitted(chip: CompiledChip, row: list[int]) -> bool:
    """Whether the chip's own constraints hold and the true range table answers its look-ups."""
    cells = [[value % R] for value in row]
    constraints = evaluate([each.expr for each in chip.main_constraints], cells, [], R, 1)
    looked_up = evaluate([each.values[0] for each in chip.interactions], cells, [], R, 1)
    assert all(each.bus is RANGE16 and each.sign == 1 for each in chip.interactions)
    return not any(each[0] for each in constraints) and all(
        each[0] < TABLE_SIZE for each in looked_up
    )


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        (Bit, [(1, "bit")]),
        (U8, [(8, "u8")]),
        (U16, [(16, "u16")]),
        (U24, [(16, "u16"), (8, "u8")]),
        (U32, [(16, "u16")] * 2),
        (U48, [(16, "u16")] * 3),
        (U64, [(16, "u16")] * 4),
        (U112, [(16, "u16")] * 7),
        (U128, [(16, "u16")] * 8),
        (Field, [(FULL_BITS, "")]),
    ],
)
def test_a_type_is_committed_as_its_limbs(
    kind: type[ColumnType], cells: list[tuple[int, str]]
) -> None:
    names = ["x"] if len(cells) == 1 else [f"x.{number}" for number in range(len(cells))]
    assert columns_of(kind) == tuple(
        Physical(name, bits, rule) for name, (bits, rule) in zip(names, cells, strict=True)
    )
    assert kind.bits == sum(bits for bits, _ in cells)


@pytest.mark.parametrize(
    ("kind", "bits"),
    [
        (Bit, 1), (U8, 8), (U16, 16), (U24, 32), (U32, 32), (U48, 64), (U64, 64),
        (U112, FULL_BITS), (U128, FULL_BITS), (Field, FULL_BITS),
    ],
)  # fmt: skip
def test_a_given_value_is_one_cell_without_a_rule(kind: type[ColumnType], bits: int) -> None:
    assert columns_of(Given[kind]) == (Physical("x", bits, ""),)
    chip = compile_chip(make_chip("test", {"x": Given[kind]}), 0, R)
    assert (chip.constraints, chip.interactions) == ((), ())


@pytest.mark.parametrize("kind", RANGED)
@given(data=st.data())
def test_reading_gives_the_weighted_sum_of_the_limbs(
    kind: type[ColumnType], data: st.DataObject
) -> None:
    value = data.draw(st.integers(0, (1 << kind.bits) - 1))
    chip = make_chip("test", {"before": Field, "x": kind})
    cells = [[0], *([limb] for limb in limbs_of(kind, value))]
    assert evaluate([chip.Cols.symbolic().x], cells, [], R, 1) == [[value]]


@pytest.mark.parametrize("kind", RANGED)
def test_the_range_rule_admits_exactly_the_range(kind: type[ColumnType]) -> None:
    """Given each limb alone at its largest value, one above it and below zero."""
    chip = compile_chip(make_chip("test", {"x": kind}), 0, R)
    largest = limbs_of(kind, (1 << kind.bits) - 1)
    assert is_admitted(chip, largest)
    assert is_admitted(chip, [0] * len(largest))
    for number, (bits, _) in enumerate(kind.limbs):
        for wrong in (1 << bits, (1 << bits) + 1, -1, R - (1 << bits), inverse(2)):
            row = [*largest[:number], wrong, *largest[number + 1 :]]
            assert not is_admitted(chip, row), (number, wrong)


def test_the_rule_of_a_byte_admits_256_values_and_no_fraction() -> None:
    """Given every cell below 2^17, and every cell whose 256-fold is below 2^16."""
    assert {v for v in range(1 << 17) if v < TABLE_SIZE and 256 * v < TABLE_SIZE} == set(range(256))
    step = inverse(256)
    fractions = [k * step % R for k in range(TABLE_SIZE)]
    assert sorted(v for v in fractions if v < TABLE_SIZE) == list(range(256))
    chip = compile_chip(make_chip("test", {"x": U8}), 0, R)
    assert [is_admitted(chip, [v]) for v in (255, 256, fractions[1], fractions[255])] == [
        True, False, False, False,
    ]  # fmt: skip


def test_a_field_column_takes_anything() -> None:
    chip = compile_chip(make_chip("test", {"x": Field}), 0, R)
    assert is_admitted(chip, [R - 1])
    assert (chip.constraints, chip.interactions) == ((), ())


def test_arrays_are_tuples_with_numbered_names() -> None:
    cols = make_chip("test", {"a": U24[2], "b": Given[U64][2], "c": Field}).Cols
    assert [each.name for each in cols.physical] == [
        "a[0].0", "a[0].1", "a[1].0", "a[1].1", "b[0]", "b[1]", "c",
    ]  # fmt: skip
    symbolic = cols.symbolic()
    assert symbolic.a == (column(0) + column(1) * 65536, column(2) + column(3) * 65536)
    assert (symbolic.b, symbolic.c) == ((column(4), column(5)), column(6))


@pytest.mark.parametrize("declared", [int, 3, "U8", None])
def test_a_declaration_that_is_no_column_type_is_refused(declared: Any) -> None:
    with pytest.raises(TypeError) as caught:
        make_chip("test", {"x": declared})
    assert str(caught.value) == (
        f"Cols.x: expected a column type, got {declared!r} "
        "(a module with chips must not postpone its annotations)"
    )


def test_an_undeclared_column_is_named() -> None:
    with pytest.raises(AttributeError, match=r"^Cols declares no column 'y'$"):
        _ = make_chip("test", {"x": Bit}).Cols.symbolic().y
