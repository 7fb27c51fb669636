"""Blocks of cells of columns of any width as lane values: the vector twin of `cells`.

Kinds and places are those of `cells`. Every row that is named must exist: rows that do not fill
eight lanes are the scalar twin's.
"""

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from prover.kernels.cells import CANONICAL, MONTGOMERY, read_small
from prover.kernels.lane_emission import LIMB_BITS, LIMBS, MASK, pack, splat
from prover.kernels.lane_memory import put, split_rows
from prover.kernels.lanes import (
    LANE_VALUE,
    LANES,
    fr_add,
    fr_mul,
    fr_plain_to_lane_form,
    fr_to_lane_form,
)

_WORD = ir.IntType(64)
_VECTOR = ir.VectorType(_WORD, LANES)
_ROW = ir.VectorType(_WORD, 4)


@intrinsic
def read_full(typing_context, address, row, step):
    """Return the words of full-width cells row, row + step, ..., as they lie there."""

    def generate(context, builder, signature, arguments):
        address, row, step = arguments
        rows = []
        for _ in range(LANES):
            place = builder.inttoptr(address, _ROW.as_pointer())
            rows.append(builder.load(builder.gep(place, [row]), align=1))
            row = builder.add(row, step)
        return pack(builder, split_rows(builder, rows))

    return LANE_VALUE(types.int64, types.int64, types.int64), generate


@intrinsic
def from_words(typing_context, words):
    """Return the plain integers of a tuple of LANES words."""

    def generate(context, builder, signature, arguments):
        vector = ir.Constant(_VECTOR, ir.Undefined)
        for lane in range(LANES):
            word = builder.extract_value(arguments[0], lane)
            vector = builder.insert_element(vector, word, ir.Constant(ir.IntType(32), lane))
        low = builder.and_(vector, splat(MASK))
        high = builder.lshr(vector, splat(LIMB_BITS))
        return pack(builder, [low, high, *[splat(0)] * (LIMBS - 2)])

    return LANE_VALUE(types.UniTuple(types.uint64, LANES)), generate


@njit(nogil=True, cache=True)
def read_cells(address, kind, row, step):
    """Return cells row, row + step, ... as they lie there: plain integers or stored form."""
    if kind >= CANONICAL:
        return read_full(address, row, step)
    return from_words(
        (
            read_small(address, kind, row),
            read_small(address, kind, row + step),
            read_small(address, kind, row + 2 * step),
            read_small(address, kind, row + 3 * step),
            read_small(address, kind, row + 4 * step),
            read_small(address, kind, row + 5 * step),
            read_small(address, kind, row + 6 * step),
            read_small(address, kind, row + 7 * step),
        )
    )


@njit(nogil=True, cache=True)
def load_groups(work, target, address, kind, first, step, groups):
    """Write rows first, first + step, ... (LANES a group) in lane form to work[target ...]."""
    for g in range(groups):
        cells = read_cells(address, kind, first + g * LANES * step, step)
        if kind == MONTGOMERY:
            put(work, target + g, fr_to_lane_form(cells))
        else:
            put(work, target + g, fr_plain_to_lane_form(cells))


@njit(nogil=True, cache=True)
def fold_groups(work, target, address, kind, first, step, groups, even_weight, odd_weight):
    """Write rows first, first + step, ... of the folded column in lane form to work[target ...].

    Folded row r is even_weight row 2r + odd_weight row 2r + 1; the weights are in lane form.
    """
    if kind == MONTGOMERY:
        even_weight, odd_weight = fr_to_lane_form(even_weight), fr_to_lane_form(odd_weight)
    else:
        even_weight = fr_plain_to_lane_form(even_weight)
        odd_weight = fr_plain_to_lane_form(odd_weight)
    for g in range(groups):
        row = 2 * (first + g * LANES * step)
        even = fr_mul(even_weight, read_cells(address, kind, row, 2 * step))
        odd = fr_mul(odd_weight, read_cells(address, kind, row + 1, 2 * step))
        put(work, target + g, fr_add(even, odd))
