"""Lane values in memory: rows of elements, typed columns, and work arrays.

An array of elements is any C-contiguous uint64 array read in groups of four limbs, as in `scalar`;
a work array is any C-contiguous uint64 array read in groups of 5 * LANES words. Nothing is checked.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from circuits.field import Q, R
from prover.kernels.lane_emission import LIMB_BITS, LIMBS, MASK, emit_canonical, pack, splat, unpack
from prover.kernels.lanes import LANE_VALUE, LANES

WORK_WORDS = LIMBS * LANES
# From x * 2^256 to x * 2^260.
STORED_TO_LANE_BITS = 4
_WORD = ir.IntType(64)
_VECTOR = ir.VectorType(_WORD, LANES)
_ROW = ir.VectorType(_WORD, 4)
_INDEX = ir.IntType(32)
_WORD_BYTES = 8


def _is_words(candidate) -> bool:
    return (
        isinstance(candidate, types.Array)
        and candidate.dtype == types.uint64
        and candidate.layout == "C"
    )


def word_address(context, builder, array_type, array, word: ir.Value, element) -> ir.Value:
    """Emit a pointer to an `element` at a word of an array."""
    data = context.make_array(array_type)(context, builder, array).data
    pointer = builder.gep(builder.bitcast(data, _WORD.as_pointer()), [word])
    return builder.bitcast(pointer, element.as_pointer())


def _shuffle(builder: ir.IRBuilder, a: ir.Value, b: ir.Value, order: list[int]) -> ir.Value:
    mask = ir.Constant(ir.VectorType(_INDEX, len(order)), order)
    return builder.shuffle_vector(a, b, mask)


def _transpose_rows(builder: ir.IRBuilder, rows: list[ir.Value]) -> list[ir.Value]:
    """Four vectors of four: column k of the rows is vector k of the result, and back."""
    even = [_shuffle(builder, rows[k], rows[k + 1], [0, 4, 2, 6]) for k in (0, 2)]
    odd = [_shuffle(builder, rows[k], rows[k + 1], [1, 5, 3, 7]) for k in (0, 2)]
    return [
        _shuffle(builder, upper, lower, order)
        for order in ([0, 1, 4, 5], [2, 3, 6, 7])
        for upper, lower in (even, odd)
    ]


def split_rows(builder: ir.IRBuilder, rows: list[ir.Value], scale_bits: int = 0) -> list[ir.Value]:
    """Emit LANES rows of four 64-bit limbs, times 2^scale_bits, as five vectors of 52-bit limbs."""
    quarters = [_transpose_rows(builder, rows[k : k + 4]) for k in range(0, LANES, 4)]
    words = [
        _shuffle(builder, quarters[0][k], quarters[1][k], list(range(LANES))) for k in range(4)
    ]
    limbs = []
    for k in range(LIMBS):
        if scale_bits and k == 0:
            limbs.append(builder.and_(builder.shl(words[0], splat(scale_bits)), splat(MASK)))
            continue
        word, shift = divmod(LIMB_BITS * k - scale_bits, 64)
        part = builder.lshr(words[word], splat(shift))
        if 64 - shift < LIMB_BITS and word + 1 < 4:
            part = builder.or_(part, builder.shl(words[word + 1], splat(64 - shift)))
        limbs.append(builder.and_(part, splat(MASK)))
    return limbs


def _join_rows(builder: ir.IRBuilder, limbs: list[ir.Value]) -> list[ir.Value]:
    """The inverse of _split_rows, for limbs below 2^52 of values below 2^256."""
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
    rows = []
    for k in range(0, LANES, 4):
        quarter = [_shuffle(builder, word, word, list(range(k, k + 4))) for word in words]
        rows += _transpose_rows(builder, quarter)
    return rows


def _make_load(scale_bits: int):
    @intrinsic
    def load_rows(typing_context, array, index, stride):
        if not _is_words(array):
            return None

        def generate(context, builder, signature, arguments):
            array_value, position, stride = arguments
            rows = []
            for _ in range(LANES):
                word = builder.shl(position, ir.Constant(_WORD, 2))
                place = word_address(context, builder, signature.args[0], array_value, word, _ROW)
                rows.append(builder.load(place, align=_WORD_BYTES))
                position = builder.add(position, stride)
            return pack(builder, split_rows(builder, rows, scale_bits))

        return LANE_VALUE(array, types.int64, types.int64), generate

    return load_rows


# Elements index, index + stride, ... (LANES of them) as they are stored: (array, index, stride).
load_strided = _make_load(0)
# The same in lane form, below 16 p: only for a factor of a product.
load_strided_scaled = _make_load(STORED_TO_LANE_BITS)


@njit(nogil=True, inline="always")
def load(array, index):
    """Return elements index .. index + LANES - 1 of an array of elements, as they are stored."""
    return load_strided(array, index, 1)


@njit(nogil=True, inline="always")
def load_scaled(array, index):
    """Return elements index .. index + LANES - 1 in lane form, below 16 p."""
    return load_strided_scaled(array, index, 1)


@intrinsic
def gather(typing_context, array, positions, start):
    """Return elements positions[start], positions[start + 1], ... as they are stored.

    `positions` is a C-contiguous int64 or int32 array.
    """
    if not _is_words(array):
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
    if not _is_words(array):
        return None

    def generate(context, builder, signature, arguments):
        word = builder.shl(arguments[1], ir.Constant(_WORD, 2))
        place = word_address(context, builder, signature.args[0], arguments[0], word, _ROW)
        row = builder.load(place, align=_WORD_BYTES)
        return pack(builder, split_rows(builder, [row] * LANES))

    return LANE_VALUE(array, types.int64), generate


@intrinsic
def load_small(typing_context, array, index):
    """Return entries index .. of an unsigned array of 8, 16, 32 or 64 bits, as plain integers."""
    if not isinstance(array, types.Array) or not isinstance(array.dtype, types.Integer):
        return None

    def generate(context, builder, signature, arguments):
        narrow = context.get_data_type(signature.args[0].dtype)
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.bitcast(
            builder.gep(data, [arguments[1]]), ir.VectorType(narrow, LANES).as_pointer()
        )
        entries = builder.load(place, align=narrow.width // 8)
        if narrow.width < 64:
            entries = builder.zext(entries, _VECTOR)
        low = builder.and_(entries, splat(MASK))
        high = builder.lshr(entries, splat(LIMB_BITS))
        return pack(builder, [low, high, *[splat(0)] * (LIMBS - 2)])

    return LANE_VALUE(array, types.int64), generate


def _make_store(modulus: int):
    @intrinsic
    def store_strided(typing_context, array, index, stride, value):
        if not _is_words(array) or not array.mutable:
            return None

        def generate(context, builder, signature, arguments):
            array_value, position, stride, value = arguments
            limbs = emit_canonical(builder, unpack(builder, value), modulus)
            for row in _join_rows(builder, limbs):
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
# strided ones take (array, index, stride, value).
fr_store, fr_store_strided = _make_store(R)
fq_store, fq_store_strided = _make_store(Q)


@intrinsic
def get(typing_context, work, group):
    """Return the group-th lane value of a work array."""
    if not _is_words(work):
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
    if not _is_words(work) or not work.mutable:
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
