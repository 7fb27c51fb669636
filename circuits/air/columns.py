"""Typed columns: the declaration adds the range rule and fixes the width of the commitment.

A chip declares its columns as annotations of a `Columns` class:

    class Cols(Columns):
        account: Given[U24]      # ranged by whoever sent it on a bus
        amount: U64              # four 16-bit limbs, each looked up in the range table
        point: Field[2]          # two full-width cells without a range rule

A wide integer is stored as its 16-bit limbs only; reading it gives their weighted sum, so a
range-checked u64 costs four narrow cells and no full-width one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from circuits.air.expr import Expr, column, constant

FULL_BITS = 256


@dataclass(frozen=True, slots=True)
class Physical:
    """One committed column: its name, the bits its cells fit in, and its own range rule."""

    name: str
    bits: int  # 1, 8, 16, 32, 64 or FULL_BITS: the class of its commitment
    rule: str  # "bit", "u8", "u16" or "" for none


@dataclass(frozen=True, slots=True)
class Array:
    """`count` columns of one type, read as a tuple."""

    element: type[ColumnType] | Given
    count: int


class ColumnType:
    """A kind of column. `limbs` holds (bits, rule) of each committed cell, lowest first."""

    bits: ClassVar[int]
    limbs: ClassVar[tuple[tuple[int, str], ...]]

    def __class_getitem__(cls, count: int) -> Array:
        return Array(cls, count)


class Bit(ColumnType):
    bits = 1
    limbs = ((1, "bit"),)


class U8(ColumnType):
    bits = 8
    limbs = ((8, "u8"),)


class U16(ColumnType):
    bits = 16
    limbs = ((16, "u16"),)


class U24(ColumnType):
    bits = 24
    limbs = ((16, "u16"), (8, "u8"))


class U32(ColumnType):
    bits = 32
    limbs = ((16, "u16"),) * 2


class U48(ColumnType):
    bits = 48
    limbs = ((16, "u16"),) * 3


class U64(ColumnType):
    bits = 64
    limbs = ((16, "u16"),) * 4


class U112(ColumnType):
    bits = 112
    limbs = ((16, "u16"),) * 7


class U128(ColumnType):
    bits = 128
    limbs = ((16, "u16"),) * 8


class Field(ColumnType):
    """Any field element."""

    bits = FULL_BITS
    limbs = ((FULL_BITS, ""),)


class Given:
    """`Given[T]`: one cell that fits T because another chip ranged it; no rule of its own."""

    def __init__(self, element: type[ColumnType]) -> None:
        self.element = element

    def __class_getitem__(cls, element: type[ColumnType]) -> Given:
        return cls(element)

    def __getitem__(self, count: int) -> Array:
        return Array(self, count)

    @property
    def width_bits(self) -> int:
        """Smallest commitment class that holds the type."""
        return next(
            (width for width in (1, 8, 16, 32, 64) if self.element.bits <= width), FULL_BITS
        )


Declared = type[ColumnType] | Given


@dataclass(frozen=True, slots=True)
class Logical:
    """One declared value: its name and the numbers of the physical columns that hold it."""

    name: str
    declared: Declared
    first: int  # number of its lowest physical column
    count: int  # how many physical columns hold it

    def expression(self) -> Expr:
        total = constant(0)
        shift = 0
        for offset in range(self.count):
            total = total + column(self.first + offset) * (1 << shift)
            if not isinstance(self.declared, Given):
                shift += self.declared.limbs[offset][0]
        return total


class Columns:
    """Base of a chip's column declaration; instances carry expressions under the same names."""

    logical: ClassVar[dict[str, Logical | tuple[Logical, ...]]]
    physical: ClassVar[tuple[Physical, ...]]

    def __init_subclass__(cls) -> None:
        physical: list[Physical] = []
        logical: dict[str, Logical | tuple[Logical, ...]] = {}

        def place(name: str, declared: Declared) -> Logical:
            first = len(physical)
            if isinstance(declared, Given):
                physical.append(Physical(name, declared.width_bits, ""))
                return Logical(name, declared, first, 1)
            single = len(declared.limbs) == 1
            for number, (bits, rule) in enumerate(declared.limbs):
                physical.append(Physical(name if single else f"{name}.{number}", bits, rule))
            return Logical(name, declared, first, len(declared.limbs))

        for name, declared in cls.__annotations__.items():
            if isinstance(declared, Array):
                logical[name] = tuple(
                    place(f"{name}[{number}]", declared.element) for number in range(declared.count)
                )
            elif isinstance(declared, Given) or (
                isinstance(declared, type) and issubclass(declared, ColumnType)
            ):
                logical[name] = place(name, declared)
            else:
                raise TypeError(
                    f"{cls.__qualname__}.{name}: expected a column type, got {declared!r} "
                    "(a module with chips must not postpone its annotations)"
                )
        cls.physical = tuple(physical)
        cls.logical = logical

    def __getattr__(self, name: str) -> Any:
        # Only for type checkers and clear errors: real columns are set by symbolic().
        raise AttributeError(f"{type(self).__qualname__} declares no column {name!r}")

    @classmethod
    def symbolic(cls) -> Columns:
        """An instance whose attributes are the expressions of the columns."""
        instance = cls()
        for name, place in cls.logical.items():
            value = (
                tuple(each.expression() for each in place)
                if isinstance(place, tuple)
                else place.expression()
            )
            object.__setattr__(instance, name, value)
        return instance
