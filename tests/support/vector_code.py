"""Machine code of straight vector functions, carried out one instruction after the other.

It takes what LLVM's code generator writes for a processor that need not be at hand: AT&T syntax,
operands before the result. Only what arithmetic without branches needs is known; anything else is
an error. Source of every meaning: Intel 64 and IA-32 Architectures Software Developer's Manual,
volume 2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

LANES = 8
WORD_BYTES = 8
_WORD = (1 << 64) - 1
_LOW_52 = (1 << 52) - 1
# What an operand of 16, 32 or 64 bytes has of the eight lanes; what is above becomes zero.
_WIDTHS = {"x": 2, "y": 4, "z": 8}
_VECTOR = re.compile(r"%([xyz])mm(\d+)")
_MEMORY = re.compile(r"(-?\d*)\(%(\w+)\)(\{1to8\})?")
_MASKED = re.compile(r"(.+?)\s*\{%k([1-7])\}(\{z\})?")
_OPERAND = re.compile(r"(?:[^,(]|\([^)]*\))+")

Lanes = list[int]
# The words of one region of memory, and a byte within it.
Place = tuple[list[int], int]


def _low_product(total: int, a: int, b: int) -> int:
    return total + ((a & _LOW_52) * (b & _LOW_52) & _LOW_52)


def _high_product(total: int, a: int, b: int) -> int:
    return total + ((a & _LOW_52) * (b & _LOW_52) >> 52)


# Lane by lane: the result of two operands, the first one written last.
_BINARY: Mapping[str, Callable[[int, int], int]] = {
    "vpaddq": lambda a, b: a + b,
    "vpsubq": lambda a, b: a - b,
    "vpandq": lambda a, b: a & b,
    "vpandnq": lambda a, b: ~a & b,
    "vporq": lambda a, b: a | b,
    "vpxor": lambda a, b: a ^ b,
    "vpxord": lambda a, b: a ^ b,
    "vpxorq": lambda a, b: a ^ b,
    "vpsrlq": lambda a, count: a >> count,
    "vpsllq": lambda a, count: a << count,
}
# The result is an operand as well.
_TERNARY: Mapping[str, Callable[[int, int, int], int]] = {
    "vpmadd52luq": _low_product,
    "vpmadd52huq": _high_product,
}
_COMPARE: Mapping[str, Callable[[int, int], bool]] = {
    "vpcmpltuq": lambda a, b: a < b,
    "vpcmpleuq": lambda a, b: a <= b,
    "vpcmpnltuq": lambda a, b: a >= b,
    "vpcmpnleuq": lambda a, b: a > b,
}
_MOVES = ("vmovdqa64", "vmovdqu64", "vmovdqa", "vmovdqu", "vpbroadcastq")


def run(assembly: str, name: str, arguments: Sequence[list[int]]) -> int:
    """Call a function with pointers to words of memory; return how many instructions it took.

    Raises: ValueError for an instruction or an operand that is not known.
    """
    machine = _Machine(_constants(assembly))
    for register, words in zip(("rdi", "rsi", "rdx", "rcx"), arguments, strict=False):
        machine.places[register] = (words, 0)
    lines = assembly.partition(f"\n{name}:\n")[2].splitlines()
    for count, line in enumerate(each for each in lines if _is_instruction(each)):
        code, _, operands = line.strip().partition("\t")
        if code == "retq":
            return count
        machine.step(code, [each.strip() for each in _OPERAND.findall(operands)])
    raise ValueError(f"{name}: expected an end, got none")


def _is_instruction(line: str) -> bool:
    return line.startswith("\t") and not line.strip().startswith((".", "#"))


def _constants(assembly: str) -> dict[str, list[int]]:
    """The words behind every label that has some."""
    found: dict[str, list[int]] = {}
    label = ""
    for line in assembly.splitlines():
        if line.endswith(":"):
            label = line[:-1]
        elif line.startswith("\t.quad\t"):
            found.setdefault(label, []).append(int(line.split()[1]) & _WORD)
    return found


@dataclass(slots=True)
class _Machine:
    constants: dict[str, list[int]]
    places: dict[str, Place] = field(default_factory=dict)
    vectors: dict[int, Lanes] = field(default_factory=dict)
    masks: dict[int, list[bool]] = field(default_factory=dict)

    def step(self, code: str, operands: list[str]) -> None:
        if code == "vzeroupper":
            return
        *sources, target = operands
        if code == "movabsq" and (label := sources[0].removeprefix("$")) in self.constants:
            self.places[target.removeprefix("%")] = (self.constants[label], 0)
        elif code in _COMPARE:
            b, a = (self._read(each) for each in sources)
            self.masks[int(target[-1])] = list(map(_COMPARE[code], a, b))
        else:
            self._write(code, sources, target)

    def _write(self, code: str, sources: list[str], target: str) -> None:
        mask, is_zeroing = [True] * LANES, False
        if (masked := _MASKED.fullmatch(target)) is not None:
            target, mask = masked[1], self.masks[int(masked[2])]
            is_zeroing = masked[3] is not None
        values = self._values(code, sources, target)
        if (place := _MEMORY.fullmatch(target)) is not None:
            if not all(mask):
                raise ValueError(f"{target}: expected a whole store, got a masked one")
            words, first = self._words(place)
            words[first : first + LANES] = values
            return
        register = _vector(target)
        before = [0] * LANES if is_zeroing or all(mask) else self.vectors[register[0]]
        made = [new if taken else old for new, old, taken in zip(values, before, mask, strict=True)]
        self.vectors[register[0]] = made[: register[1]] + [0] * (LANES - register[1])

    def _values(self, code: str, sources: list[str], target: str) -> Lanes:
        if code in _MOVES:
            return self._read(sources[0], repeats=code == "vpbroadcastq")
        if code in _BINARY:
            b, a = (self._read(each) for each in sources)
            return [_BINARY[code](x, y) & _WORD for x, y in zip(a, b, strict=True)]
        if code in _TERNARY:
            c, b = (self._read(each) for each in sources)
            a = self._read(target)
            return [_TERNARY[code](*each) & _WORD for each in zip(a, b, c, strict=True)]
        raise ValueError(f"expected a known instruction, got {code} {', '.join(sources)}, {target}")

    def _read(self, operand: str, *, repeats: bool = False) -> Lanes:
        if operand.startswith("$"):
            return [int(operand[1:], 0)] * LANES
        if (place := _MEMORY.fullmatch(operand)) is not None:
            words, first = self._words(place)
            if repeats or place[3]:
                return [words[first]] * LANES
            return words[first : first + LANES]
        number, width = _vector(operand)
        # A register that is combined with itself to zero was not written before.
        lanes = self.vectors.get(number, [0] * LANES)
        return lanes[:width] + [0] * (LANES - width)

    def _words(self, place: re.Match[str]) -> tuple[list[int], int]:
        words, start = self.places[place[2]]
        return words, (start + int(place[1] or 0)) // WORD_BYTES


def _vector(operand: str) -> tuple[int, int]:
    """The number of a register and its lanes."""
    found = _VECTOR.fullmatch(operand)
    if found is None:
        raise ValueError(f"expected a vector register or memory, got {operand}")
    return int(found[2]), _WIDTHS[found[1]]
