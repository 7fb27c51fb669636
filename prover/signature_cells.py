"""The columns of the signature chips that follow from scalars, and what digits choose, by arrays.

They are those of `circuits.chips.signature_columns`, cell for cell. Scalars are packed cells:
uint64[n, 4], lowest word first.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from circuits.chips.signature_columns import DIGITS_PER_ROW
from circuits.chips.signature_trace import (
    BASE_ENTRIES,
    BYTE_BITS,
    DIGIT_BITS,
    DIGITS,
    HALF_BITS,
    LOW_START,
    MULTIPLES_PER_ROW,
    ROWS_PER_HALF,
    SCALAR_BITS,
    TABLE_ROWS,
    WINDOW_ROWS,
    WINDOWS_PER_ROW,
    base_chain,
)

_WORD_BITS = 64
_HALF_WORDS = HALF_BITS // _WORD_BITS
_ROW_BITS = BYTE_BITS * WINDOWS_PER_ROW
_DIGIT_SHIFTS = np.arange(BYTE_BITS - DIGIT_BITS, -1, -DIGIT_BITS, dtype=np.uint8)


def halves(scalars: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The high and the low 128 bits as packed cells."""
    high, low = np.zeros_like(scalars), np.zeros_like(scalars)
    high[:, :_HALF_WORDS] = scalars[:, _HALF_WORDS:]
    low[:, :_HALF_WORDS] = scalars[:, :_HALF_WORDS]
    return high, low


def borrows(scalars: np.ndarray, bound: int) -> np.ndarray:
    """Whether the low half is above that of the bound: uint8[n]."""
    bound_high, bound_low = (
        np.uint64(bound >> shift & (1 << _WORD_BITS) - 1) for shift in (_WORD_BITS, 0)
    )
    is_above = scalars[:, 1] > bound_high
    return (is_above | (scalars[:, 1] == bound_high) & (scalars[:, 0] > bound_low)).astype(np.uint8)


def window_numbers(s: np.ndarray, h: np.ndarray) -> dict[str, Any]:
    """What `circuits.chips.signature_columns.window_numbers` gives."""
    count = len(s)
    steps = [half + step for half in (0, LOW_START) for step in range(ROWS_PER_HALF)]
    return {
        "s_part": _parts(s),
        "h_part": _parts(h),
        "byte_s": list(_bytes(s).reshape(-1, WINDOWS_PER_ROW).T),
        "digit_h": list(_digits(h).reshape(-1, DIGITS_PER_ROW).T),
        "signature": np.repeat(np.arange(count, dtype=np.uint32), WINDOW_ROWS),
        "step": np.tile(np.array(steps, dtype=np.uint8), count),
    }


def table_numbers(h: np.ndarray) -> dict[str, Any]:
    """What `circuits.chips.signature_columns.table_numbers` gives."""
    count = len(h)
    # One number for the entry j of each signature.
    entries = _digits(h) + DIGITS * np.arange(count)[:, None]
    used = np.bincount(entries.ravel(), minlength=DIGITS * count)
    rows = np.tile(np.arange(0, DIGITS, MULTIPLES_PER_ROW, dtype=np.uint8), count)
    return {
        "signature": np.repeat(np.arange(count, dtype=np.uint32), TABLE_ROWS),
        "j": rows,
        "last": (rows == DIGITS - MULTIPLES_PER_ROW).astype(np.uint8),
        "count": list(used.reshape(-1, MULTIPLES_PER_ROW).astype(np.uint32).T),
    }


def base_columns(s: np.ndarray) -> dict[str, Any]:
    """What `circuits.chips.signature_columns.base_columns` gives."""
    numbers = np.arange(BASE_ENTRIES if len(s) else 0, dtype=np.uint8)
    used = np.bincount(_bytes(s).ravel(), minlength=BASE_ENTRIES)
    entries, slopes = base_cells()
    return {
        "entry": entries[:, : len(numbers)],
        "slope": slopes[: len(numbers)],
        "count": used[: len(numbers)].astype(np.uint32),
        "first": (numbers == 0).astype(np.uint8),
    }


@cache
def base_cells() -> tuple[np.ndarray, np.ndarray]:
    """T + i*B as images and the slope from each to the next: uint64[2, 256, 4], uint64[256, 4]."""
    points, slopes = base_chain()
    words = [*(word for point in points[:-1] for word in point), *slopes]
    data = b"".join(word.to_bytes(SCALAR_BITS // 8, "little") for word in words)
    cells = np.frombuffer(data, dtype="<u8").reshape(-1, 4)
    entries = cells[: 2 * BASE_ENTRIES].reshape(BASE_ENTRIES, 2, 4).swapaxes(0, 1)
    return np.ascontiguousarray(entries), cells[2 * BASE_ENTRIES :]


def base_summands(byte_s: Sequence[np.ndarray]) -> np.ndarray:
    """u and v of T + i*B for every column of bytes i: uint64[2 k, m, 4] for k columns."""
    entries, _ = base_cells()
    return np.stack([axis[column] for column in byte_s for axis in entries])


def multiple_summands(multiples: np.ndarray, digit_h: Sequence[np.ndarray]) -> np.ndarray:
    """u and v of T + j*N for every column of digits j: uint64[2 k, 16 n, 4] for k columns.

    Shape: multiples uint64[2, 16 n, 4] with T + j*N of signature k at [:, 16 k + j].
    """
    rows = np.arange(multiples.shape[1] // DIGITS * WINDOW_ROWS)
    firsts = rows // WINDOW_ROWS * DIGITS
    return np.stack([axis[firsts + column] for column in digit_h for axis in multiples])


def _bytes(scalars: np.ndarray) -> np.ndarray:
    """The 32 bytes of every scalar from the top: uint8[n, 32]."""
    octets = np.ascontiguousarray(scalars, dtype="<u8").view(np.uint8)
    return octets.reshape(-1, SCALAR_BITS // BYTE_BITS)[:, ::-1]


def _digits(scalars: np.ndarray) -> np.ndarray:
    """The 64 digits of every scalar from the top: uint8[n, 64]."""
    digits = _bytes(scalars)[:, :, None] >> _DIGIT_SHIFTS & np.uint8(DIGITS - 1)
    return digits.reshape(-1, SCALAR_BITS // DIGIT_BITS)


def _parts(scalars: np.ndarray) -> np.ndarray:
    """Per row the digits of its half that stand above it, as packed cells [16 n, 4]."""
    parts = np.zeros((len(scalars), 2, ROWS_PER_HALF, scalars.shape[1]), dtype=np.uint64)
    for half, values in enumerate(halves(scalars)):
        low, high = values[:, 0], values[:, 1]
        for step in range(1, ROWS_PER_HALF):
            bits = _ROW_BITS * step
            if bits <= _WORD_BITS:
                parts[:, half, step, 0] = high >> np.uint64(_WORD_BITS - bits)
            else:
                above = np.uint64(bits - _WORD_BITS)
                below = np.uint64(HALF_BITS - bits)
                parts[:, half, step, 0] = high << above | low >> below
                parts[:, half, step, 1] = high >> below
    return parts.reshape(-1, scalars.shape[1])
