"""Sums of products of lane values that are reduced once: the vector twin of `wide`.

A total is ten vectors of 52-bit limbs in an array that is read in groups of 10 * LANES words; the
highest limb keeps its excess, below 2^63 for 2^19 products of operands below 4 p: far more than a
tape has terms. A sum of products of lane forms stands for its value in lane form, one of stored and
lane forms for a stored form.
"""

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from circuits.field import R
from prover.kernels.aligned import zero_rows
from prover.kernels.lane_emission import LIMBS, emit_wide_sum, emit_wide_value, pack, unpack
from prover.kernels.lane_memory import word_address
from prover.kernels.lanes import LANE_VALUE, LANES

TOTAL_LIMBS = 2 * LIMBS
_WORD = ir.IntType(64)
_VECTOR = ir.VectorType(_WORD, LANES)
_WORD_BYTES = 8


def _total_at(context, builder, array_type, array, group) -> ir.Value:
    """Emit a pointer to the first limb of a total."""
    word = builder.mul(group, ir.Constant(_WORD, TOTAL_LIMBS * LANES))
    return word_address(context, builder, array_type, array, word, _VECTOR)


def _load(builder: ir.IRBuilder, place: ir.Value) -> list[ir.Value]:
    return [
        builder.load(builder.gep(place, [ir.Constant(_WORD, k)]), align=_WORD_BYTES)
        for k in range(TOTAL_LIMBS)
    ]


def _private(builder, name: str, kind: ir.FunctionType) -> tuple[ir.Function, bool]:
    """A private function of the module, and whether it still needs a body."""
    found = builder.module.globals.get(name)
    if found is not None:
        return found, False
    function = ir.Function(builder.module, kind, name)
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline")
    function.attributes.add("nounwind")
    return function, True


@intrinsic
def add_product(typing_context, totals, group, a, b):
    """Add a * b to a total."""

    def generate(context, builder, signature, arguments):
        totals, group, a, b = arguments
        place = _total_at(context, builder, signature.args[0], totals, group)
        kind = ir.FunctionType(ir.VoidType(), [place.type, *[_VECTOR] * TOTAL_LIMBS])
        function, is_new = _private(builder, "add_product_lanes", kind)
        function.calling_convention = "x86_regcallcc"
        if is_new:
            body = ir.IRBuilder(function.append_basic_block())
            target, *limbs = function.args
            after = emit_wide_sum(body, _load(body, target), limbs[:LIMBS], limbs[LIMBS:])
            for k, limb in enumerate(after):
                body.store(limb, body.gep(target, [ir.Constant(_WORD, k)]), align=_WORD_BYTES)
            body.ret_void()
        limbs = [place, *unpack(builder, a), *unpack(builder, b)]
        builder.call(function, limbs, cconv="x86_regcallcc")
        return cgutils.get_null_value(context.get_value_type(types.none))

    return types.none(totals, types.int64, LANE_VALUE, LANE_VALUE), generate


@intrinsic
def read_total(typing_context, totals, group):
    """Return the value of a total, divided by 2^260; below 3 p."""

    def generate(context, builder, signature, arguments):
        place = _total_at(context, builder, signature.args[0], *arguments)
        result = context.get_value_type(LANE_VALUE)
        function, is_new = _private(
            builder, "read_total_lanes", ir.FunctionType(result, [place.type])
        )
        if is_new:
            body = ir.IRBuilder(function.append_basic_block())
            body.ret(pack(body, emit_wide_value(body, _load(body, function.args[0]), R)))
        return builder.call(function, [place])

    return LANE_VALUE(totals, types.int64), generate


@njit(nogil=True, cache=True)
def clear_totals(totals, first, groups):
    """Set totals first ... to zero."""
    for group in range(first, first + groups):
        totals[group] = 0


@njit(nogil=True, cache=True)
def new_totals(groups):
    """Return memory for this many totals, all zero."""
    return zero_rows(groups, TOTAL_LIMBS * LANES)
