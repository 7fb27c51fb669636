"""Curve points in lanes: coordinates by signed reference, and loose arithmetic modulo q.

A *reference* is 2 * row + sign in an int32 array; the rows are points as in `g1`: x, then y. Eight
consecutive references name a lane value of x or of y coordinates.

A *loose* coordinate is below 4 q plus a 2^-37th of q; it fits in four 64-bit words. A *raw* lane
value is a sum or difference of others limb by limb: its limbs have a sign and nothing is carried.
Limbs of up to 2^57 in absolute value are allowed. `lift_*` adds a multiple of q that makes the
value positive, and carries; `settle_*` also comes back to a loose coordinate. Neither compares
more than the highest limb, which decides all but that 2^-37th.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from circuits.field import Q
from prover.kernels.lane_emission import (
    LIMB_BITS,
    LIMBS,
    emit_carry,
    emit_constants,
    limbs52,
    pack,
    splat,
    unpack,
)
from prover.kernels.lane_memory import join_rows, split_rows, word_address
from prover.kernels.lanes import LANE_VALUE, LANES
from prover.kernels.scalar import is_limb_array

_WORD = ir.IntType(64)
_NARROW = ir.IntType(32)
_VECTOR = ir.VectorType(_WORD, LANES)
_NARROW_VECTOR = ir.VectorType(_NARROW, LANES)
_ROW = ir.VectorType(_WORD, 4)
_WORD_BYTES, _NARROW_BYTES = 8, 4
# What a limb lends the one below it, in powers of two: more than a raw limb can be negative.
_LENT_BITS = 58


def _is_references(candidate) -> bool:
    return isinstance(candidate, types.Array) and candidate.dtype == types.int32


def _load_references(context, builder, array_type, array, start) -> ir.Value:
    data = context.make_array(array_type)(context, builder, array).data
    place = builder.bitcast(builder.gep(data, [start]), _NARROW_VECTOR.as_pointer())
    return builder.load(place, align=_NARROW_BYTES)


def _row_places(context, builder, signature, arguments, part: int) -> list[ir.Value]:
    """Pointers to one coordinate of each of the referenced points."""
    references = _load_references(context, builder, signature.args[1], *arguments[1:3])
    places = []
    for k in range(LANES):
        reference = builder.extract_element(references, ir.Constant(_NARROW, k))
        # The coordinate comes last: x and y then share all but a constant.
        even = builder.and_(reference, ir.Constant(_NARROW, -2 % 2**32))
        word = builder.shl(builder.zext(even, _WORD), ir.Constant(_WORD, 2))
        word = builder.add(word, ir.Constant(_WORD, 4 * part))
        places.append(word_address(context, builder, signature.args[0], arguments[0], word, _ROW))
    return places


def _make_gather(part: int):
    @intrinsic
    def gather(typing_context, points, references, start):
        if not (is_limb_array(points) and _is_references(references)):
            return None

        def generate(context, builder, signature, arguments):
            places = _row_places(context, builder, signature, arguments, part)
            rows = [builder.load(place, align=_WORD_BYTES) for place in places]
            return pack(builder, split_rows(builder, rows))

        return LANE_VALUE(points, references, types.int64), generate

    return gather


# (points, references, start) -> the x or y coordinates as they are stored.
gather_x = _make_gather(0)
gather_y = _make_gather(1)


def _make_scatter(part: int):
    @intrinsic
    def scatter(typing_context, points, references, start, value):
        if not (is_limb_array(points) and points.mutable and _is_references(references)):
            return None

        def generate(context, builder, signature, arguments):
            places = _row_places(context, builder, signature, arguments, part)
            rows = join_rows(builder, unpack(builder, arguments[3]))
            for row, place in zip(rows, places, strict=True):
                builder.store(row, place, align=_WORD_BYTES)
            return cgutils.get_null_value(context.get_value_type(types.none))

        return types.none(points, references, types.int64, LANE_VALUE), generate

    return scatter


# (points, references, start, loose value): write x or y coordinates, limbs as they are.
scatter_x = _make_scatter(0)
scatter_y = _make_scatter(1)


@intrinsic
def prefetch_rows(typing_context, points, references, start):
    """Ask for the lines of the cache that the points of eight references begin in."""
    if not (is_limb_array(points) and _is_references(references)):
        return None

    def generate(context, builder, signature, arguments):
        byte = ir.IntType(8).as_pointer()
        hint = builder.module.declare_intrinsic(
            "llvm.prefetch", [byte], ir.FunctionType(ir.VoidType(), [byte] + [_NARROW] * 3)
        )
        # For reading (0), to be kept in every cache level (3), data rather than code (1).
        hints = [ir.Constant(_NARROW, each) for each in (0, 3, 1)]
        for place in _row_places(context, builder, signature, arguments, 0):
            builder.call(hint, [builder.bitcast(place, byte), *hints])
        return cgutils.get_null_value(context.get_value_type(types.none))

    return types.none(points, references, types.int64), generate


@intrinsic
def flip(typing_context, value, references, start):
    """Return the raw value with the lanes negated whose reference has its sign bit set."""
    if not _is_references(references):
        return None

    def generate(context, builder, signature, arguments):
        loaded = _load_references(context, builder, signature.args[1], *arguments[1:])
        one = ir.Constant(_NARROW_VECTOR, [1] * LANES)
        mask = builder.neg(builder.zext(builder.and_(loaded, one), _VECTOR))
        parts = unpack(builder, arguments[0])
        flipped = [builder.sub(builder.xor(part, mask), mask) for part in parts]
        return pack(builder, flipped)

    return LANE_VALUE(LANE_VALUE, references, types.int64), generate


@intrinsic
def zero_words(typing_context, value):
    """Return a bit mask of the lanes whose limbs are all zero, whatever zero is modulo q."""

    def generate(context, builder, signature, arguments):
        together = None
        for part in unpack(builder, arguments[0]):
            together = part if together is None else builder.or_(together, part)
        return builder.bitcast(builder.icmp_unsigned("==", together, splat(0)), ir.IntType(8))

    return types.uint8(LANE_VALUE), generate


@intrinsic
def raw_sub(typing_context, a, b):
    """Return a - b limb by limb."""

    def generate(context, builder, signature, arguments):
        pairs = zip(*(unpack(builder, each) for each in arguments), strict=True)
        return pack(builder, [builder.sub(x, y) for x, y in pairs])

    return LANE_VALUE(LANE_VALUE, LANE_VALUE), generate


def _make_raw_shift(bits: int):
    @intrinsic
    def raw_shift(typing_context, a):
        def generate(context, builder, signature, arguments):
            parts = unpack(builder, arguments[0])
            return pack(builder, [builder.shl(part, splat(bits)) for part in parts])

        return LANE_VALUE(LANE_VALUE), generate

    return raw_shift


# Twice and four times a raw value.
raw_twice = _make_raw_shift(1)
raw_four_times = _make_raw_shift(2)


def _raised(multiple: int) -> list[int]:
    """Limbs of a multiple of q, each lent 2^58 by the one above."""
    raised = limbs52(multiple * Q)
    for k in range(LIMBS - 1):
        raised[k] += 1 << _LENT_BITS
        raised[k + 1] -= 1 << (_LENT_BITS - LIMB_BITS)
    return raised


def _make_settle(multiple: int, subtracted: tuple[int, ...]):
    """Add a multiple of q, then take others away where the highest limb says they fit."""

    @intrinsic
    def settle(typing_context, raw):
        def generate(context, builder, signature, arguments):
            words = _raised(multiple)
            for each in subtracted:
                limbs = limbs52(each * Q)
                # All other limbs are below 2^59: together less than 2^8 of the highest.
                words += [*limbs, limbs[-1] + (1 << 8)]
            constants = emit_constants(builder, words)
            parts = unpack(builder, arguments[0])
            parts = [builder.add(*each) for each in zip(parts, constants[:LIMBS], strict=True)]
            for start in range(LIMBS, len(words), LIMBS + 1):
                *limbs, bound = constants[start : start + LIMBS + 1]
                fits = builder.icmp_signed(">", parts[-1], bound)
                parts = [
                    builder.select(fits, builder.sub(part, limb), part)
                    for part, limb in zip(parts, limbs, strict=True)
                ]
            return pack(builder, emit_carry(builder, parts))

        return LANE_VALUE(LANE_VALUE), generate

    return settle


# The number is how many times q a raw value may be negative. What `settle_*` takes ends below 16 q
# with that added.
lift_5 = _make_settle(5, ())
lift_9 = _make_settle(9, ())
lift_17 = _make_settle(17, ())
settle_5 = _make_settle(5, (8, 4))
settle_14 = _make_settle(14, (8, 4))
