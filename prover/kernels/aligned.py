"""Memory that begins with a line of the cache.

What eight lanes are loaded or stored with is one line: an array that begins elsewhere costs two
for each, and Numba's own begin at any multiple of 32 bytes.
"""

import numpy as np
from numba import njit

_WORD_BYTES, _LINE_BYTES = np.uint64(8), np.uint64(64)
_LINE_WORDS = _LINE_BYTES // _WORD_BYTES


@njit(nogil=True, cache=True)
def aligned_words(count):
    """Return uint64[count], not set, that begins with a line of the cache."""
    words = np.empty(count + np.int64(_LINE_WORDS) - 1, dtype=np.uint64)
    above = words.ctypes.data % _LINE_BYTES // _WORD_BYTES
    first = np.int64((_LINE_WORDS - above) % _LINE_WORDS)
    return words[first : first + count]


@njit(nogil=True, cache=True)
def aligned_rows(count, words):
    """Return uint64[count, words], not set, whose rows are whole lines if `words` are."""
    return aligned_words(count * words).reshape((count, words))


@njit(nogil=True, cache=True)
def zero_rows(count, words):
    """The same, all zero."""
    rows = aligned_rows(count, words)
    rows[:] = 0
    return rows
