"""The columns of the signature chips that follow from scalars, and what digits choose, by arrays.

They are those of `circuits.chips.signature_columns`, cell for cell. Scalars are packed cells:
uint64[n, 4], lowest word first.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from circuits.chips.signature_columns import BASE_NAMES, BYTES_PER_ROW, DIGITS_PER_ROW
from circuits.chips.signature_trace import (
    BASE_ENTRIES,
    BYTE_BITS,
    BYTES_PER_WINDOW,
    DIGIT_BITS,
    DIGITS,
    HALF_BITS,
    MULTIPLES_PER_ROW,
    SCALAR_BITS,
    TABLE_ROWS,
    WINDOW_ROWS,
    WINDOWS,
    WINDOWS_PER_ROW,
    base_chains,
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
    s_high, s_low = halves(s)
    return {
        "s_high_part": _parts(s_high),
        "s_low_part": _parts(s_low),
        "h_part": _parts(h),
        "byte_s": list(_bytes(s).reshape(-1, BYTES_PER_ROW).T),
        "digit_h": list(_digits(h).reshape(-1, DIGITS_PER_ROW).T),
        "signature": np.repeat(np.arange(count, dtype=np.uint32), WINDOW_ROWS),
        "step": np.tile(np.arange(WINDOW_ROWS, dtype=np.uint8), count),
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
    columns: dict[str, Any] = {"first": (numbers == 0).astype(np.uint8)}
    octets = _bytes(s)
    for k, (name, (entries, slopes)) in enumerate(zip(BASE_NAMES, base_cells(), strict=True)):
        used = np.bincount(octets[:, k::BYTES_PER_WINDOW].ravel(), minlength=BASE_ENTRIES)
        columns |= {
            f"entry_{name}": entries[:, : len(numbers)],
            f"slope_{name}": slopes[: len(numbers)],
            f"count_{name}": used[: len(numbers)].astype(np.uint32),
        }
    return columns


@cache
def base_cells() -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """For each half of s the entries as images and the slope from each to the next.

    Shape: uint64[2, 256, 4] and uint64[256, 4].
    """
    tables = []
    for points, slopes in base_chains():
        words = [*(word for point in points[:-1] for word in point), *slopes]
        data = b"".join(word.to_bytes(SCALAR_BITS // 8, "little") for word in words)
        cells = np.frombuffer(data, dtype="<u8").reshape(-1, 4)
        entries = cells[: 2 * BASE_ENTRIES].reshape(BASE_ENTRIES, 2, 4).swapaxes(0, 1)
        tables.append((np.ascontiguousarray(entries), cells[2 * BASE_ENTRIES :]))
    return tuple(tables)


def base_summands(byte_s: Sequence[np.ndarray]) -> np.ndarray:
    """u and v of the entry for every column of bytes: uint64[2 k, m, 4] for k columns."""
    tables = base_cells()
    return np.stack(
        [
            axis[column]
            for k, column in enumerate(byte_s)
            for axis in tables[k % BYTES_PER_WINDOW][0]
        ]
    )


def multiple_summands(multiples: np.ndarray, digit_h: Sequence[np.ndarray]) -> np.ndarray:
    """u and v of T + j*N for every column of digits j: uint64[2 k, 8 n, 4] for k columns.

    Shape: multiples uint64[2, 16 n, 4] with T + j*N of signature k at [:, 16 k + j].
    """
    rows = np.arange(multiples.shape[1] // DIGITS * WINDOW_ROWS)
    firsts = rows // WINDOW_ROWS * DIGITS
    return np.stack([axis[firsts + column] for column in digit_h for axis in multiples])


def _bytes(scalars: np.ndarray) -> np.ndarray:
    """The 32 bytes of every s in the order of use, of the high half and the low: uint8[n, 32]."""
    octets = np.ascontiguousarray(scalars, dtype="<u8").view(np.uint8)
    halved = octets.reshape(-1, BYTES_PER_WINDOW, WINDOWS)[:, ::-1, ::-1]
    return halved.swapaxes(1, 2).reshape(-1, SCALAR_BITS // BYTE_BITS)


def _digits(scalars: np.ndarray) -> np.ndarray:
    """The 32 digits of the low half of every h, from the top: uint8[n, 32]."""
    octets = _bytes(scalars)[:, BYTES_PER_WINDOW - 1 :: BYTES_PER_WINDOW]
    digits = octets[:, :, None] >> _DIGIT_SHIFTS & np.uint8(DIGITS - 1)
    return digits.reshape(-1, HALF_BITS // DIGIT_BITS)


def _parts(scalars: np.ndarray) -> np.ndarray:
    """Per row the digits of the lowest 128 bits that stand above it, as packed cells [8 n, 4]."""
    parts = np.zeros((len(scalars), WINDOW_ROWS, scalars.shape[1]), dtype=np.uint64)
    low, high = scalars[:, 0], scalars[:, 1]
    for step in range(1, WINDOW_ROWS):
        bits = _ROW_BITS * step
        if bits <= _WORD_BITS:
            parts[:, step, 0] = high >> np.uint64(_WORD_BITS - bits)
        else:
            above = np.uint64(bits - _WORD_BITS)
            below = np.uint64(HALF_BITS - bits)
            parts[:, step, 0] = high << above | low >> below
            parts[:, step, 1] = high >> below
    return parts.reshape(-1, scalars.shape[1])
