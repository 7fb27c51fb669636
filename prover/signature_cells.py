"""The columns of the signature chips that hold scalars and their digits, by array operations.

They are those of `circuits.chips.signature_columns`, cell for cell. Scalars are packed cells:
uint64[n, 4], lowest word first.
"""

from typing import Any

import numpy as np

from circuits.chips.signature_trace import (
    DIGIT_BITS,
    DIGITS,
    HALF_BITS,
    LOW_START,
    ROWS_PER_HALF,
    SCALAR_BITS,
    WINDOWS_PER_ROW,
)

_WORD_BITS = 64
_HALF_WORDS = HALF_BITS // _WORD_BITS
_ROW_BITS = DIGIT_BITS * WINDOWS_PER_ROW
_ROWS = 2 * ROWS_PER_HALF
_DIGIT_SHIFTS = np.arange(8 - DIGIT_BITS, -1, -DIGIT_BITS, dtype=np.uint8)


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
    columns: dict[str, Any] = {}
    for name, scalars in (("s", s), ("h", h)):
        columns[f"{name}_part"] = _parts(scalars)
        columns[f"digit_{name}"] = list(_digits(scalars).reshape(-1, WINDOWS_PER_ROW).T)
    steps = [half + step for half in (0, LOW_START) for step in range(ROWS_PER_HALF)]
    columns["signature"] = np.repeat(np.arange(count, dtype=np.uint32), _ROWS)
    columns["step"] = np.tile(np.array(steps, dtype=np.uint8), count)
    return columns


def table_numbers(s: np.ndarray, h: np.ndarray) -> dict[str, Any]:
    """What `circuits.chips.signature_columns.table_numbers` gives."""
    count = len(s)
    entries = DIGITS * _digits(h).astype(np.int64) + _digits(s)
    # One number for the entry j, i of each signature.
    entries += DIGITS * DIGITS * np.arange(count)[:, None]
    used = np.bincount(entries.ravel(), minlength=DIGITS * DIGITS * count).reshape(-1, DIGITS)
    rows = np.tile(np.arange(DIGITS, dtype=np.uint8), count)
    return {
        "signature": np.repeat(np.arange(count, dtype=np.uint32), DIGITS),
        "j": rows,
        "last": (rows == DIGITS - 1).astype(np.uint8),
        "count": list(used.astype(np.uint32).T),
    }


def _digits(scalars: np.ndarray) -> np.ndarray:
    """The 128 digits of every scalar from the top: uint8[n, 128]."""
    octets = np.ascontiguousarray(scalars, dtype="<u8").view(np.uint8)
    octets = octets.reshape(-1, SCALAR_BITS // 8)[:, ::-1, None]
    digits = octets >> _DIGIT_SHIFTS & np.uint8(DIGITS - 1)
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
