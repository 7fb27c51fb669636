"""Code for field arithmetic on eight elements at once, in the code generator's own language.

What is said about forms and bounds is said in `lanes`, which makes these functions available to
kernels.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from llvmlite import ir

from prover.kernels.choice import KERNELS, Kernels

LANES = 8
LIMBS = 5
LIMB_BITS = 52
RADIX = 1 << LIMB_BITS
MASK = RADIX - 1
SHIFT_BITS = LIMBS * LIMB_BITS

_WORD = ir.IntType(64)
_LANE_INDEX = ir.IntType(32)
VECTOR = ir.VectorType(_WORD, LANES)
_HALF = ir.VectorType(_WORD, LANES // 2)
_HALF_DOUBLES = ir.VectorType(ir.DoubleType(), LANES // 2)
_HALF_ORDER = ir.VectorType(ir.IntType(32), LANES // 2)
LANES_IR = ir.ArrayType(VECTOR, LIMBS)


def limbs52(value: int) -> list[int]:
    """Split an integer below 2^260 into five limbs of 52 bits, least significant first."""
    return [(value >> (LIMB_BITS * k)) & MASK for k in range(LIMBS)]


def splat(value: int) -> ir.Constant:
    """One word in every lane."""
    return ir.Constant(VECTOR, [value & (2**64 - 1)] * LANES)


def unpack(builder: ir.IRBuilder, value: ir.Value) -> list[ir.Value]:
    """The limb vectors of a lane value."""
    return [builder.extract_value(value, k) for k in range(LIMBS)]


def pack(builder: ir.IRBuilder, parts: list[ir.Value]) -> ir.Value:
    """A lane value of limb vectors."""
    packed = ir.Constant(LANES_IR, ir.Undefined)
    for k, part in enumerate(parts):
        packed = builder.insert_value(packed, part, k)
    return packed


class _IfmaColumns:
    """Columns of weight 2^(52 k) that products of limbs are added to, with AVX-512 IFMA.

    Low and high halves have sums of their own: half as many additions wait for each other.
    """

    def __init__(self, builder: ir.IRBuilder, count: int, constants: Sequence[int] = ()) -> None:
        self._builder = builder
        self._low = self._instruction("l")
        self._high = self._instruction("h")
        self._lows = [splat(0)] * count
        self._highs = [splat(0)] * count
        self._places = {word: place for place, word in enumerate(constants)}
        self._table = _emit_table(builder, constants) if constants else None

    def _instruction(self, half: str) -> ir.Function:
        module = self._builder.module
        kind = ir.FunctionType(VECTOR, [VECTOR] * 3)
        if KERNELS is Kernels.IFMA_EMULATED:
            return _emulated_instruction(module, kind, half)
        name = f"llvm.x86.avx512.vpmadd52{half}.uq.512"
        return module.globals.get(name) or ir.Function(module, kind, name)

    def operand(self, limb: ir.Value) -> ir.Value:
        """A limb as the multiplier wants it."""
        return limb

    def digit(self, value: ir.Value) -> ir.Value:
        """The low 52 bits as the multiplier wants them: it looks at no others."""
        return value

    def constant(self, word: int) -> ir.Value:
        """One of the constants that were announced, as the multiplier wants it."""
        return _broadcast(self._builder, self._table, self._places[word])

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


def _emit_table(builder: ir.IRBuilder, words: Sequence[int]) -> ir.Value:
    """A pointer to constants that the code generator does not see through.

    Left to itself it gives each of them an address of 64 bits and an instruction to load that: a
    fifth of a multiplication's instructions, in the way of the next one's.
    """
    module = builder.module
    kind = ir.ArrayType(_WORD, len(words))
    name = "lane_constants_" + hashlib.sha256(repr(list(words)).encode()).hexdigest()[:16]
    table = module.globals.get(name)
    if table is None:
        table = ir.GlobalVariable(module, kind, name)
        table.linkage = "internal"
        table.global_constant = True
        table.initializer = ir.Constant(kind, words)
    pointer = builder.bitcast(table, _WORD.as_pointer())
    same = ir.FunctionType(pointer.type, [pointer.type])
    return builder.asm(same, "", "=r,0", [pointer], side_effect=False)


def _broadcast(builder: ir.IRBuilder, table: ir.Value, place: int) -> ir.Value:
    """One word of a table in every lane."""
    word = builder.load(builder.gep(table, [ir.Constant(_WORD, place)]))
    single = builder.insert_element(
        ir.Constant(VECTOR, ir.Undefined), word, ir.Constant(_LANE_INDEX, 0)
    )
    order = ir.Constant(ir.VectorType(_LANE_INDEX, LANES), [0] * LANES)
    return builder.shuffle_vector(single, single, order)


def emit_constants(builder: ir.IRBuilder, words: Sequence[int]) -> list[ir.Value]:
    """Words in every lane, as the code generator handles them best."""
    if _Columns is _IfmaColumns:
        table = _emit_table(builder, [word & (2**64 - 1) for word in words])
        return [_broadcast(builder, table, place) for place in range(len(words))]
    return [splat(word) for word in words]


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
    part = builder.and_(builder.trunc(product, VECTOR), splat(MASK))
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

    def __init__(self, builder: ir.IRBuilder, count: int, constants: Sequence[int] = ()) -> None:
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

    def digit(self, value: ir.Value) -> _FmaOperand:
        """The low 52 bits as doubles."""
        return self.operand(self._builder.and_(value, splat(MASK)))

    def constant(self, word: int) -> _FmaOperand:
        """A constant as doubles: the code generator converts it."""
        return self.operand(splat(word))

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
        """The sum so far, below 2^63 and not negative; but the highest may lack what it lent,
        until the carry from below makes up for it.
        """
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


def emit_mul(builder: ir.IRBuilder, a: list, b: list, modulus: int) -> list[ir.Value]:
    """Emit a * b / 2^260 mod p.

    All 25 products first; then `_emit_reduction` clears the five lowest columns in three rounds:

    - columns 0 to 2 together: column i is replaced by (column mod 2^52) * (2^(52 i - 156) mod p)
      from column 3 on, which needs no quotient and adds less than 2^52 p each;
    - column 3 in the same way;
    - column 4 by a quotient: (column * (-1/p) mod 2^52) * p clears it.

    After the last division by 2^52 the first round has added nothing to speak of, the others p
    each. Columns stay below 25 * 2^53.
    """
    columns = _Columns(builder, 2 * LIMBS, _reduction_words(modulus))
    left = [columns.operand(limb) for limb in a]
    right = [columns.operand(limb) for limb in b]
    for column in range(2 * LIMBS - 1):
        for i in range(max(0, column - LIMBS + 1), min(LIMBS, column + 1)):
            columns.multiply(column, left[i], right[column - i])
    return _emit_reduction(builder, columns, modulus)


def _reduction_words(modulus: int) -> list[int]:
    """The constants of `_emit_reduction`."""
    words = [word for k in range(-3, 0) for word in limbs52(pow(2, LIMB_BITS * k, modulus))]
    return [*words, *limbs52(modulus), _minus_inverse(modulus)]


def _minus_inverse(modulus: int) -> int:
    return -pow(modulus, -1, RADIX) % RADIX


def _emit_reduction(builder: ir.IRBuilder, columns, modulus: int) -> list[ir.Value]:
    """Emit the value of ten columns, divided by 2^260."""
    _emit_folding(builder, columns, range(3), modulus)
    _emit_folding(builder, columns, range(3, 4), modulus)
    lowest, inverse = columns.digit(columns.read(LIMBS - 1)), _minus_inverse(modulus)
    quotient = columns.digit(_emit_low_product(builder, lowest, columns.constant(inverse)))
    for j, limb in enumerate(limbs52(modulus)):
        columns.multiply(LIMBS - 1 + j, quotient, columns.constant(limb))
    columns.add(LIMBS, builder.lshr(columns.read(LIMBS - 1), splat(LIMB_BITS)))
    return emit_carry(builder, [columns.read(LIMBS + k) for k in range(LIMBS)])


def _emit_folding(builder: ir.IRBuilder, columns, cleared: range, modulus: int) -> None:
    """Replace some columns by their residues' products from the next column on."""
    digits = []
    for column in cleared:
        total = columns.read(column)
        digits.append(columns.digit(total))
        columns.add(column + 1, builder.lshr(total, splat(LIMB_BITS)))
    factors = [limbs52(pow(2, LIMB_BITS * (k - cleared.stop), modulus)) for k in cleared]
    for j in range(LIMBS):
        for digit, factor in zip(digits, factors, strict=True):
            columns.multiply(cleared.stop + j, digit, columns.constant(factor[j]))


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
    columns = _Columns(builder, 2 * LIMBS, _reduction_words(modulus))
    above = 512 - (2 * LIMBS - 1) * LIMB_BITS
    excess = columns.operand(builder.lshr(total[-1], splat(above)))
    for column, limb in enumerate(total[:-1]):
        columns.add(column, limb)
    columns.add(2 * LIMBS - 1, builder.and_(total[-1], splat((1 << above) - 1)))
    for j, limb in enumerate(limbs52(2**512 % modulus)):
        columns.multiply(j, excess, columns.operand(splat(limb)))
    return _emit_reduction(builder, columns, modulus)


def _emit_low_product(builder: ir.IRBuilder, x, y) -> ir.Value:
    """The low half of a product of two operands, and what may stand above its 52 bits."""
    columns = _Columns(builder, 2)
    columns.multiply(0, x, y)
    return columns.read(0)


def emit_carry(builder: ir.IRBuilder, parts: list) -> list[ir.Value]:
    """Limbs below 2^52 from columns that are not negative; the highest keeps its excess, and may
    be negative before the carry reaches it.
    """
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
    return emit_rest(builder, parts, emit_carry(builder, parts), bound)


def emit_rest(builder: ir.IRBuilder, parts: list, plain: list, bound: int) -> list[ir.Value]:
    """The same beside `plain`, which are the parts carried: they need not wait for each other."""
    complement = limbs52((1 << SHIFT_BITS) - bound)
    less = [builder.add(part, splat(limb)) for part, limb in zip(parts, complement, strict=True)]
    less = emit_carry(builder, less)
    # Adding 2^260 - bound carries out of the highest limb exactly when parts >= bound.
    has_carry = builder.icmp_unsigned(">", less[-1], splat(MASK))
    less[-1] = builder.and_(less[-1], splat(MASK))
    return [builder.select(has_carry, a, b) for a, b in zip(less, plain, strict=True)]


def emit_add(builder: ir.IRBuilder, a: list, b: list, modulus: int) -> list[ir.Value]:
    """Emit a + b, below 4 p."""
    total = [builder.add(x, y) for x, y in zip(a, b, strict=True)]
    return _subtract_if_not_below(builder, total, 4 * modulus)


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


def emit_sub(builder: ir.IRBuilder, a: list, b: list, modulus: int) -> list[ir.Value]:
    """Emit a - b, below 4 p."""
    return _subtract_if_not_below(builder, _difference(builder, a, b, modulus), 4 * modulus)


def emit_sub_loose(builder: ir.IRBuilder, a: list, b: list, modulus: int) -> list[ir.Value]:
    """Emit a - b + 4 p, only carried."""
    return emit_carry(builder, _difference(builder, a, b, modulus))


def emit_canonical(builder: ir.IRBuilder, parts: list, modulus: int) -> list[ir.Value]:
    """Emit the value below p of a lane value below 4 p."""
    for multiple in (2, 1):
        parts = _subtract_if_not_below(builder, parts, multiple * modulus)
    return parts
