"""BN254 field arithmetic on eight elements at once: the vector twin of `scalar`.

A *lane value* holds LANES elements as five vectors of 52-bit limbs, least significant first. What
multiplies limbs is chosen per process (`choice`):

- ifma: AVX-512 IFMA multiplies 52-bit integers and adds the low or the high half of the product.
- fma: a fused multiply-add in double precision against 2^104 leaves the high half of a product in
  its mantissa, and a second one the exact rest (T. J. Dekker's splitting; used for modular
  products by Emmart, Zheng and Weems, "Faster modular exponentiation using double precision
  floating point arithmetic on the GPU", 2018). Any processor with AVX2 and FMA runs it.

Products are divided by 2^260. Arrays of elements keep the *stored form* of `scalar`, x * 2^256, so
that nothing is converted between kernels; *lane form* is x * 2^260. A product of stored and lane
form is in stored form, a product of two lane forms in lane form.

Bounds, in multiples of p (2^260 is more than 84 p): `load` gives values below 1; a product of
operands below alpha and beta, each below 84, is below 2 + alpha * beta / 84; it is below 3 if
alpha * beta <= 84, as for all that these functions return; `*_add` and `*_sub` take operands below
4 and give results below 4; `*_store` takes operands below 4 and writes canonical elements.
"""

from collections.abc import Callable

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

from circuits.field import Q, R
from prover.kernels.lane_emission import (
    LANES,
    LANES_IR,
    LIMBS,
    VECTOR,
    emit_add,
    emit_canonical,
    emit_mul,
    emit_sub,
    limbs52,
    pack,
    splat,
    unpack,
)


class LanesType(types.Type):
    """Numba's type of a lane value."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


LANE_VALUE = LanesType()


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, numba_type) -> None:
        super().__init__(manager, numba_type, LANES_IR)


def _call(builder: ir.IRBuilder, name: str, emit: Callable, a: list, b: list, modulus: int):
    """Emit a call of a private function of the module, defining it on first use.

    Code for eight lanes is long: in line it would dominate compile time, and there is little to
    win, as the vectors travel in registers.
    """
    module = builder.module
    function = module.globals.get(name)
    if function is None:
        signature = ir.FunctionType(LANES_IR, [VECTOR] * (2 * LIMBS))
        function = ir.Function(module, signature, name)
        function.linkage = "linkonce_odr"
        function.calling_convention = "x86_regcallcc"
        function.attributes.add("noinline")
        function.attributes.add("nounwind")
        body = ir.IRBuilder(function.append_basic_block())
        limbs = list(function.args)
        body.ret(pack(body, emit(body, limbs[:LIMBS], limbs[LIMBS:], modulus)))
    return builder.call(function, [*a, *b], cconv="x86_regcallcc")


def _binary(name: str, emit: Callable, modulus: int):
    """Make an intrinsic (lane value, lane value) -> lane value."""

    @intrinsic
    def operation(typing_context, a, b):
        def generate(context, builder, signature, arguments):
            a, b = (unpack(builder, value) for value in arguments)
            return _call(builder, name, emit, a, b, modulus)

        return LANE_VALUE(LANE_VALUE, LANE_VALUE), generate

    return operation


_FR_MUL = "bn254_fr_mul_lanes"
fr_mul = _binary(_FR_MUL, emit_mul, R)
fr_add = _binary("bn254_fr_add_lanes", emit_add, R)
fr_sub = _binary("bn254_fr_sub_lanes", emit_sub, R)
fq_mul = _binary("bn254_fq_mul_lanes", emit_mul, Q)


def _times(factor: int):
    """Make an intrinsic lane value -> lane value that multiplies by a constant modulo r."""

    @intrinsic
    def operation(typing_context, a):
        def generate(context, builder, signature, arguments):
            constant = [splat(limb) for limb in limbs52(factor % R)]
            return _call(builder, _FR_MUL, emit_mul, unpack(builder, arguments[0]), constant, R)

        return LANE_VALUE(LANE_VALUE), generate

    return operation


fr_to_lane_form = _times(2**264)
fr_to_stored_form = _times(2**256)
# From plain integers below 2^256 to lane form.
fr_plain_to_lane_form = _times(2**520)
# And back: canonical once it is stored.
fr_to_plain = _times(1)


@intrinsic
def fr_zero_lanes(typing_context, a):
    """Return a bit mask of the lanes that hold zero."""

    def generate(context, builder, signature, arguments):
        together = None
        for part in emit_canonical(builder, unpack(builder, arguments[0]), R):
            together = part if together is None else builder.or_(together, part)
        return builder.bitcast(builder.icmp_unsigned("==", together, splat(0)), ir.IntType(8))

    return types.uint8(LANE_VALUE), generate


@intrinsic
def select(typing_context, mask, a, b):
    """Return a in the lanes whose bit of the uint8 mask is set, else b."""

    def generate(context, builder, signature, arguments):
        chosen = builder.bitcast(arguments[0], ir.VectorType(ir.IntType(1), LANES))
        pairs = zip(*(unpack(builder, each) for each in arguments[1:]), strict=True)
        return pack(builder, [builder.select(chosen, x, y) for x, y in pairs])

    return LANE_VALUE(types.uint8, LANE_VALUE, LANE_VALUE), generate
