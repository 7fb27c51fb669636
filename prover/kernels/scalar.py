"""BN254 field arithmetic for compiled kernels: values, not arrays.

An *element* is a tuple of four uint64 limbs, least significant first, in Montgomery form
(x * 2^256 mod p) and canonical (below p). Inside any `@njit` function::

    from prover.kernels.scalar import fr_add, fr_mul, load, store

    @njit(nogil=True, cache=True)
    def kernel(start, stop, out, a, b):
        for i in range(start, stop):
            store(out, i, fr_add(fr_mul(load(a, i), load(b, i)), load(a, i)))

`load(array, k)` and `store(array, k, element)` address the k-th group of four limbs of any
C-contiguous uint64 array, whatever its shape: row k of uint64[n, 4], the x (2i) or y (2i + 1)
coordinate in uint64[n, 8], entry c * rows + i of uint64[columns, rows, 4]. They check nothing.

Multiplication is one compiled function that is called, never inlined (its body is about 200
instructions and would dominate compile time); addition and subtraction are inlined.
"""

from collections.abc import Callable

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from circuits.field import Q, R
from prover.kernels.inversion import inverse_mod_q, inverse_mod_r

MONTGOMERY_BITS = 256
_LIMB = ir.IntType(64)
_DOUBLE = ir.IntType(128)
_WIDE = ir.IntType(256)
_ELEMENT_IR = ir.ArrayType(_LIMB, 4)
ELEMENT = types.UniTuple(types.uint64, 4)

Element = tuple[np.uint64, np.uint64, np.uint64, np.uint64]


def limbs(value: int) -> Element:
    """Split an integer below 2^256 into four limbs, least significant first."""
    low, second, third, high = ((value >> shift) & (2**64 - 1) for shift in (0, 64, 128, 192))
    return np.uint64(low), np.uint64(second), np.uint64(third), np.uint64(high)


FR_MODULUS = limbs(R)
FR_ONE = limbs(2**MONTGOMERY_BITS % R)
FR_R2 = limbs(2 ** (2 * MONTGOMERY_BITS) % R)
FR_2_64 = limbs(2 ** (MONTGOMERY_BITS + 64) % R)
FQ_ONE = limbs(2**MONTGOMERY_BITS % Q)
FQ_R2 = limbs(2 ** (2 * MONTGOMERY_BITS) % Q)
PLAIN_ONE = limbs(1)
ZERO = limbs(0)
_FR_R3 = limbs(2 ** (3 * MONTGOMERY_BITS) % R)
_FQ_R3 = limbs(2 ** (3 * MONTGOMERY_BITS) % Q)

# A place and strides that kernels hand to each other: Numba compiles a function anew for every
# literal argument, and these are variables.
FIRST = np.int64(0)
SAME, EVERY, EVERY_OTHER = map(np.int64, range(3))


def _unpack(builder: ir.IRBuilder, element: ir.Value) -> list[ir.Value]:
    return [builder.extract_value(element, k) for k in range(4)]


def _pack(builder: ir.IRBuilder, parts: list[ir.Value]) -> ir.Value:
    element = ir.Constant(_ELEMENT_IR, ir.Undefined)
    for k, part in enumerate(parts):
        element = builder.insert_value(element, part, k)
    return element


def _join(builder: ir.IRBuilder, parts: list[ir.Value]) -> ir.Value:
    wide = builder.zext(parts[0], _WIDE)
    for k in range(1, 4):
        shifted = builder.shl(builder.zext(parts[k], _WIDE), ir.Constant(_WIDE, 64 * k))
        wide = builder.or_(wide, shifted)
    return wide


def _split(builder: ir.IRBuilder, wide: ir.Value) -> list[ir.Value]:
    return [builder.trunc(builder.lshr(wide, ir.Constant(_WIDE, 64 * k)), _LIMB) for k in range(4)]


def _reduce_once(builder: ir.IRBuilder, wide: ir.Value, modulus: int) -> ir.Value:
    # For 0 <= wide < 2p: both differences fit 255 bits, so bit 255 is the sign.
    less = builder.sub(wide, ir.Constant(_WIDE, modulus))
    is_negative = builder.icmp_signed("<", less, ir.Constant(_WIDE, 0))
    return builder.select(is_negative, wide, less)


def _emit_mul(builder: ir.IRBuilder, a: list, b: list, modulus: int) -> list[ir.Value]:
    """Emit a * b / 2^(64 k) mod p for k limbs of b, interleaving product and reduction.

    Assumes: a < p, top limb of p < 2^63 - 1; b is any number of k limbs. Then after each step the
    accumulator t is below (2p + (2^64-1)(a + p)) / 2^64 < 2p < 2^255, and every 128-bit sum is at
    most (2^64-1)^2 + 2(2^64-1) = 2^128 - 1, so nothing wraps and no fifth limb is needed.
    """

    def high(value):
        return builder.trunc(builder.lshr(value, ir.Constant(_DOUBLE, 64)), _LIMB)

    def multiply_add(x, y, *addends):
        total = builder.mul(builder.zext(x, _DOUBLE), builder.zext(y, _DOUBLE))
        for addend in addends:
            total = builder.add(total, builder.zext(addend, _DOUBLE))
        return high(total), builder.trunc(total, _LIMB)

    p = [ir.Constant(_LIMB, int(limb)) for limb in limbs(modulus)]
    minus_inverse = ir.Constant(_LIMB, -pow(modulus, -1, 2**64) % 2**64)
    t = [ir.Constant(_LIMB, 0)] * 4
    for factor in b:
        carry_product, low = multiply_add(a[0], factor, t[0])
        m = builder.mul(low, minus_inverse)
        carry_reduction, _ = multiply_add(m, p[0], low)
        for j in range(1, 4):
            carry_product, low = multiply_add(a[j], factor, t[j], carry_product)
            carry_reduction, t[j - 1] = multiply_add(m, p[j], low, carry_reduction)
        t[3] = builder.add(carry_reduction, carry_product)
    return _split(builder, _reduce_once(builder, _join(builder, t), modulus))


def _emit_add(builder: ir.IRBuilder, a: list, b: list, modulus: int) -> list[ir.Value]:
    # a, b < p < 2^254: the sum is below 2^255.
    total = builder.add(_join(builder, a), _join(builder, b))
    return _split(builder, _reduce_once(builder, total, modulus))


def _emit_sub(builder: ir.IRBuilder, a: list, b: list, modulus: int) -> list[ir.Value]:
    # a, b < p: the difference lies in (-p, p) and bit 255 is its sign.
    difference = builder.sub(_join(builder, a), _join(builder, b))
    is_negative = builder.icmp_signed("<", difference, ir.Constant(_WIDE, 0))
    correction = builder.select(is_negative, ir.Constant(_WIDE, modulus), ir.Constant(_WIDE, 0))
    return _split(builder, builder.add(difference, correction))


def _call_mul(builder: ir.IRBuilder, a: list, b: list, name: str, modulus: int) -> ir.Value:
    """Call the module's private multiplication function, defining it on first use."""
    module = builder.module
    # Eight limbs in registers and four back: the default convention spills to memory on x86-64.
    convention = "x86_regcallcc" if module.triple.startswith("x86_64") else ""
    function = module.globals.get(name)
    if function is None:
        signature = ir.FunctionType(_ELEMENT_IR, [_LIMB] * 8)
        function = ir.Function(module, signature, name)
        function.linkage = "linkonce_odr"
        function.calling_convention = convention
        function.attributes.add("noinline")
        function.attributes.add("nounwind")
        body = ir.IRBuilder(function.append_basic_block())
        arguments = list(function.args)
        body.ret(_pack(body, _emit_mul(body, arguments[:4], arguments[4:], modulus)))
    return builder.call(function, [*a, *b], cconv=convention)


def _binary(emit: Callable[[ir.IRBuilder, list, list], ir.Value]):
    """Make an intrinsic (element, element) -> element."""

    @intrinsic
    def operation(typing_context, a, b):
        def generate(context, builder, signature, arguments):
            return emit(builder, _unpack(builder, arguments[0]), _unpack(builder, arguments[1]))

        return ELEMENT(ELEMENT, ELEMENT), generate

    return operation


fr_mul = _binary(lambda builder, a, b: _call_mul(builder, a, b, "bn254_fr_mul", R))
fr_add = _binary(lambda builder, a, b: _pack(builder, _emit_add(builder, a, b, R)))
fr_sub = _binary(lambda builder, a, b: _pack(builder, _emit_sub(builder, a, b, R)))
fq_mul = _binary(lambda builder, a, b: _call_mul(builder, a, b, "bn254_fq_mul", Q))
fq_add = _binary(lambda builder, a, b: _pack(builder, _emit_add(builder, a, b, Q)))
fq_sub = _binary(lambda builder, a, b: _pack(builder, _emit_sub(builder, a, b, Q)))


@intrinsic
def fr_mul_small(typing_context, a, small):
    """Return a * small / 2^64 for a plain 64-bit integer, at a quarter of a multiplication."""

    def generate(context, builder, signature, arguments):
        element, value = arguments
        return _pack(builder, _emit_mul(builder, _unpack(builder, element), [value], R))

    return ELEMENT(ELEMENT, types.uint64), generate


def _element_pointer(context, builder, array_type, array, index) -> ir.Value:
    data = context.make_array(array_type)(context, builder, array).data
    start = builder.shl(index, ir.Constant(_LIMB, 2))
    return builder.gep(builder.bitcast(data, _LIMB.as_pointer()), [start])


def is_limb_array(candidate) -> bool:
    """True for the type of a C-contiguous uint64 array."""
    return (
        isinstance(candidate, types.Array)
        and candidate.dtype == types.uint64
        and candidate.layout == "C"
    )


@intrinsic
def load(typing_context, array, index):
    """Return the index-th element (four limbs) of a C-contiguous uint64 array."""
    if not is_limb_array(array):
        return None

    def generate(context, builder, signature, arguments):
        pointer = _element_pointer(context, builder, signature.args[0], *arguments)
        parts = [builder.load(builder.gep(pointer, [ir.Constant(_LIMB, k)])) for k in range(4)]
        return _pack(builder, parts)

    return ELEMENT(array, types.int64), generate


@intrinsic
def store(typing_context, array, index, element):
    """Write the index-th element (four limbs) of a C-contiguous uint64 array."""
    if not is_limb_array(array) or not array.mutable:
        return None

    def generate(context, builder, signature, arguments):
        pointer = _element_pointer(context, builder, signature.args[0], *arguments[:2])
        for k, part in enumerate(_unpack(builder, arguments[2])):
            builder.store(part, builder.gep(pointer, [ir.Constant(_LIMB, k)]))
        return cgutils.get_null_value(context.get_value_type(types.none))

    return types.none(array, types.int64, ELEMENT), generate


@intrinsic
def prefetch(typing_context, array, index):
    """Ask for the cache line of an element that is read soon; any index is harmless."""
    if not is_limb_array(array):
        return None

    def generate(context, builder, signature, arguments):
        pointer = _element_pointer(context, builder, signature.args[0], *arguments)
        address = builder.bitcast(pointer, ir.IntType(8).as_pointer())
        flag = ir.IntType(32)
        hint = builder.module.declare_intrinsic(
            "llvm.prefetch",
            [address.type],
            ir.FunctionType(ir.VoidType(), [address.type, flag, flag, flag]),
        )
        # For reading (0), to be kept in every cache level (3), data rather than code (1).
        builder.call(hint, [address, *(ir.Constant(flag, value) for value in (0, 3, 1))])
        return cgutils.get_null_value(context.get_value_type(types.none))

    return types.none(array, types.int64), generate


@njit(nogil=True, inline="always")
def fr_from_small(value):
    """Return a plain 64-bit integer as an Fr element."""
    return fr_mul_small(FR_2_64, value)


@njit(nogil=True, inline="always")
def is_zero(a):
    """True for the zero element."""
    return (a[0] | a[1] | a[2] | a[3]) == np.uint64(0)


@njit(nogil=True, inline="always")
def equal(a, b):
    """True when two elements are the same (elements are canonical)."""
    return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3])) == np.uint64(0)


@njit(nogil=True, inline="always")
def is_below(a, b):
    """True if the plain limbs of a are those of a smaller integer than those of b."""
    for k in (3, 2, 1, 0):
        if a[k] != b[k]:
            return a[k] < b[k]
    return False


@njit(nogil=True, cache=True)
def fr_power(base, exponent):
    """Raise an Fr element to an exponent given as four plain limbs."""
    result = FR_ONE
    for bit in range(255, -1, -1):
        result = fr_mul(result, result)
        if (exponent[bit >> 6] >> np.uint64(bit & 63)) & np.uint64(1):
            result = fr_mul(result, base)
    return result


@njit(nogil=True, cache=True)
def fr_inverse(a):
    """Inverse of an Fr element; zero maps to zero. Cost: about 50 multiplications."""
    # The plain inverse of x * 2^256 lacks 2^512.
    return fr_mul(inverse_mod_r(a), _FR_R3)


@njit(nogil=True, cache=True)
def fq_inverse(a):
    """Inverse of an Fq element; zero maps to zero. Cost: about 50 multiplications."""
    return fq_mul(inverse_mod_q(a), _FQ_R3)
