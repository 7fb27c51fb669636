"""Arrays that begin with a line of the cache."""

import numpy as np
import pytest

from prover.kernels.aligned import aligned_rows, aligned_words, zero_rows


@pytest.mark.parametrize("count", [0, 1, 7, 8, 1000])
def test_arrays_begin_with_a_line_wherever_memory_does(count):
    held = []
    for size in range(1, 40):
        # Memory of other sizes in between: what follows begins elsewhere.
        held.append(np.empty(size, dtype=np.uint64))
        words, rows = aligned_words(count), aligned_rows(count, 8)
        held += [words, rows]
        assert words.shape == (count,)
        assert rows.shape == (count, 8)
        assert words.ctypes.data % 64 == rows.ctypes.data % 64 == 0
        words[:], rows[:] = size, size
    assert all((each == 39).all() for each in held[-2:])


def test_rows_of_zeros_are_zero_where_memory_was_used():
    for _ in range(20):
        used = aligned_rows(100, 40)
        used[:] = 7
        del used
        rows = zero_rows(100, 40)
        assert rows.shape == (100, 40)
        assert not rows.any()
