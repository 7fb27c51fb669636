"""Sums of products of Fr elements that are reduced once, at the end.

A *wide sum* is a tuple of nine uint64 limbs, an integer below 2^576. A product of two elements is
below p^2 < 2^508, so 2^64 of them fit. Adding one costs half a multiplication: the other half is
the reduction, which `reduce_wide` does for the whole sum at the cost of three multiplications.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from circuits.field import R
from prover.kernels.scalar import ELEMENT, PLAIN_ONE, fr_add, fr_mul, limbs, load, store

WIDE_LIMBS = 9
WIDE = types.UniTuple(types.uint64, WIDE_LIMBS)
WIDE_ZERO = (np.uint64(0),) * WIDE_LIMBS
_LIMB = ir.IntType(64)
_DOUBLE = ir.IntType(128)
_SUM = ir.IntType(64 * WIDE_LIMBS)
_WIDE_IR = ir.ArrayType(_LIMB, WIDE_LIMBS)
_2_192 = limbs(2**192)
_2_384 = limbs(2**384 % R)
_NO_LIMB = np.uint64(0)


def _parts(builder: ir.IRBuilder, value: ir.Value, count: int) -> list[ir.Value]:
    return [builder.extract_value(value, k) for k in range(count)]


def _product(builder: ir.IRBuilder, a: list, b: list) -> list[ir.Value]:
    """Emit all limbs of a * b. A 128-bit sum is at most (2^64-1)^2 + 2(2^64-1) = 2^128 - 1."""
    out = [ir.Constant(_LIMB, 0)] * (len(a) + len(b))
    for i, factor in enumerate(b):
        carry = ir.Constant(_LIMB, 0)
        for j, limb in enumerate(a):
            total = builder.mul(builder.zext(limb, _DOUBLE), builder.zext(factor, _DOUBLE))
            for addend in (out[i + j], carry):
                total = builder.add(total, builder.zext(addend, _DOUBLE))
            out[i + j] = builder.trunc(total, _LIMB)
            carry = builder.trunc(builder.lshr(total, ir.Constant(_DOUBLE, 64)), _LIMB)
        out[i + len(a)] = carry
    return out


def _join(builder: ir.IRBuilder, parts: list[ir.Value]) -> ir.Value:
    total = builder.zext(parts[0], _SUM)
    for k, part in enumerate(parts[1:], 1):
        shifted = builder.shl(builder.zext(part, _SUM), ir.Constant(_SUM, 64 * k))
        total = builder.or_(total, shifted)
    return total


def _emit_add(builder: ir.IRBuilder, total: ir.Value, product: list[ir.Value]) -> ir.Value:
    left = _join(builder, _parts(builder, total, WIDE_LIMBS))
    sum_value = builder.add(left, _join(builder, product))
    result = ir.Constant(_WIDE_IR, ir.Undefined)
    for k in range(WIDE_LIMBS):
        limb = builder.trunc(builder.lshr(sum_value, ir.Constant(_SUM, 64 * k)), _LIMB)
        result = builder.insert_value(result, limb, k)
    return result


@intrinsic
def add_product(typing_context, total, a, b):
    """Return the wide sum `total` + a * b."""

    def generate(context, builder, signature, arguments):
        total, a, b = arguments
        product = _product(builder, _parts(builder, a, 4), _parts(builder, b, 4))
        return _emit_add(builder, total, product)

    return WIDE(WIDE, ELEMENT, ELEMENT), generate


@intrinsic
def add_small_product(typing_context, total, a, small):
    """Return the wide sum `total` + a * small for a plain 64-bit integer."""

    def generate(context, builder, signature, arguments):
        total, a, small = arguments
        return _emit_add(builder, total, _product(builder, _parts(builder, a, 4), [small]))

    return WIDE(WIDE, ELEMENT, types.uint64), generate


def _wide_pointer(context, builder, array_type, array, index) -> ir.Value:
    data = context.make_array(array_type)(context, builder, array).data
    start = builder.mul(index, ir.Constant(_LIMB, WIDE_LIMBS))
    return builder.gep(builder.bitcast(data, _LIMB.as_pointer()), [start])


@intrinsic
def load_wide(typing_context, array, index):
    """Return the index-th wide sum of a C-contiguous uint64 array."""

    def generate(context, builder, signature, arguments):
        pointer = _wide_pointer(context, builder, signature.args[0], *arguments)
        result = ir.Constant(_WIDE_IR, ir.Undefined)
        for k in range(WIDE_LIMBS):
            limb = builder.load(builder.gep(pointer, [ir.Constant(_LIMB, k)]))
            result = builder.insert_value(result, limb, k)
        return result

    return WIDE(array, types.int64), generate


@intrinsic
def store_wide(typing_context, array, index, total):
    """Write the index-th wide sum of a C-contiguous uint64 array."""

    def generate(context, builder, signature, arguments):
        pointer = _wide_pointer(context, builder, signature.args[0], *arguments[:2])
        for k, limb in enumerate(_parts(builder, arguments[2], WIDE_LIMBS)):
            builder.store(limb, builder.gep(pointer, [ir.Constant(_LIMB, k)]))
        return cgutils.get_null_value(context.get_value_type(types.none))

    return types.none(array, types.int64, WIDE), generate


@njit(nogil=True, cache=True)
def reduce_wide(total):
    """Return total / 2^256 mod r: the element that a sum of products of elements stands for."""
    # Three parts of 192 bits, each below r as the product asks of its operands.
    low = (total[0], total[1], total[2], _NO_LIMB)
    middle = (total[3], total[4], total[5], _NO_LIMB)
    high = (total[6], total[7], total[8], _NO_LIMB)
    upper = fr_add(fr_mul(middle, _2_192), fr_mul(high, _2_384))
    return fr_add(fr_mul(low, PLAIN_ONE), upper)


@njit(nogil=True, cache=True)
def clear_block(totals, count):
    """Set the first wide sums to zero."""
    for i in range(count):
        store_wide(totals, i, WIDE_ZERO)


@njit(nogil=True, cache=True)
def reduce_block(work, target, totals, count):
    """Write the elements of the first wide sums to work[target ...]."""
    for i in range(count):
        store(work, target + i, reduce_wide(load_wide(totals, i)))


@njit(nogil=True, cache=True)
def dot_block(a, first_a, b, first_b, count):
    """Sum of a[first_a + i] * b[first_b + i] as an element."""
    total = WIDE_ZERO
    for i in range(count):
        total = add_product(total, load(a, first_a + i), load(b, first_b + i))
    return reduce_wide(total)
