"""Tables that do not fit the key are refused before any work, with the place and the reason."""

from dataclasses import replace

import numpy as np
import pytest

from prover.errors import SystemMismatch, WitnessMismatch
from prover.witness import check_system, check_tables
from tests.support.toy_system import toy_key, toy_shape, toy_system, toy_table, toy_witness

KEY = toy_key(toy_shape())
WITNESS = toy_witness([3, 5], [1])


def refuse(error, message, tables, system=None, pubdata=WITNESS.pubdata):
    with pytest.raises(error) as caught:
        check_tables(KEY, system or toy_system(), tables, pubdata)
    assert str(caught.value) == message


def test_heights_come_in_chip_order():
    assert check_tables(KEY, toy_system(), WITNESS.tables, WITNESS.pubdata) == [2, 16, 1, 1, 0]


def test_a_missing_table():
    tables = {name: table for name, table in WITNESS.tables.items() if name != "extra"}
    refuse(WitnessMismatch, "table extra: expected a table, got none", tables)


def test_more_rows_than_the_shape_has():
    tables = WITNESS.tables | {"extra": toy_table("extra", [[0] * 5] * 4)}
    refuse(WitnessMismatch, "height of extra: expected at most 4, got 5", tables)


def test_single_row_chips_have_one_row():
    tables = WITNESS.tables | {"ends": toy_table("ends", [[2, 2]])}
    refuse(WitnessMismatch, "height of ends: expected at most 1, got 2", tables)
    tables = WITNESS.tables | {"ends": toy_table("ends", [[]])}
    refuse(WitnessMismatch, "height of ends: expected 1, got 0", tables)


def test_one_row_per_published_word():
    refuse(WitnessMismatch, "height of words: expected 2, got 1", WITNESS.tables, pubdata=(1, 2))


def test_wrong_column_count_type_and_length():
    extra = toy_table("extra", [[1], [1], [0], [0]])
    tables = WITNESS.tables | {"extra": replace(extra, columns=extra.columns[:3])}
    refuse(WitnessMismatch, "table extra: expected 4 columns, got 3", tables)
    wide = (extra.columns[0].astype(np.uint32), *extra.columns[1:])
    tables = WITNESS.tables | {"extra": replace(extra, columns=wide)}
    message = "column extra/digit: expected uint8[1], got uint32[1]"
    refuse(WitnessMismatch, message, tables)
    flat = (extra.columns[0], extra.columns[1].reshape(4), *extra.columns[2:])
    tables = WITNESS.tables | {"extra": replace(extra, columns=flat)}
    message = "column extra/square: expected uint64[1, 4], got uint64[4]"
    refuse(WitnessMismatch, message, tables)


def test_a_system_that_the_key_was_not_made_from():
    system = toy_system()
    fewer = replace(system, chips=system.chips[:4])
    names = "['step', 'squares', 'ends', 'words', 'extra']"
    message = f"chips: expected {names}, got {names.replace(chr(44) + ' ' + repr('extra'), '')}"
    refuse(SystemMismatch, message, WITNESS.tables, fewer)
    swapped = replace(system.chips[4], tape=system.chips[3].tape)
    other = replace(system, chips=(*system.chips[:4], swapped))
    message = "constraints of chip extra: expected those of the key, got others"
    refuse(SystemMismatch, message, WITNESS.tables, other)


def changed(chip=None, **changes):
    """The key with one chip or another field changed."""
    chips = tuple(replace(each, **changes) if each.name == chip else each for each in KEY.chips)
    return replace(KEY, chips=chips) if chip else replace(KEY, **changes)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (changed("extra", main_columns=3), "main columns of chip extra: expected 3, got 4"),
        (changed("extra", helper_columns=0), "helper columns of chip extra: expected 0, got 1"),
        (changed("extra", zero_values=()),
         "constraints of chip extra: expected those of the key, got others"),
        (changed(public_names=("a",)), "public words: expected ('a',), got "),
        (changed(pubdata_chip=1), "chip of published words: expected squares, got words"),
        (changed(single_row_chips=()), "chips of one row: expected [], got ['ends']"),
    ],
)  # fmt: skip
def test_a_key_of_other_chips_is_told_by_its_first_difference(key, message):
    with pytest.raises(SystemMismatch) as caught:
        check_system(key, toy_system())
    assert str(caught.value).startswith(message)


def test_a_key_may_have_other_heights():
    check_system(changed("extra", log_height=1), toy_system())
