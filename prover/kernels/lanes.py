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
operands below alpha and beta is below 2 + alpha * beta / 84, if alpha * beta <= 84, so below 3 for
all that these functions return; `*_add` and `*_sub` take operands below 4 and give results below 4;
`*_store` takes operands below 4 and writes canonical elements. The loose operations only carry:
`*_add_loose` is below alpha + beta, `*_sub_loose` below alpha + 4 for a second operand below 4.
`load_scaled` gives lane form below 16, for a factor of a product and nothing else.
"""

from collections.abc import Callable

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

from circuits.field import Q, R
from prover.kernels.choice import KERNELS, Kernels

LANES = 8
LIMBS = 5
LIMB_BITS = 52
RADIX = 1 << LIMB_BITS
MASK = RADIX - 1
SHIFT_BITS = LIMBS * LIMB_BITS

_WORD = ir.IntType(64)
_VECTOR = ir.VectorType(_WORD, LANES)
_HALF = ir.VectorType(_WORD, LANES // 2)
_HALF_DOUBLES = ir.VectorType(ir.DoubleType(), LANES // 2)
_HALF_ORDER = ir.VectorType(ir.IntType(32), LANES // 2)
_LANES_IR = ir.ArrayType(_VECTOR, LIMBS)


class LanesType(types.Type):
    """Numba's type of a lane value."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


LANE_VALUE = LanesType()


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, numba_type) -> None:
        super().__init__(manager, numba_type, _LANES_IR)


def limbs52(value: int) -> list[int]:
    """Split an integer below 2^260 into five limbs of 52 bits, least significant first."""
    return [(value >> (LIMB_BITS * k)) & MASK for k in range(LIMBS)]


def splat(value: int) -> ir.Constant:
    """One word in every lane."""
    return ir.Constant(_VECTOR, [value & (2**64 - 1)] * LANES)


def unpack(builder: ir.IRBuilder, value: ir.Value) -> list[ir.Value]:
    """The limb vectors of a lane value."""
    return [builder.extract_value(value, k) for k in range(LIMBS)]


def pack(builder: ir.IRBuilder, parts: list[ir.Value]) -> ir.Value:
    """A lane value of limb vectors."""
    packed = ir.Constant(_LANES_IR, ir.Undefined)
    for k, part in enumerate(parts):
        packed = builder.insert_value(packed, part, k)
    return packed


class _IfmaColumns:
    """Columns of weight 2^(52 k) that products of limbs are added to, with AVX-512 IFMA.

    Low and high halves have sums of their own: half as many additions wait for each other.
    """

    def __init__(self, builder: ir.IRBuilder, count: int) -> None:
        self._builder = builder
        self._low = self._instruction("l")
        self._high = self._instruction("h")
        self._lows = [splat(0)] * count
        self._highs = [splat(0)] * count

    def _instruction(self, half: str) -> ir.Function:
        module = self._builder.module
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        if KERNELS is Kernels.IFMA_EMULATED:
            return _emulated_instruction(module, kind, half)
        name = f"llvm.x86.avx512.vpmadd52{half}.uq.512"
        return module.globals.get(name) or ir.Function(module, kind, name)

    def operand(self, limb: ir.Value) -> ir.Value:
        """A limb as the multiplier wants it; only its low 52 bits count."""
        return limb

    def multiply(self, column: int, x: ir.Value, y: ir.Value) -> None:
        """Add x * y to a column and the one above it."""
        self._lows[column] = self._builder.call(self._low, [self._lows[column], x, y])
        self._highs[column + 1] = self._builder.call(self._high, [self._highs[column + 1], x, y])

    def add(self, column: int, value: ir.Value) -> None:
        """Add a vector to a column."""
        self._lows[column] = self._builder.add(self._lows[column], value)

    def read(self, column: int) -> ir.Value:
        """The sum so far, not negative and below 2^63."""
        return self._builder.add(self._lows[column], self._highs[column])


def _emulated_instruction(module: ir.Module, kind: ir.FunctionType, half: str) -> ir.Function:
    """The instruction in plain integer arithmetic, so that tests run the code around it anywhere.

    Source: Intel 64 and IA-32 Architectures Software Developer's Manual, VPMADD52LUQ, VPMADD52HUQ.
    """
    name = f"emulated_vpmadd52{half}"
    found = module.globals.get(name)
    if found is not None:
        return found
    function = ir.Function(module, kind, name)
    function.linkage = "linkonce_odr"
    builder = ir.IRBuilder(function.append_basic_block())
    total, x, y = function.args
    double = ir.VectorType(ir.IntType(128), LANES)
    x, y = (builder.zext(builder.and_(each, splat(MASK)), double) for each in (x, y))
    product = builder.mul(x, y)
    if half == "h":
        product = builder.lshr(product, ir.Constant(double, [LIMB_BITS] * LANES))
    part = builder.and_(builder.trunc(product, _VECTOR), splat(MASK))
    builder.ret(builder.add(total, part))
    return function


# 2^104 as a double has 52 bits behind its leading one: adding a product rounds it to a multiple of
# 2^52, whose count of 2^52 is what the bit pattern grows by. 1.5 * 2^52 does the same for the rest.
_HIGH_MAGIC = 2.0**104
_LOW_MAGIC = 1.5 * 2.0**52
_INTEGER_MAGIC = 2.0**52


def _bits(value: float) -> int:
    return int(np.float64(value).view(np.uint64))


class _FmaOperand:
    """A limb in double precision, as two vectors of four: what one AVX2 register holds."""

    def __init__(self, halves: list[ir.Value]) -> None:
        self.halves = halves


class _FmaColumns:
    """The same with fused multiply-adds in double precision.

    For limbs x, y < 2^52: fma(x, y, 2^104) is 2^104 + 2^52 h with h = round(x y / 2^52), because
    the sum stays below 2^105; the rest x y - 2^52 h lies in [-2^51, 2^51] and is exact. Columns
    hold sums of bit patterns; `read` takes the patterns of the constants away again.

    There are 16 registers, and left alone the code generator keeps every part of every product
    until the end. So products are pinned one after another, the two halves in turn.
    """

    # Makes a column positive whatever the signs of the rests: taken from the column above.
    _LIFT = 1 << 8

    def __init__(self, builder: ir.IRBuilder, count: int) -> None:
        self._builder = builder
        name = f"llvm.fma.v{LANES // 2}f64"
        module = builder.module
        self._fma = module.globals.get(name)
        if self._fma is None:
            kind = ir.FunctionType(_HALF_DOUBLES, [_HALF_DOUBLES] * 3)
            self._fma = ir.Function(module, kind, name)
        self._sums: list[list] = [[None, None] for _ in range(count)]
        self._bias = [0] * count
        self._lifted = [False] * count

    def operand(self, limb: ir.Value) -> _FmaOperand:
        """A limb below 2^52 as doubles."""
        builder = self._builder
        magic = _half_words(_bits(_INTEGER_MAGIC))
        patterns = [builder.or_(half, magic) for half in _halves(builder, limb)]
        return _FmaOperand(
            [
                builder.fsub(builder.bitcast(pattern, _HALF_DOUBLES), _half_doubles(_INTEGER_MAGIC))
                for pattern in patterns
            ]
        )

    def multiply(self, column: int, x: _FmaOperand, y: _FmaOperand) -> None:
        """Add x * y to a column and the one above it."""
        builder = self._builder
        for half in range(2):
            a, b = _pin(builder, x.halves[half]), y.halves[half]
            x.halves[half] = a
            high = builder.call(self._fma, [a, b, _half_doubles(_HIGH_MAGIC)])
            back = builder.fsub(_half_doubles(_HIGH_MAGIC), high)
            rest = builder.call(self._fma, [a, b, back])
            low = builder.fadd(rest, _half_doubles(_LOW_MAGIC))
            self._accumulate(column + 1, half, high)
            self._accumulate(column, half, low)
        self._bias[column + 1] += _bits(_HIGH_MAGIC)
        self._bias[column] += _bits(_LOW_MAGIC)

    def _accumulate(self, column: int, half: int, pattern: ir.Value) -> None:
        pattern = self._builder.bitcast(pattern, _HALF)
        found = self._sums[column][half]
        if found is not None:
            pattern = _pin(self._builder, self._builder.add(found, pattern))
        self._sums[column][half] = pattern

    def add(self, column: int, value: ir.Value) -> None:
        """Add a vector to a column."""
        pairs = zip(self._sums[column], _halves(self._builder, value), strict=True)
        self._sums[column] = [y if x is None else self._builder.add(x, y) for x, y in pairs]

    def read(self, column: int) -> ir.Value:
        """The sum so far, not negative and below 2^63."""
        if not self._lifted[column]:
            self._lifted[column] = True
            if column + 1 < len(self._sums):
                self._bias[column] -= self._LIFT << LIMB_BITS
                self._bias[column + 1] += self._LIFT
        bias = _half_words(self._bias[column])
        halves = [self._builder.sub(half, bias) for half in self._sums[column]]
        self._sums[column], self._bias[column] = halves, 0
        return _joined(self._builder, halves)


def _halves(builder: ir.IRBuilder, vector: ir.Value) -> list[ir.Value]:
    orders = (range(LANES // 2), range(LANES // 2, LANES))
    return [
        builder.shuffle_vector(vector, vector, ir.Constant(_HALF_ORDER, list(order)))
        for order in orders
    ]


def _joined(builder: ir.IRBuilder, halves: list[ir.Value]) -> ir.Value:
    order = ir.Constant(ir.VectorType(ir.IntType(32), LANES), list(range(LANES)))
    return builder.shuffle_vector(*halves, order)


def _half_words(value: int) -> ir.Constant:
    return ir.Constant(_HALF, [value & (2**64 - 1)] * (LANES // 2))


def _half_doubles(value: float) -> ir.Constant:
    return ir.Constant(_HALF_DOUBLES, [value] * (LANES // 2))


def _pin(builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
    """The value, in a register, at this place of the code: an empty piece of assembly."""
    kind = ir.FunctionType(value.type, [value.type])
    return builder.asm(kind, "", "=x,0", [value], side_effect=True)


_Columns = _IfmaColumns if KERNELS in (Kernels.IFMA, Kernels.IFMA_EMULATED) else _FmaColumns


def _emit_mul(builder: ir.IRBuilder, a: list, b: list, modulus: int) -> list[ir.Value]:
    """Emit a * b / 2^260 mod p.

    All 25 products first; then `_emit_reduction` clears the five lowest columns in three rounds:

    - columns 0 to 2 together: column i is replaced by (column mod 2^52) * (2^(52 i - 156) mod p)
      from column 3 on, which needs no quotient and adds less than 2^52 p each;
    - column 3 in the same way;
    - column 4 by a quotient: (column * (-1/p) mod 2^52) * p clears it.

    After the last division by 2^52 the first round has added nothing to speak of, the others p
    each. Columns stay below 25 * 2^53.
    """
    columns = _Columns(builder, 2 * LIMBS)
    left = [columns.operand(limb) for limb in a]
    right = [columns.operand(limb) for limb in b]
    for column in range(2 * LIMBS - 1):
        for i in range(max(0, column - LIMBS + 1), min(LIMBS, column + 1)):
            columns.multiply(column, left[i], right[column - i])
    return _emit_reduction(builder, columns, modulus)


def _emit_reduction(builder: ir.IRBuilder, columns, modulus: int) -> list[ir.Value]:
    """Emit the value of ten columns, divided by 2^260."""
    _emit_folding(builder, columns, range(3), modulus)
    _emit_folding(builder, columns, range(3, 4), modulus)
    inverse = -pow(modulus, -1, RADIX) % RADIX
    lowest = builder.and_(columns.read(LIMBS - 1), splat(MASK))
    quotient = columns.operand(_emit_low_product(builder, lowest, inverse))
    for j, limb in enumerate(limbs52(modulus)):
        columns.multiply(LIMBS - 1 + j, quotient, columns.operand(splat(limb)))
    columns.add(LIMBS, builder.lshr(columns.read(LIMBS - 1), splat(LIMB_BITS)))
    return _carry(builder, [columns.read(LIMBS + k) for k in range(LIMBS)])


def _emit_folding(builder: ir.IRBuilder, columns, cleared: range, modulus: int) -> None:
    """Replace some columns by their residues' products from the next column on."""
    digits = []
    for column in cleared:
        total = columns.read(column)
        digits.append(columns.operand(builder.and_(total, splat(MASK))))
        columns.add(column + 1, builder.lshr(total, splat(LIMB_BITS)))
    factors = [limbs52(pow(2, LIMB_BITS * (k - cleared.stop), modulus)) for k in cleared]
    for j in range(LIMBS):
        for digit, factor in zip(digits, factors, strict=True):
            columns.multiply(cleared.stop + j, digit, columns.operand(splat(factor[j])))


def emit_wide_sum(builder: ir.IRBuilder, total: list, a: list, b: list) -> list[ir.Value]:
    """Emit the ten limbs of total + a * b, the highest with its excess."""
    columns = _Columns(builder, 2 * LIMBS)
    left = [columns.operand(limb) for limb in a]
    right = [columns.operand(limb) for limb in b]
    for column in range(2 * LIMBS - 1):
        for i in range(max(0, column - LIMBS + 1), min(LIMBS, column + 1)):
            columns.multiply(column, left[i], right[column - i])
    out, carry = [], None
    for column, limb in enumerate(total):
        columns.add(column, limb if carry is None else builder.add(limb, carry))
        value = columns.read(column)
        if column + 1 < len(total):
            carry = builder.lshr(value, splat(LIMB_BITS))
            value = builder.and_(value, splat(MASK))
        out.append(value)
    return out


def emit_wide_value(builder: ir.IRBuilder, total: list, modulus: int) -> list[ir.Value]:
    """Emit total / 2^260 mod p for limbs below 2^52, the highest below 2^63.

    What lies above 2^512 is folded in first: the rest adds less than p, the reduction 2 p.
    """
    columns = _Columns(builder, 2 * LIMBS)
    above = 512 - (2 * LIMBS - 1) * LIMB_BITS
    excess = columns.operand(builder.lshr(total[-1], splat(above)))
    for column, limb in enumerate(total[:-1]):
        columns.add(column, limb)
    columns.add(2 * LIMBS - 1, builder.and_(total[-1], splat((1 << above) - 1)))
    for j, limb in enumerate(limbs52(2**512 % modulus)):
        columns.multiply(j, excess, columns.operand(splat(limb)))
    return _emit_reduction(builder, columns, modulus)


def _emit_low_product(builder: ir.IRBuilder, limb: ir.Value, factor: int) -> ir.Value:
    """limb * factor mod 2^52."""
    columns = _Columns(builder, 2)
    columns.multiply(0, columns.operand(limb), columns.operand(splat(factor)))
    return builder.and_(columns.read(0), splat(MASK))


def _carry(builder: ir.IRBuilder, parts: list) -> list[ir.Value]:
    """Limbs below 2^52 from columns that are not negative; the highest keeps its excess."""
    out, carry = [], None
    for k, part in enumerate(parts):
        total = part if carry is None else builder.add(part, carry)
        if k + 1 < LIMBS:
            carry = builder.lshr(total, splat(LIMB_BITS))
            total = builder.and_(total, splat(MASK))
        out.append(total)
    return out


def _subtract_if_not_below(builder: ir.IRBuilder, parts: list, bound: int) -> list[ir.Value]:
    """parts - bound where parts >= bound, for limbs below 2^63 that stand for less than 2^260."""
    plain = _carry(builder, parts)
    complement = limbs52((1 << SHIFT_BITS) - bound)
    less = [builder.add(part, splat(limb)) for part, limb in zip(parts, complement, strict=True)]
    less = _carry(builder, less)
    # Adding 2^260 - bound carries out of the highest limb exactly when parts >= bound.
    has_carry = builder.icmp_unsigned(">", less[-1], splat(MASK))
    less[-1] = builder.and_(less[-1], splat(MASK))
    return [builder.select(has_carry, a, b) for a, b in zip(less, plain, strict=True)]


def _emit_add(builder: ir.IRBuilder, a: list, b: list, modulus: int) -> list[ir.Value]:
    total = [builder.add(x, y) for x, y in zip(a, b, strict=True)]
    return _subtract_if_not_below(builder, total, 4 * modulus)


def _emit_add_loose(builder: ir.IRBuilder, a: list, b: list, modulus: int) -> list[ir.Value]:
    return _carry(builder, [builder.add(x, y) for x, y in zip(a, b, strict=True)])


def _padded(multiple: int) -> list[int]:
    """Limbs of a multiple of p with 2^53 borrowed into each from the one above."""
    padded = limbs52(multiple)
    for k in range(LIMBS - 1):
        padded[k] += 2 * RADIX
        padded[k + 1] -= 2
    return padded


def _difference(builder: ir.IRBuilder, a: list, b: list, modulus: int) -> list[ir.Value]:
    """Columns of a - b + 4 p, not negative."""
    padded = _padded(4 * modulus)
    return [
        builder.add(builder.sub(x, y), splat(limb)) for x, y, limb in zip(a, b, padded, strict=True)
    ]


def _emit_sub(builder: ir.IRBuilder, a: list, b: list, modulus: int) -> list[ir.Value]:
    return _subtract_if_not_below(builder, _difference(builder, a, b, modulus), 4 * modulus)


def _emit_sub_loose(builder: ir.IRBuilder, a: list, b: list, modulus: int) -> list[ir.Value]:
    return _carry(builder, _difference(builder, a, b, modulus))


def emit_canonical(builder: ir.IRBuilder, parts: list, modulus: int) -> list[ir.Value]:
    """Emit the value below p of a lane value below 4 p."""
    for multiple in (2, 1):
        parts = _subtract_if_not_below(builder, parts, multiple * modulus)
    return parts


def call(builder: ir.IRBuilder, name: str, emit: Callable, arguments: list) -> ir.Value:
    """Call a private function of the module with limb vectors, defining it on first use.

    Code for eight lanes is long: in line it would dominate compile time, and there is little to
    win, as the vectors travel in registers.
    """
    module = builder.module
    function = module.globals.get(name)
    if function is None:
        signature = ir.FunctionType(_LANES_IR, [_VECTOR] * len(arguments))
        function = ir.Function(module, signature, name)
        function.linkage = "linkonce_odr"
        function.calling_convention = "x86_regcallcc"
        function.attributes.add("noinline")
        function.attributes.add("nounwind")
        body = ir.IRBuilder(function.append_basic_block())
        body.ret(pack(body, emit(body, list(function.args))))
    return builder.call(function, arguments, cconv="x86_regcallcc")


def _call_mul(builder: ir.IRBuilder, a: list, b: list, name: str, modulus: int) -> ir.Value:
    return call(
        builder,
        name,
        lambda body, limbs: _emit_mul(body, limbs[:LIMBS], limbs[LIMBS:], modulus),
        [*a, *b],
    )


def _binary(emit: Callable[[ir.IRBuilder, list, list], ir.Value]):
    """Make an intrinsic (lane value, lane value) -> lane value."""

    @intrinsic
    def operation(typing_context, a, b):
        def generate(context, builder, signature, arguments):
            return emit(builder, unpack(builder, arguments[0]), unpack(builder, arguments[1]))

        return LANE_VALUE(LANE_VALUE, LANE_VALUE), generate

    return operation


def _called(name: str, emit: Callable, modulus: int):
    """Make an intrinsic of (lane value, lane value) that calls a private function."""

    def emit_call(builder: ir.IRBuilder, a: list, b: list) -> ir.Value:
        return call(
            builder,
            name,
            lambda body, limbs: emit(body, limbs[:LIMBS], limbs[LIMBS:], modulus),
            [*a, *b],
        )

    return _binary(emit_call)


fr_mul = _called("bn254_fr_mul_lanes", _emit_mul, R)
fr_add = _called("bn254_fr_add_lanes", _emit_add, R)
fr_sub = _called("bn254_fr_sub_lanes", _emit_sub, R)
fr_add_loose = _binary(lambda builder, a, b: pack(builder, _emit_add_loose(builder, a, b, R)))
fr_sub_loose = _binary(lambda builder, a, b: pack(builder, _emit_sub_loose(builder, a, b, R)))
fq_mul = _called("bn254_fq_mul_lanes", _emit_mul, Q)
fq_add = _called("bn254_fq_add_lanes", _emit_add, Q)
fq_sub = _called("bn254_fq_sub_lanes", _emit_sub, Q)
fq_add_loose = _binary(lambda builder, a, b: pack(builder, _emit_add_loose(builder, a, b, Q)))
fq_sub_loose = _binary(lambda builder, a, b: pack(builder, _emit_sub_loose(builder, a, b, Q)))


def _times(name: str, modulus: int, factor: int):
    """Make an intrinsic lane value -> lane value that multiplies by a constant."""

    @intrinsic
    def operation(typing_context, a):
        def generate(context, builder, signature, arguments):
            constant = [splat(limb) for limb in limbs52(factor % modulus)]
            return _call_mul(builder, unpack(builder, arguments[0]), constant, name, modulus)

        return LANE_VALUE(LANE_VALUE), generate

    return operation


fr_to_lane_form = _times("bn254_fr_mul_lanes", R, 2**264)
fr_to_stored_form = _times("bn254_fr_mul_lanes", R, 2**256)
fq_to_lane_form = _times("bn254_fq_mul_lanes", Q, 2**264)
fq_to_stored_form = _times("bn254_fq_mul_lanes", Q, 2**256)
# From plain integers below 2^256 to lane form.
fr_plain_to_lane_form = _times("bn254_fr_mul_lanes", R, 2**520)
# And back: canonical once it is stored.
fr_to_plain = _times("bn254_fr_mul_lanes", R, 1)


@intrinsic
def fr_zero_lanes(typing_context, a):
    """Return a bit mask of the lanes that hold zero."""

    def generate(context, builder, signature, arguments):
        return _emit_zero_lanes(builder, unpack(builder, arguments[0]), R)

    return types.uint8(LANE_VALUE), generate


@intrinsic
def fq_zero_lanes(typing_context, a):
    """Return a bit mask of the lanes that hold zero."""

    def generate(context, builder, signature, arguments):
        return _emit_zero_lanes(builder, unpack(builder, arguments[0]), Q)

    return types.uint8(LANE_VALUE), generate


def _emit_zero_lanes(builder: ir.IRBuilder, parts: list, modulus: int) -> ir.Value:
    together = None
    for part in emit_canonical(builder, parts, modulus):
        together = part if together is None else builder.or_(together, part)
    return builder.bitcast(builder.icmp_unsigned("==", together, splat(0)), ir.IntType(8))


@intrinsic
def select(typing_context, mask, a, b):
    """Return a in the lanes whose bit of the uint8 mask is set, else b."""

    def generate(context, builder, signature, arguments):
        chosen = builder.bitcast(arguments[0], ir.VectorType(ir.IntType(1), LANES))
        pairs = zip(*(unpack(builder, each) for each in arguments[1:]), strict=True)
        return pack(builder, [builder.select(chosen, x, y) for x, y in pairs])

    return LANE_VALUE(types.uint8, LANE_VALUE, LANE_VALUE), generate
