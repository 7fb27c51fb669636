import numpy as np
import pytest

from circuits.air.chip import Chip
from circuits.air.columns import U24, U64, U112, U128, Bit, Columns, Field, Given
from circuits.errors import ConstraintError
from circuits.field import R
from circuits.witness.table import cell_bytes, first_uncanonical, integers, pack_table, split_cells


class SampleChip(Chip):
    """One of everything."""

    name = "sample"

    class Cols(Columns):
        flag: Bit
        small: U24
        word: Given[U64]
        half: Given[U128]
        pair: Field[2]


FILLED = {
    "flag": [0, 1],
    "small": [1, 2**24 - 1],
    "word": np.array([5, 2**64 - 1], dtype=np.uint64),
    "half": [0, 2**128 - 1],
    "pair": [[1, R - 1], [2**64, 7]],
}
CELLS = [
    [0, 1], [1, 2**16 - 1], [0, 2**8 - 1], [5, 2**64 - 1], [0, 2**128 - 1], [1, R - 1], [2**64, 7],
]  # fmt: skip


def test_wide_integers_become_limbs() -> None:
    columns = split_cells(SampleChip(), FILLED)
    assert [integers(column) for column in columns] == CELLS
    table = pack_table("sample", SampleChip.Cols.physical, CELLS)
    assert [column.dtype for column in columns] == [column.dtype for column in table.columns]


def test_a_table_keeps_every_cell_at_its_own_width() -> None:
    columns = SampleChip.Cols.physical
    table = pack_table("sample", columns, CELLS)
    assert (table.name, table.height) == ("sample", 2)
    assert [column.dtype.name for column in table.columns] == [
        "uint8",
        "uint16",
        "uint8",
        "uint64",
        "uint64",
        "uint64",
        "uint64",
    ]
    assert [column.shape for column in table.columns] == [(2,)] * 4 + [(2, 4)] * 3
    assert table.columns[6][0].tolist() == [0, 1, 0, 0]
    assert table.cells() == CELLS
    stored = [cell_bytes(physical) * 2 for physical in columns]
    assert stored == [column.nbytes for column in table.columns]


def packed(values: list[int]) -> np.ndarray:
    """Full-width cells as a kernel hands them over."""
    data = b"".join(value.to_bytes(32, "little") for value in values)
    return np.frombuffer(data, dtype="<u8").reshape(-1, 4)


def test_packed_columns_make_the_same_table() -> None:
    cells = split_cells(SampleChip(), FILLED | {"pair": [*map(packed, FILLED["pair"])]})
    table = pack_table("sample", SampleChip.Cols.physical, cells)
    assert [integers(column) for column in cells] == table.cells() == CELLS
    assert [column.dtype.name for column in table.columns[5:]] == ["uint64", "uint64"]


def test_only_full_width_columns_may_be_packed() -> None:
    with pytest.raises(ConstraintError) as caught:
        split_cells(SampleChip(), FILLED | {"word": packed([0, 1])})
    assert str(caught.value) == (
        "chip sample: column word: expected cells of 64 bits, got packed cells"
    )


def test_an_empty_table_keeps_its_columns() -> None:
    table = pack_table("sample", SampleChip.Cols.physical, [[] for _ in CELLS])
    assert table.height == 0
    assert table.columns[6].shape == (0, 4)
    assert table.cells() == [[] for _ in CELLS]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("flag", 2, "chip sample: column flag: row 1: expected 0..1, got 2"),
        ("small", 2**24, "chip sample: column small: row 1: expected 0..16777215, got 16777216"),
        ("small", -1, "chip sample: column small: row 1: expected 0..16777215, got -1"),
        ("word", 2**64, f"chip sample: column word: row 1: expected 0..{2**64 - 1}, got {2**64}"),
        ("word", -1, f"chip sample: column word: row 1: expected 0..{2**64 - 1}, got -1"),
        ("half", -1, f"chip sample: column half: row 1: expected 0..{R - 1}, got -1"),
        ("half", 2**256, f"chip sample: column half: row 1: expected 0..{R - 1}, got {2**256}"),
        ("half", R, f"chip sample: column half: row 1: expected 0..{R - 1}, got {R}"),
    ],
)
def test_a_value_without_a_cell_is_named(name: str, value: int, message: str) -> None:
    with pytest.raises(ConstraintError) as caught:
        split_cells(SampleChip(), FILLED | {name: [0, value]})
    assert str(caught.value) == message


def test_columns_have_one_height() -> None:
    with pytest.raises(ConstraintError, match=r"chip sample: expected columns of one height"):
        split_cells(SampleChip(), FILLED | {"flag": [0]})


class WideSampleChip(Chip):
    """Integers of more than one word."""

    name = "wide_sample"

    class Cols(Columns):
        short: U112
        long: U128


def test_limbs_of_more_than_one_word() -> None:
    values = [0, 2**112 - 1, 2**64, 2**63 + 5 << 30]
    columns = split_cells(WideSampleChip(), {"short": values, "long": [*values[:3], 2**128 - 1]})
    assert {column.dtype.name for column in columns} == {"uint16"}
    cells = [integers(column) for column in columns]
    for first, count, expected in ((0, 7, values), (7, 8, [*values[:3], 2**128 - 1])):
        sums = [
            sum(limb << 16 * k for k, limb in enumerate(row))
            for row in zip(*cells[first : first + count], strict=True)
        ]
        assert sums == expected


@pytest.mark.parametrize(("name", "bits"), [("short", 112), ("long", 128)])
@pytest.mark.parametrize("excess", [0, 2**64])
def test_an_integer_of_too_many_bits_is_named(name: str, bits: int, excess: int) -> None:
    value = 2**bits + excess
    filled = {"short": [0, 0], "long": [0, 0]} | {name: [2**bits - 1, value]}
    with pytest.raises(ConstraintError) as caught:
        split_cells(WideSampleChip(), filled)
    assert str(caught.value) == (
        f"chip wide_sample: column {name}: row 1: expected 0..{2**bits - 1}, got {value}"
    )


@pytest.mark.parametrize("dtype", [np.int64, np.int8])
def test_an_array_of_integers_is_checked_too(dtype: type) -> None:
    with pytest.raises(ConstraintError) as caught:
        split_cells(SampleChip(), FILLED | {"small": np.array([1, -2], dtype=dtype)})
    assert str(caught.value) == "chip sample: column small: row 1: expected 0..16777215, got -2"


def test_the_first_cell_that_is_no_field_element() -> None:
    for number, value in enumerate((R, R + 1, 2**256 - 1, R + 2**64, R + 2**192)):
        cells = packed([0, R - 1, *[R - 2**192] * number, value, R])
        assert first_uncanonical(cells) == 2 + number
    assert first_uncanonical(packed([0, 1, R - 1, R - 2**64, R - 2**128])) is None
