"""Fields in a row: how an object becomes bytes of one length, and comes back.

Numbers are big-endian, each in as many whole bytes as its bits need. A field that can be negative
is written with half its range added, as `packing` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import add, attrgetter
from typing import Any

from circuits.exchange.errors import CodecError


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field: its width in bytes follows from `bits`, its range may be narrower."""

    name: str
    bits: int
    minimum: int
    maximum: int

    @property
    def byte_count(self) -> int:
        """Bytes of the canonical encoding."""
        return (self.bits + 7) // 8

    @property
    def offset(self) -> int:
        """What is added before the value is written."""
        return 1 << self.bits - 1 if self.minimum < 0 else 0

    def require(self, value: int, place: str = "") -> None:
        """Refuse a value out of range; `place` stands before the name of the field.

        Raises: CodecError.
        """
        if not self.minimum <= value <= self.maximum:
            raise CodecError(f"{place}{self.name}", f"{self.minimum}..{self.maximum}", value)


def field(name: str, bits: int, minimum: int = 0, maximum: int | None = None) -> FieldSpec:
    """A field that uses its whole width unless told otherwise."""
    return FieldSpec(name, bits, minimum, 2**bits - 1 if maximum is None else maximum)


class Layout:
    """The fields of one kind of object; `read` takes it apart and `make` puts it together."""

    __slots__ = (
        "_bounded",
        "_offsets",
        "_spans",
        "_widths",
        "byte_count",
        "fields",
        "make",
        "read",
    )

    def __init__(
        self,
        fields: Iterable[FieldSpec],
        make: Callable[..., Any],
        read: Callable[[Any], Sequence[int]],
    ) -> None:
        self.fields = tuple(fields)
        self.make = make
        self.read = read
        self._widths = tuple(spec.byte_count for spec in self.fields)
        offsets = tuple(spec.offset for spec in self.fields)
        self._offsets = offsets if any(offsets) else None
        # What the bytes do not bound by themselves.
        self._bounded = tuple(
            (place, spec)
            for place, spec in enumerate(self.fields)
            if (spec.minimum + spec.offset, spec.maximum + spec.offset + 1)
            != (0, 1 << 8 * spec.byte_count)
        )
        spans = []
        end = 0
        for width in self._widths:
            spans.append((end, end + width))
            end += width
        self._spans = tuple(spans)
        self.byte_count = end

    def encode(self, thing: Any, place: str = "") -> bytes:
        """The bytes of an object. Raises: CodecError naming the first field that does not fit."""
        values = self.read(thing)
        stored: Iterable[int] = values
        if self._bounded:
            self._require(self._bounded, values, place)
        if self._offsets is not None:
            stored = map(add, values, self._offsets)
        try:
            return b"".join(map(int.to_bytes, stored, self._widths))
        except OverflowError:
            self._require(enumerate(self.fields), values, place)
            raise

    def values(self, encoded: bytes, start: int = 0, place: str = "") -> list[int]:
        """The values of the fields that stand at `start`.

        Assumes: as many bytes as the layout has. Raises: CodecError naming a field out of range.
        """
        values = [
            int.from_bytes(encoded[start + first : start + end], "big")
            for first, end in self._spans
        ]
        if self._offsets is not None:
            values = [value - offset for value, offset in zip(values, self._offsets, strict=True)]
        self._require(self._bounded, values, place)
        return values

    def decode(self, encoded: bytes, start: int = 0, place: str = "") -> Any:
        """The object whose bytes stand at `start`; `values` says what may be wrong with them."""
        return self.make(*self.values(encoded, start, place))

    @staticmethod
    def _require(
        numbered: Iterable[tuple[int, FieldSpec]], values: Sequence[int], place: str
    ) -> None:
        for number, spec in numbered:
            spec.require(values[number], place)


def reader(names: Sequence[str]) -> Callable[[Any], tuple[int, ...]]:
    """Takes the named attributes of an object, as a tuple however many they are."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda thing: tuple(getattr(thing, name) for name in names)
