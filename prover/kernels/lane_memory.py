"""Lane values in memory: rows of elements and work arrays.

An array of elements is any C-contiguous uint64 array read in groups of four limbs, as in `scalar`;
a work array is any C-contiguous uint64 array read in groups of 5 * LANES words. Nothing is checked.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from circuits.field import Q, R
from prover.kernels import scalar
from prover.kernels.lane_emission import LIMB_BITS, LIMBS, MASK, emit_canonical, pack, splat, unpack
from prover.kernels.lanes import LANE_VALUE, LANES
from prover.kernels.scalar import is_limb_array

WORK_WORDS = LIMBS * LANES
_WORD = ir.IntType(64)
_VECTOR = ir.VectorType(_WORD, LANES)
_ROW = ir.VectorType(_WORD, 4)
_INDEX = ir.IntType(32)
_WORD_BYTES = 8


def word_address(context, builder, array_type, array, word: ir.Value, element) -> ir.Value:
    """Emit a pointer to an `element` at a word of an array."""
    data = context.make_array(array_type)(context, builder, array).data
    pointer = builder.gep(builder.bitcast(data, _WORD.as_pointer()), [word])
    return builder.bitcast(pointer, element.as_pointer())


def _shuffle(builder: ir.IRBuilder, a: ir.Value, b: ir.Value, order: list[int]) -> ir.Value:
    mask = ir.Constant(ir.VectorType(_INDEX, len(order)), order)
    return builder.shuffle_vector(a, b, mask)


def _transpose(builder: ir.IRBuilder, pairs: list[ir.Value]) -> list[ir.Value]:
    """Four vectors of two halves of four each: element j of half h of vector k becomes element k of
    half h of vector j.

    In units that a processor with AVX-512 or AVX2 moves in one instruction.
    """
    (a, b, c, d), evens = pairs, [0, 8, 2, 10, 4, 12, 6, 14]
    odds = [place + 1 for place in evens]
    even = [_shuffle(builder, a, b, evens), _shuffle(builder, c, d, evens)]
    odd = [_shuffle(builder, a, b, odds), _shuffle(builder, c, d, odds)]
    return [
        _shuffle(builder, upper, lower, order)
        for order in ([0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15])
        for upper, lower in (even, odd)
    ]


def split_rows(builder: ir.IRBuilder, rows: list[ir.Value]) -> list[ir.Value]:
    """Emit LANES rows of four 64-bit limbs as five vectors of 52-bit limbs."""
    half = LANES // 2
    pairs = [_shuffle(builder, rows[k], rows[k + half], list(range(LANES))) for k in range(half)]
    words = _transpose(builder, pairs)
    limbs = []
    for k in range(LIMBS):
        word, shift = divmod(LIMB_BITS * k, 64)
        part = builder.lshr(words[word], splat(shift))
        if 64 - shift < LIMB_BITS and word + 1 < 4:
            part = builder.or_(part, builder.shl(words[word + 1], splat(64 - shift)))
        limbs.append(builder.and_(part, splat(MASK)))
    return limbs


def join_rows(builder: ir.IRBuilder, limbs: list[ir.Value]) -> list[ir.Value]:
    """The inverse of split_rows, for limbs below 2^52 of values below 2^256."""
    words = []
    for k in range(4):
        word = None
        for j, limb in enumerate(limbs):
            shift = LIMB_BITS * j - 64 * k
            if -LIMB_BITS < shift < 64:
                amount = splat(abs(shift))
                part = builder.shl(limb, amount) if shift >= 0 else builder.lshr(limb, amount)
                word = part if word is None else builder.or_(word, part)
        words.append(word)
    pairs = _transpose(builder, words)
    return [
        _shuffle(builder, pair, pair, list(range(first, first + LANES // 2)))
        for first in (0, LANES // 2)
        for pair in pairs
    ]


@intrinsic
def load_strided(typing_context, array, index, stride):
    """Return elements index, index + stride, ... (LANES of them) as they are stored."""
    if not is_limb_array(array):
        return None

    def generate(context, builder, signature, arguments):
        array_value, position, stride = arguments
        rows = []
        for _ in range(LANES):
            word = builder.shl(position, ir.Constant(_WORD, 2))
            place = word_address(context, builder, signature.args[0], array_value, word, _ROW)
            rows.append(builder.load(place, align=_WORD_BYTES))
            position = builder.add(position, stride)
        return pack(builder, split_rows(builder, rows))

    return LANE_VALUE(array, types.int64, types.int64), generate


@njit(nogil=True, inline="always")
def load(array, index):
    """Return elements index .. index + LANES - 1 of an array of elements, as they are stored."""
    return load_strided(array, index, 1)


@intrinsic
def gather(typing_context, array, positions, start):
    """Return elements positions[start], positions[start + 1], ... as they are stored.

    `positions` is a C-contiguous int64 or int32 array.
    """
    if not is_limb_array(array):
        return None

    def generate(context, builder, signature, arguments):
        index_type = context.get_data_type(signature.args[1].dtype)
        data = context.make_array(signature.args[1])(context, builder, arguments[1]).data
        rows = []
        for k in range(LANES):
            place = builder.gep(data, [builder.add(arguments[2], ir.Constant(_WORD, k))])
            position = builder.load(builder.bitcast(place, index_type.as_pointer()))
            if index_type.width < 64:
                position = builder.sext(position, _WORD)
            word = builder.shl(position, ir.Constant(_WORD, 2))
            row = word_address(context, builder, signature.args[0], arguments[0], word, _ROW)
            rows.append(builder.load(row, align=_WORD_BYTES))
        return pack(builder, split_rows(builder, rows))

    return LANE_VALUE(array, positions, types.int64), generate


@intrinsic
def load_one(typing_context, array, index):
    """Return one element in every lane, as it is stored."""
    if not is_limb_array(array):
        return None

    def generate(context, builder, signature, arguments):
        word = builder.shl(arguments[1], ir.Constant(_WORD, 2))
        place = word_address(context, builder, signature.args[0], arguments[0], word, _ROW)
        row = builder.load(place, align=_WORD_BYTES)
        return pack(builder, split_rows(builder, [row] * LANES))

    return LANE_VALUE(array, types.int64), generate


def _make_store(modulus: int):
    @intrinsic
    def store_strided(typing_context, array, index, stride, value):
        if not is_limb_array(array) or not array.mutable:
            return None

        def generate(context, builder, signature, arguments):
            array_value, position, stride, value = arguments
            limbs = emit_canonical(builder, unpack(builder, value), modulus)
            for row in join_rows(builder, limbs):
                word = builder.shl(position, ir.Constant(_WORD, 2))
                place = word_address(context, builder, signature.args[0], array_value, word, _ROW)
                builder.store(row, place, align=_WORD_BYTES)
                position = builder.add(position, stride)
            return cgutils.get_null_value(context.get_value_type(types.none))

        return types.none(array, types.int64, types.int64, LANE_VALUE), generate

    @njit(nogil=True, inline="always")
    def store(array, index, value):
        store_strided(array, index, 1, value)

    return store, store_strided


# Write LANES canonical elements from element `index` on, (array, index, value below 4 p); the
# strided one takes (array, index, stride, value).
fr_store, fr_store_strided = _make_store(R)
fq_store, _ = _make_store(Q)


@intrinsic
def get(typing_context, work, group):
    """Return the group-th lane value of a work array."""
    if not is_limb_array(work):
        return None

    def generate(context, builder, signature, arguments):
        word = builder.mul(arguments[1], ir.Constant(_WORD, WORK_WORDS))
        base = word_address(context, builder, signature.args[0], arguments[0], word, _VECTOR)
        parts = [
            builder.load(builder.gep(base, [ir.Constant(_WORD, k)]), align=_WORD_BYTES)
            for k in range(LIMBS)
        ]
        return pack(builder, parts)

    return LANE_VALUE(work, types.int64), generate


@intrinsic
def put(typing_context, work, group, value):
    """Write the group-th lane value of a work array, limbs as they are."""
    if not is_limb_array(work) or not work.mutable:
        return None

    def generate(context, builder, signature, arguments):
        word = builder.mul(arguments[1], ir.Constant(_WORD, WORK_WORDS))
        base = word_address(context, builder, signature.args[0], arguments[0], word, _VECTOR)
        for k, part in enumerate(unpack(builder, arguments[2])):
            builder.store(part, builder.gep(base, [ir.Constant(_WORD, k)]), align=_WORD_BYTES)
        return cgutils.get_null_value(context.get_value_type(types.none))

    return types.none(work, types.int64, LANE_VALUE), generate


def new_work(groups: int) -> np.ndarray:
    """A work array for `groups` lane values, all zero."""
    return np.zeros((groups, LIMBS, LANES), dtype=np.uint64)


@njit(nogil=True, cache=True)
def sum_lanes(value):
    """The sum of a lane value's elements, as a scalar element."""
    rows = np.empty((LANES, 4), dtype=np.uint64)
    fr_store(rows, 0, value)
    total = scalar.load(rows, 0)
    for lane in range(1, LANES):
        total = scalar.fr_add(total, scalar.load(rows, lane))
    return total
