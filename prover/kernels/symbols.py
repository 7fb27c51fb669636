"""Numbers that become known later, so that a plan is made once and filled for every proof.

Graphs and programs treat challenges, weights and public words as plain integers: they add and
multiply them and take remainders modulo r. A `Symbol` stands for such an integer and takes down
what is done with it. It equals nothing but itself and has no order, so whoever makes a choice by
value makes none: the result is right whatever the numbers turn out to be, zero and one included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import add, mul, sub
from typing import TypeAlias

from circuits.field import R

Scalar: TypeAlias = "int | Symbol"


class Symbol:
    """An input, or what arithmetic made of others; equal arithmetic on equal operands is one."""

    __slots__ = ("_number", "_symbols")

    def __init__(self, symbols: Symbols, number: int) -> None:
        """For `Symbols`, which number them."""
        self._symbols = symbols
        self._number = number

    @property
    def number(self) -> int:
        """Its place among all symbols; operands come before what is made of them."""
        return self._number

    def __add__(self, other: Scalar) -> Scalar:
        if isinstance(other, int):
            return self._symbols.make(add, self, other % R) if other % R else self
        return self._symbols.make(add, *sorted((self, other), key=_number_of))

    __radd__ = __add__

    def __sub__(self, other: Scalar) -> Scalar:
        if isinstance(other, int):
            return self + -other
        return self._symbols.make(sub, self, other) if other is not self else 0

    def __rsub__(self, other: int) -> Scalar:
        return self._symbols.make(sub, other % R, self)

    def __neg__(self) -> Scalar:
        return 0 - self

    def __mul__(self, other: Scalar) -> Scalar:
        if isinstance(other, int):
            other %= R
            if other < 2:
                return self if other else 0
            return self._symbols.make(mul, self, other)
        return self._symbols.make(mul, *sorted((self, other), key=_number_of))

    __rmul__ = __mul__

    def __mod__(self, modulus: int) -> Symbol:
        """Symbols are below r as they are. Raises: ValueError for another modulus."""
        if modulus != R:
            raise ValueError(f"expected {R} as modulus, got {modulus}")
        return self


def _number_of(symbol: Symbol) -> int:
    return symbol.number


class Symbols:
    """`count` inputs, and all that is made of them."""

    def __init__(self, count: int) -> None:
        self.inputs = [Symbol(self, number) for number in range(count)]
        self._count = count
        self._steps: list[tuple[Callable[[int, int], int], Scalar, Scalar]] = []
        self._known: dict[tuple[Callable[[int, int], int], Scalar, Scalar], Symbol] = {}

    def make(self, operation: Callable[[int, int], int], left: Scalar, right: Scalar) -> Symbol:
        """The symbol for an operation; for `Symbol`."""
        step = (operation, left, right)
        if step not in self._known:
            self._known[step] = Symbol(self, self._count + len(self._steps))
            self._steps.append(step)
        return self._known[step]

    def values(self, inputs: Sequence[int]) -> Values:
        """The values of all symbols. Raises: ValueError for another number of inputs."""
        if len(inputs) != self._count:
            raise ValueError(f"expected {self._count} numbers, got {len(inputs)}")
        found = [value % R for value in inputs]
        for operation, left, right in self._steps:
            a = found[left.number] if isinstance(left, Symbol) else left
            b = found[right.number] if isinstance(right, Symbol) else right
            found.append(operation(a, b) % R)
        return Values(found)


class Values:
    """What symbols turned out to be."""

    def __init__(self, found: Sequence[int]) -> None:
        """By number."""
        self._found = found

    def of(self, scalars: Iterable[Scalar]) -> list[int]:
        """The integers in [0, r) that these stand for."""
        return [
            self._found[each.number] if isinstance(each, Symbol) else each % R for each in scalars
        ]


KNOWN = Values(())
"""For scalars without a symbol among them."""
