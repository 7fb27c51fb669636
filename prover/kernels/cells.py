"""Cells of columns of any width: where they lie in memory, and blocks of them as elements.

Compiled kernels read a column by its *place*, two integers: the address of its first cell and
the kind of its cells. One kernel therefore serves columns of every width, and memory that may not
be written, such as a mapped file: it needs no second compilation, as it would if the column were
an argument. Cells need no alignment.

A kind below CANONICAL is the log2 of the bytes of a plain unsigned cell. CANONICAL cells are plain
integers below r in four limbs, MONTGOMERY cells are elements.
"""

from collections.abc import Sequence

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from prover.kernels.parallel import run_rows
from prover.kernels.scalar import (
    ELEMENT,
    FR_MODULUS,
    FR_R2,
    fr_from_small,
    fr_mul,
    is_below,
    store,
)

CANONICAL, MONTGOMERY = 4, 5
_KINDS = {np.dtype(f"u{1 << kind}"): kind for kind in range(CANONICAL)}
_LIMB = ir.IntType(64)


def place_of(column: np.ndarray, full: int = CANONICAL) -> tuple[int, int]:
    """Address and kind of a C-contiguous column, unsigned [height] or uint64[height, 4].

    `full` is the kind of full-width cells. The caller keeps the array alive.
    Raises: TypeError for any other array.
    """
    kind = full if column.ndim == 2 else _KINDS.get(column.dtype)
    fits = column.ndim == 1 or (column.shape[1:] == (4,) and column.dtype == np.uint64)
    if kind is None or not fits or not column.flags.c_contiguous:
        raise TypeError(
            "expected a C-contiguous column, unsigned [height] of at most 64 bits or "
            f"uint64 [height, 4], got {column.dtype} {list(column.shape)}"
        )
    return column.ctypes.data, kind


def places_of(columns: Sequence[np.ndarray], full: int = CANONICAL) -> np.ndarray:
    """Places of columns as kernels take them. Shape: int64[columns, 2]."""
    return np.array([place_of(each, full) for each in columns], dtype=np.int64).reshape(-1, 2)


class _Borrowed:
    """Memory of another array, declared writable; keeps that array alive."""

    def __init__(self, owner: np.ndarray) -> None:
        self._owner = owner
        description = dict(owner.__array_interface__)
        description["data"] = (description["data"][0], False)
        self.__array_interface__ = description


def as_argument(column: np.ndarray) -> np.ndarray:
    """An array that kernels compiled for writable, aligned arrays take; they only read it.

    A read-only array is borrowed without a copy, any other array that does not fit is copied.
    """
    if not column.flags.c_contiguous or not column.flags.aligned:
        return np.array(column, order="C")
    return column if column.flags.writeable else np.asarray(_Borrowed(column))


def _reader(bits: int):
    """Make an intrinsic (address, row) -> uint64 for plain cells of a width."""

    @intrinsic
    def read(typing_context, address, row):
        def generate(context, builder, signature, arguments):
            cell = ir.IntType(bits)
            pointer = builder.inttoptr(arguments[0], cell.as_pointer())
            value = builder.load(builder.gep(pointer, [arguments[1]]), align=1)
            return builder.zext(value, _LIMB) if bits < 64 else value

        return types.uint64(types.int64, types.int64), generate

    return read


_read_8, _read_16, _read_32, _read_64 = (_reader(bits) for bits in (8, 16, 32, 64))


@intrinsic
def read_limbs(typing_context, address, row):
    """Return the four limbs of full-width cell `row`, canonical or Montgomery as they lie there."""

    def generate(context, builder, signature, arguments):
        start = builder.shl(arguments[1], ir.Constant(_LIMB, 2))
        pointer = builder.gep(builder.inttoptr(arguments[0], _LIMB.as_pointer()), [start])
        element = ir.Constant(ir.ArrayType(_LIMB, 4), ir.Undefined)
        for k in range(4):
            limb = builder.load(builder.gep(pointer, [ir.Constant(_LIMB, k)]), align=1)
            element = builder.insert_value(element, limb, k)
        return element

    return ELEMENT(types.int64, types.int64), generate


@njit(nogil=True, inline="always")
def read_small(address, kind, row):
    """Return a plain cell of a kind below CANONICAL."""
    if kind == 0:
        return _read_8(address, row)
    if kind == 1:
        return _read_16(address, row)
    if kind == 2:
        return _read_32(address, row)
    return _read_64(address, row)


@njit(nogil=True, inline="always")
def read_element(address, kind, row):
    """Return any cell as an element."""
    if kind < CANONICAL:
        return fr_from_small(read_small(address, kind, row))
    if kind == CANONICAL:
        return fr_mul(read_limbs(address, row), FR_R2)
    return read_limbs(address, row)


@njit(nogil=True, cache=True)
def load_block(work, target, address, kind, first, step, count):
    """Write rows first, first + step, ... (`count` of them) as elements to work[target ...]."""
    if kind == MONTGOMERY:
        for i in range(count):
            store(work, target + i, read_limbs(address, first + i * step))
    elif kind == CANONICAL:
        for i in range(count):
            store(work, target + i, fr_mul(read_limbs(address, first + i * step), FR_R2))
    else:
        for i in range(count):
            store(work, target + i, fr_from_small(read_small(address, kind, first + i * step)))


@njit(nogil=True, cache=True)
def _expand(start, stop, out, places, column):
    address, kind = places[column, 0], places[column, 1]
    for i in range(start, stop):
        store(out, i, read_element(address, kind, i))


def expand(places: np.ndarray, column: int, height: int) -> np.ndarray:
    """One column as elements uint64[height, 4]."""
    out = np.empty((height, 4), dtype=np.uint64)
    run_rows(_expand, height, out, places, column)
    return out


@njit(nogil=True, cache=True)
def _first_above_modulus(start, stop, address):
    for i in range(start, stop):
        if not is_below(read_limbs(address, i), FR_MODULUS):
            return i
    return -1


def first_above_modulus(column: np.ndarray) -> int:
    """First row of a full-width column that is not below r, or -1. Shape: uint64[height, 4]."""
    found = run_rows(_first_above_modulus, len(column), place_of(column)[0], rows_min=1 << 15)
    return next((row for row in found if row >= 0), -1)


def warm() -> None:
    """Compile every kernel of this module, or load it from the cache."""
    expand(places_of([np.ones(1, dtype=np.uint8)]), 0, 1)
    first_above_modulus(np.zeros((1, 4), dtype=np.uint64))
