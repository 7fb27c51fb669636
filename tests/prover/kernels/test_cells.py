"""Cells of every width and place in memory against the integers that they stand for."""

import numpy as np
import pytest

from circuits.field import R
from prover.kernels import fr
from prover.kernels.cells import MONTGOMERY, as_argument, expand, load_block, place_of, places_of
from prover.kernels.parallel import ROWS_MIN
from prover.kernels.scalar import limbs

WIDTHS = [np.uint8, np.uint16, np.uint32, np.uint64]


@pytest.mark.parametrize("dtype", WIDTHS)
@pytest.mark.parametrize("rows", [0, 1, ROWS_MIN + 3])
def test_plain_cells(rng, dtype, rows):
    top = int(np.iinfo(dtype).max)
    values = [rng.choice([0, 1, top, rng.randint(0, top)]) for _ in range(rows)]
    column = np.array(values, dtype=dtype)
    assert fr.to_ints(expand(places_of([column]), 0, rows)) == values


def test_full_cells_in_either_form(rng):
    values = [0, 1, R - 1, *(rng.randrange(R) for _ in range(5))]
    plain = np.array([limbs(value) for value in values], dtype=np.uint64)
    assert fr.to_ints(expand(places_of([plain]), 0, len(values))) == values
    elements = fr.from_ints(values)
    assert np.array_equal(expand(places_of([elements], MONTGOMERY), 0, len(values)), elements)


@pytest.mark.parametrize("dtype", WIDTHS)
def test_cells_may_be_read_only_and_unaligned(dtype):
    values = np.arange(1, 6, dtype=dtype)
    data = b"\0" + values.tobytes()
    column = np.frombuffer(data, dtype=dtype, offset=1)
    assert not column.flags.writeable
    assert fr.to_ints(expand(places_of([column]), 0, 5)) == [1, 2, 3, 4, 5]


def test_a_block_takes_every_other_row():
    column = np.arange(10, dtype=np.uint16)
    work = fr.zeros(5)
    load_block(work, 1, *place_of(column), 3, 2, 3)
    assert fr.to_ints(work) == [0, 3, 5, 7, 0]


@pytest.mark.parametrize(
    "column",
    [
        np.zeros(3, dtype=np.int64),
        np.zeros(3, dtype=">u4"),
        np.zeros((3, 3), dtype=np.uint64),
        np.zeros((3, 4), dtype=np.uint32),
        np.zeros(6, dtype=np.uint8)[::2],
    ],
    ids=["signed", "other byte order", "three limbs", "narrow limbs", "strided"],
)
def test_other_arrays_are_refused(column):
    with pytest.raises(TypeError, match="expected a C-contiguous column"):
        place_of(column)


def test_an_argument_is_borrowed_when_it_can_be():
    writable = np.arange(4, dtype=np.uint64)
    assert as_argument(writable) is writable
    read_only = np.frombuffer(writable.tobytes(), dtype=np.uint64)
    borrowed = as_argument(read_only)
    assert borrowed.flags.writeable
    assert np.shares_memory(borrowed, read_only)
    unaligned = np.frombuffer(b"\0" + writable.tobytes(), dtype=np.uint64, offset=1)
    for copied in (as_argument(unaligned), as_argument(writable[::2])):
        assert copied.flags.writeable
        assert copied.flags.aligned
        assert copied.flags.c_contiguous
    assert as_argument(unaligned).tolist() == writable.tolist()
