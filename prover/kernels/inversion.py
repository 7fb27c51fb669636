"""Inverses of single integers modulo the BN254 field orders, by a binary greatest common divisor.

Source: T. Pornin, "Optimized Binary GCD for Modular Inversion", IACR ePrint 2020/972. a and b
start as the element and the modulus; 31 halving steps at a time are decided on 64-bit
approximations of both (their low 31 bits and 33 high ones) and then applied to a and b and to the
cofactors u and v, which keep a = u x and b = v x modulo p. The approximations can get the sign of
a or b wrong; it is put right after each batch. When a is zero, b is one and v the inverse.

Values are tuples of four uint64 limbs below p, least significant first.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from circuits.field import Q, R

_LIMB = ir.IntType(64)
_WIDE = ir.IntType(256)
_SUM = ir.IntType(320)
_ELEMENT_IR = ir.ArrayType(_LIMB, 4)
_ELEMENT = types.UniTuple(types.uint64, 4)
# Halving steps in a batch: the factors then fit in 32 bits and two of them in a word.
_BATCH = 31
_LOW_MASK = np.uint64(2**_BATCH - 1)
# 2 * 254 - 1 steps suffice for any element; about 370 are used.
_BATCHES_MAX = -(-507 // _BATCH)
_UNIT, _NONE = np.uint64(1), np.uint64(0)
# A word holds two factors in (-2^31, 2^31] as f + 2^32 g; adding this makes both halves positive.
_FACTOR_BIAS = np.uint64(0x7FFFFFFF7FFFFFFF)
_HALF_MASK = np.uint64(2**32 - 1)
_HALF_BIAS = np.int64(0x7FFFFFFF)


def _limbs(value: int) -> tuple[np.uint64, ...]:
    return tuple(np.uint64((value >> shift) & (2**64 - 1)) for shift in (0, 64, 128, 192))


def _emit_sum(builder: ir.IRBuilder, terms: list) -> ir.Value:
    """Emit a signed 320-bit sum of factor * limbs, for factors of at most 32 bits."""
    double = ir.IntType(128)
    carry, total = ir.Constant(double, 0), ir.Constant(_SUM, 0)
    for k in range(4):
        for factor, parts in terms:
            product = builder.mul(factor, builder.zext(parts[k], double))
            carry = builder.add(carry, product)
        low = builder.zext(builder.trunc(carry, _LIMB), _SUM)
        total = builder.or_(total, builder.shl(low, ir.Constant(_SUM, 64 * k)))
        carry = builder.ashr(carry, ir.Constant(double, 64))
    high = builder.zext(builder.trunc(carry, _LIMB), _SUM)
    return builder.or_(total, builder.shl(high, ir.Constant(_SUM, 256)))


def _emit_halved(builder: ir.IRBuilder, terms: list) -> ir.Value:
    """Emit the sum divided by 2^31, which fits in 256 bits with its sign."""
    return builder.trunc(builder.ashr(_emit_sum(builder, terms), ir.Constant(_SUM, _BATCH)), _WIDE)


def _pack(builder: ir.IRBuilder, wide: ir.Value) -> ir.Value:
    element = ir.Constant(_ELEMENT_IR, ir.Undefined)
    for k in range(4):
        part = builder.trunc(builder.lshr(wide, ir.Constant(_WIDE, 64 * k)), _LIMB)
        element = builder.insert_value(element, part, k)
    return element


def _terms(builder: ir.IRBuilder, arguments) -> list:
    f, a, g, b = arguments
    return [
        (
            builder.sext(factor, ir.IntType(128)),
            [builder.extract_value(element, k) for k in range(4)],
        )
        for factor, element in ((f, a), (g, b))
    ]


@intrinsic
def _halve(typing_context, f, a, g, b):
    """Return |f a + g b| / 2^31 and whether the sum is negative."""

    def generate(context, builder, signature, arguments):
        value = _emit_halved(builder, _terms(builder, arguments))
        is_negative = builder.icmp_signed("<", value, ir.Constant(_WIDE, 0))
        magnitude = builder.select(is_negative, builder.neg(value), value)
        flag = context.get_value_type(types.boolean)
        parts = [_pack(builder, magnitude), builder.zext(is_negative, flag)]
        return context.make_tuple(builder, signature.return_type, parts)

    result = types.Tuple((_ELEMENT, types.boolean))
    return result(types.int64, _ELEMENT, types.int64, _ELEMENT), generate


def _make_cofactor(modulus: int):
    @intrinsic
    def cofactor(typing_context, f, u, g, v):
        """Return (f u + g v) / 2^31 modulo p, for |f| + |g| <= 2^31."""

        def generate(context, builder, signature, arguments):
            terms = _terms(builder, arguments)
            # A multiple of p makes the sum divisible by 2^31.
            low = ir.Constant(_LIMB, 0)
            for factor, parts in terms:
                low = builder.add(low, builder.mul(builder.trunc(factor, _LIMB), parts[0]))
            minus_inverse = ir.Constant(_LIMB, -pow(modulus, -1, 2**_BATCH) % 2**_BATCH)
            quotient = builder.and_(
                builder.mul(low, minus_inverse), ir.Constant(_LIMB, 2**_BATCH - 1)
            )
            order = [ir.Constant(_LIMB, int(limb)) for limb in _limbs(modulus)]
            terms.append((builder.zext(quotient, ir.IntType(128)), order))
            # The sum lies in (-2^31 p, 2^32 p).
            value = _emit_halved(builder, terms)
            for step in (modulus, -modulus):
                moved = builder.add(value, ir.Constant(_WIDE, step % 2**256))
                checked = value if step > 0 else moved
                is_negative = builder.icmp_signed("<", checked, ir.Constant(_WIDE, 0))
                pair = (moved, value) if step > 0 else (value, moved)
                value = builder.select(is_negative, *pair)
            return _pack(builder, value)

        return _ELEMENT(types.int64, _ELEMENT, types.int64, _ELEMENT), generate

    return cofactor


@intrinsic
def leading_zeros(typing_context, word):
    """Return the number of zero bits above the highest set bit of a uint64."""

    def generate(context, builder, signature, arguments):
        return builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), generate


@njit(nogil=True, inline="always")
def _approximations(a, b):
    """The low 31 bits of both and the 33 bits from the highest that either has."""
    for k in (3, 2, 1):
        top = a[k] | b[k]
        if top:
            up = leading_zeros(top)
            down = np.uint64(63) - up
            high_a = (a[k] << up) | ((a[k - 1] >> _UNIT) >> down)
            high_b = (b[k] << up) | ((b[k - 1] >> _UNIT) >> down)
            return (
                (high_a & ~_LOW_MASK) | (a[0] & _LOW_MASK),
                (high_b & ~_LOW_MASK) | (b[0] & _LOW_MASK),
            )
    return a[0], b[0]


@njit(nogil=True, cache=True)
def _decide(a, b):
    """Run a batch on approximations; return its factors, two in a word."""
    first, second = _UNIT, _UNIT << np.uint64(32)
    for _ in range(_BATCH):
        # All ones where a is odd, and where a is odd and smaller: no jump depends on the values.
        odd = _NONE - (a & _UNIT)
        swap = odd & (_NONE - np.uint64(a < b))
        change = (a ^ b) & swap
        a ^= change
        b ^= change
        change = (first ^ second) & swap
        first ^= change
        second ^= change
        a = (a - (b & odd)) >> _UNIT
        first -= second & odd
        second <<= _UNIT
    return first, second


@njit(nogil=True, inline="always")
def _factors(word):
    biased = word + _FACTOR_BIAS
    return (
        np.int64(biased & _HALF_MASK) - _HALF_BIAS,
        np.int64(biased >> np.uint64(32)) - _HALF_BIAS,
    )


def _make_inverse(modulus: int):
    order, one, zero = _limbs(modulus), _limbs(1), _limbs(0)
    cofactor = _make_cofactor(modulus)

    @njit(nogil=True, cache=True)
    def inverse(x):
        a, b, u, v = x, order, one, zero
        for _ in range(_BATCHES_MAX):
            if (a[0] | a[1] | a[2] | a[3]) == _NONE:
                break
            near_a, near_b = _approximations(a, b)
            first, second = _decide(near_a, near_b)
            f0, g0 = _factors(first)
            f1, g1 = _factors(second)
            next_a, is_negative = _halve(f0, a, g0, b)
            if is_negative:
                f0, g0 = -f0, -g0
            next_b, is_negative = _halve(f1, a, g1, b)
            if is_negative:
                f1, g1 = -f1, -g1
            a, b = next_a, next_b
            u, v = cofactor(f0, u, g0, v), cofactor(f1, u, g1, v)
        return v

    return inverse


# The inverse of an integer below the modulus; zero gives zero. Cost: about 50 multiplications.
inverse_mod_r = _make_inverse(R)
inverse_mod_q = _make_inverse(Q)
