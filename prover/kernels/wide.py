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
from prover.kernels.scalar import ELEMENT, limbs, load, store

WIDE_LIMBS = 9
WIDE = types.UniTuple(types.uint64, WIDE_LIMBS)
WIDE_ZERO = (np.uint64(0),) * WIDE_LIMBS
_LIMB = ir.IntType(64)
_DOUBLE = ir.IntType(128)
_SUM = ir.IntType(64 * WIDE_LIMBS)
# What a reduction leaves, with its sign.
_REST = ir.IntType(320)
_WIDE_IR = ir.ArrayType(_LIMB, WIDE_LIMBS)
_ELEMENT_IR = ir.ArrayType(_LIMB, 4)


def _parts(builder: ir.IRBuilder, value: ir.Value, count: int) -> list[ir.Value]:
    return [builder.extract_value(value, k) for k in range(count)]


def _add_limbs(
    builder: ir.IRBuilder, *addends: ir.Value, product: tuple[ir.Value, ir.Value] | None = None
) -> tuple[ir.Value, ir.Value]:
    """Emit a sum of at most two limbs and a product, or of three limbs: low limb and carry.

    It is at most (2^64-1)^2 + 2(2^64-1) = 2^128 - 1.
    """
    total = ir.Constant(_DOUBLE, 0)
    if product is not None:
        total = builder.mul(*(builder.zext(factor, _DOUBLE) for factor in product))
    for addend in addends:
        total = builder.add(total, builder.zext(addend, _DOUBLE))
    carry = builder.trunc(builder.lshr(total, ir.Constant(_DOUBLE, 64)), _LIMB)
    return builder.trunc(total, _LIMB), carry


def _product(builder: ir.IRBuilder, a: list, b: list) -> list[ir.Value]:
    """Emit all limbs of a * b."""
    out = [ir.Constant(_LIMB, 0)] * (len(a) + len(b))
    for i, factor in enumerate(b):
        carry = ir.Constant(_LIMB, 0)
        for j, limb in enumerate(a):
            out[i + j], carry = _add_limbs(builder, out[i + j], carry, product=(limb, factor))
        out[i + len(a)] = carry
    return out


def _join(builder: ir.IRBuilder, parts: list[ir.Value]) -> ir.Value:
    total = builder.zext(parts[0], _SUM)
    for k, part in enumerate(parts[1:], 1):
        shifted = builder.shl(builder.zext(part, _SUM), ir.Constant(_SUM, 64 * k))
        total = builder.or_(total, shifted)
    return total


def _split(builder: ir.IRBuilder, wide: ir.Value) -> list[ir.Value]:
    return [
        builder.trunc(builder.lshr(wide, ir.Constant(_SUM, 64 * k)), _LIMB)
        for k in range(WIDE_LIMBS)
    ]


def _constants(value: int) -> list[ir.Value]:
    return [ir.Constant(_LIMB, int(limb)) for limb in limbs(value)]


def _emit_add(builder: ir.IRBuilder, total: ir.Value, product: list[ir.Value]) -> ir.Value:
    left = _join(builder, _parts(builder, total, WIDE_LIMBS))
    result = ir.Constant(_WIDE_IR, ir.Undefined)
    for k, limb in enumerate(_split(builder, builder.add(left, _join(builder, product)))):
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


def _emit_reduce(builder: ir.IRBuilder, limbs_in: list[ir.Value]) -> ir.Value:
    """Emit total / 2^256 mod r.

    The ninth limb is folded in first: total' = low + limb * (2^512 mod r) < 2^512 + 2^318. Four
    steps add m r for an m < 2^256 and drop four limbs, so what is left is below
    2^256 + 2^62 + r < 7r < 2^257; it loses 4r, 2r and r where it can.
    """
    *low, top = limbs_in
    folded = builder.add(
        _join(builder, low), _join(builder, _product(builder, _constants(2**512 % R), [top]))
    )
    modulus = _constants(R)
    minus_inverse = ir.Constant(_LIMB, -pow(R, -1, 2**64) % 2**64)
    t = _split(builder, folded)
    pending = ir.Constant(_LIMB, 0)
    for i in range(4):
        m, carry = builder.mul(t[i], minus_inverse), ir.Constant(_LIMB, 0)
        for j, limb in enumerate(modulus):
            t[i + j], carry = _add_limbs(builder, t[i + j], carry, product=(m, limb))
        t[i + 4], pending = _add_limbs(builder, t[i + 4], carry, pending)
    t[8] = builder.add(t[8], pending)
    rest = builder.zext(t[4], _REST)
    for k, limb in enumerate(t[5:], 1):
        shifted = builder.shl(builder.zext(limb, _REST), ir.Constant(_REST, 64 * k))
        rest = builder.or_(rest, shifted)
    for multiple in (4, 2, 1):
        less = builder.sub(rest, ir.Constant(_REST, multiple * R))
        is_negative = builder.icmp_signed("<", less, ir.Constant(_REST, 0))
        rest = builder.select(is_negative, rest, less)
    result = ir.Constant(_ELEMENT_IR, ir.Undefined)
    for k in range(4):
        limb = builder.trunc(builder.lshr(rest, ir.Constant(_REST, 64 * k)), _LIMB)
        result = builder.insert_value(result, limb, k)
    return result


def _call_reduce(builder: ir.IRBuilder, total: ir.Value) -> ir.Value:
    """Call the module's private reduction function, defining it on first use."""
    function = builder.module.globals.get("bn254_fr_reduce")
    if function is None:
        signature = ir.FunctionType(_ELEMENT_IR, [_WIDE_IR.as_pointer()])
        function = ir.Function(builder.module, signature, "bn254_fr_reduce")
        function.linkage = "linkonce_odr"
        function.attributes.add("noinline")
        function.attributes.add("nounwind")
        body = ir.IRBuilder(function.append_basic_block())
        loaded = body.load(function.args[0])
        body.ret(_emit_reduce(body, _parts(body, loaded, WIDE_LIMBS)))
    place = cgutils.alloca_once_value(builder, total)
    return builder.call(function, [place])


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


@intrinsic
def reduce_wide(typing_context, total):
    """Return total / 2^256 mod r: the element that a sum of products of elements stands for."""

    def generate(context, builder, signature, arguments):
        return _call_reduce(builder, arguments[0])

    return ELEMENT(WIDE), generate


@njit(nogil=True, cache=True)
def clear_block(totals, target, count):
    """Set wide sums target ... to zero."""
    for i in range(count):
        store_wide(totals, target + i, WIDE_ZERO)


@njit(nogil=True, cache=True)
def reduce_block(work, target, totals, first, count):
    """Write the elements of wide sums first ... to work[target ...]."""
    for i in range(count):
        store(work, target + i, reduce_wide(load_wide(totals, first + i)))


@njit(nogil=True, cache=True)
def dot_block(a, first_a, b, first_b, count):
    """Sum of a[first_a + i] * b[first_b + i] as an element."""
    total = WIDE_ZERO
    for i in range(count):
        total = add_product(total, load(a, first_a + i), load(b, first_b + i))
    return reduce_wide(total)
