"""A statement small enough for the reference prover: a chain of steps that publishes some values.

Five chips of different heights use everything the protocol has: a table with free multiplicities,
channels with constant and with bit-valued multiplicities, a constraint that is not zero on
padding rows, the row number in tuples, published words, and a chip of exactly one row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from py_ecc import optimized_bn128

from circuits.air.bus import Bus
from circuits.air.chip import Chip, System, compile_system
from circuits.air.columns import U8, U16, U32, U64, Bit, Columns, Field, Given
from circuits.air.expr import ROW, public
from circuits.air.shape import Shape
from circuits.field import R, inverse
from tests.support.curve import generator_multiple
from verifier.key import Setup, VerifyingKey, make_key

SQUARES = Bus("squares", 1, 2, is_table=True)
CHAIN = Bus("chain", 2, 3)
WORD = Bus("word", 3, 2)
PUBLIC_NAMES = ("first_value", "step_count", "last_value", "word_count")
DIGITS = 16
# Known to everyone: proofs under these keys prove nothing outside a test.
TAU = 0x1D5E_C0DE_0000_0001


class SquaresChip(Chip):
    """A number below sixteen and its square."""

    name = "squares"

    class Cols(Columns):
        count: Given[U32]

    def constrain(self, c, b):
        b.provide(SQUARES, ROW, ROW * ROW, times=c.count)


class StepChip(Chip):
    """One step of the chain: next = value^5 + digit^2, published when the flag is set."""

    name = "step"

    class Cols(Columns):
        index: Given[U16]
        position: Given[U64]
        value: Field
        next: Field
        digit: Given[U8]
        square: Given[U32]
        inverse: Field
        is_published: Bit

    def constrain(self, c, b):
        fourth = c.value * c.value * c.value * c.value
        b.assert_eq("power", c.next, fourth * c.value + c.square)
        b.assert_eq("inverse", (c.digit + 1) * c.inverse, 1)
        b.lookup(SQUARES, c.digit, c.square)
        b.receive(CHAIN, c.index, c.value, c.position)
        b.send(CHAIN, c.index + 1, c.next, c.position + c.is_published)
        b.send(WORD, c.position, c.next, times=c.is_published)


class WordsChip(Chip):
    """One published word."""

    name = "words"

    class Cols(Columns):
        word: Field

    def constrain(self, c, b):
        b.receive(WORD, ROW, c.word)


class EndsChip(Chip):
    """First and last value of the chain, once."""

    name = "ends"

    class Cols(Columns):
        two: Field

    def constrain(self, c, b):
        b.assert_eq("two", c.two * c.two * c.two, 8)
        b.send(CHAIN, 0, public(0), 0)
        b.receive(CHAIN, public(1), public(2), public(3))


class ExtraChip(Chip):
    """A digit looked up for its own sake, up to four times."""

    name = "extra"

    class Cols(Columns):
        digit: Given[U8]
        square: Field
        low: Bit
        high: Bit

    def constrain(self, c, b):
        b.assert_zero("low first", c.high * (1 - c.low) * (c.digit + 1))
        b.lookup(SQUARES, c.digit, c.square, times=c.low + 2 * c.high + 1)


@dataclass(frozen=True, slots=True)
class ToyTable:
    """Main columns of one chip."""

    height: int
    columns: tuple[np.ndarray, ...]

    def cells(self) -> list[list[int]]:
        return [
            [int(v) for v in column]
            if column.ndim == 1
            else [sum(int(limb) << 64 * k for k, limb in enumerate(row)) for row in column]
            for column in self.columns
        ]


@dataclass(frozen=True, slots=True)
class ToyWitness:
    """A statement with tables that satisfy it."""

    words: tuple[int, ...]
    pubdata: tuple[int, ...]
    tables: dict[str, ToyTable]

    def heights(self) -> dict[str, int]:
        return {name: table.height for name, table in self.tables.items()}


@cache
def toy_system() -> System:
    chips = (StepChip(), SquaresChip(), EndsChip(), WordsChip(), ExtraChip())
    return compile_system(chips, PUBLIC_NAMES, "words", ("ends",), R)


def toy_shape(log_steps: int = 4, log_words: int = 3, log_chunk: int = 6) -> Shape:
    log_heights = (
        ("step", log_steps), ("squares", 4), ("ends", 0), ("words", log_words), ("extra", 2),
    )  # fmt: skip
    return Shape(f"toy-{log_steps}-{log_words}", log_heights, log_chunk)


@cache
def toy_key(shape: Shape) -> VerifyingKey:
    point = optimized_bn128.normalize(optimized_bn128.multiply(optimized_bn128.G2, TAU))
    (x0, x1), (y0, y1) = (tuple(int(c) for c in coordinate.coeffs) for coordinate in point)
    return make_key(toy_system(), shape, Setup(((x0, x1), (y0, y1)), bytes(32), insecure=True))


@cache
def toy_bases(count: int) -> tuple[tuple[int, int], ...]:
    """[TAU^i]_1 for i below `count`."""
    return tuple(generator_multiple(pow(TAU, i, R)) for i in range(count))


def toy_table(name: str, columns: Sequence[Sequence[int]]) -> ToyTable:
    """Typed columns of one chip from integers."""
    typed = []
    for physical, values in zip(toy_system().chip(name).columns, columns, strict=True):
        if physical.bits <= 64:
            dtype = {1: np.uint8, 8: np.uint8, 16: np.uint16, 32: np.uint32, 64: np.uint64}
            typed.append(np.array(values, dtype=dtype[physical.bits]))
        else:
            data = b"".join((value % R).to_bytes(32, "little") for value in values)
            typed.append(np.frombuffer(data, dtype="<u8").astype(np.uint64).reshape(-1, 4))
    return ToyTable(len(columns[0]), tuple(typed))


def toy_witness(
    digits: Sequence[int], published: Sequence[int], extra: Sequence[int] = (), first: int = 7
) -> ToyWitness:
    """A chain over `digits`; steps whose number is in `published` publish their value."""
    value, position = first, 0
    steps, words, looked_up = [], [], [*digits]
    for index, digit in enumerate(digits):
        following = (pow(value, 5, R) + digit * digit) % R
        flag = int(index in published)
        steps.append(
            (index, position, value, following, digit, digit * digit, inverse(digit + 1), flag)
        )
        words += [following] * flag
        position += flag
        value = following
    extras = []
    for number, digit in enumerate(extra):
        low, high = ((0, 0), (1, 0), (1, 1))[number % 3]
        extras.append((digit, digit * digit, low, high))
        looked_up += [digit] * (low + 2 * high + 1)
    counts = [looked_up.count(number) for number in range(DIGITS)]
    tables = {
        "step": toy_table("step", _columns(steps, 8)),
        "squares": toy_table("squares", [counts]),
        "ends": toy_table("ends", [[2]]),
        "words": toy_table("words", [words]),
        "extra": toy_table("extra", _columns(extras, 4)),
    }
    return ToyWitness((first, len(digits), value, position), tuple(words), tables)


def _columns(rows: list[tuple[int, ...]], count: int) -> list[list[int]]:
    return [[row[column] for row in rows] for column in range(count)]
