"""Small .ptau files, right and wrong, for the readers of ceremony files."""

import struct
from functools import cache
from pathlib import Path

from py_ecc import optimized_bn128 as bn128

from circuits.field import Q, R
from tests.support.curve import generator_multiple

SECRET = 0x1D0C7A5E9B3F
POWER = 3


def write_ptau(path: Path, power: int = POWER, secret: int = SECRET) -> Path:
    """Write a .ptau file as snarkjs lays it out, with the sections that a ceremony fills."""
    path.write_bytes(_ptau_bytes(power, secret))
    return path


@cache
def _ptau_bytes(power: int, secret: int) -> bytes:
    count = 1 << power
    g1 = [pow(secret, i, R) for i in range(2 * count - 1)]
    header = struct.pack("<I", 32) + Q.to_bytes(32, "little") + struct.pack("<II", power, 28)
    sections = {
        1: header,
        2: b"".join(g1_bytes(generator_multiple(scalar)) for scalar in g1),
        3: b"".join(g2_bytes(scalar) for scalar in g1[:count]),
        4: b"".join(g1_bytes(generator_multiple(5 * scalar)) for scalar in g1[:count]),
        5: b"".join(g1_bytes(generator_multiple(7 * scalar)) for scalar in g1[:count]),
        6: g2_bytes(7),
        7: struct.pack("<I", 0),
    }
    data = b"ptau" + struct.pack("<II", 1, len(sections))
    for number, content in sections.items():
        data += struct.pack("<IQ", number, len(content)) + content
    return data


def replace(path: Path, start: int, content: bytes) -> Path:
    """Overwrite bytes of a file in place."""
    data = bytearray(path.read_bytes())
    data[start : start + len(content)] = content
    path.write_bytes(data)
    return path


MODULUS_START = 12 + 12 + 4


def g1_start(index: int) -> int:
    """Offset of a point of section 2: after the file head, section 1 and a section head."""
    return 12 + (12 + 44) + 12 + 64 * index


def g2_start(index: int, power: int = POWER) -> int:
    """Offset of a point of section 3."""
    return g1_start((2 << power) - 1) + 12 + 128 * index


def g1_bytes(point: tuple[int, int]) -> bytes:
    return b"".join((value * 2**256 % Q).to_bytes(32, "little") for value in point)


def g2_bytes(scalar: int) -> bytes:
    point = bn128.normalize(bn128.multiply(bn128.G2, scalar))
    return _fq2_bytes(point)


@cache
def g2_outside_subgroup() -> bytes:
    """A point of the twist whose order is not r: almost every point of the twist is one."""
    for candidate in range(1, 100):
        x = bn128.FQ2([candidate, 0])
        y = _square_root(x * x * x + bn128.b2)
        if y is not None:
            return _fq2_bytes((x, y))
    raise ValueError("no point found")


def _fq2_bytes(point) -> bytes:
    words = [int(part) for coordinate in point for part in coordinate.coeffs]
    return b"".join((word * 2**256 % Q).to_bytes(32, "little") for word in words)


def _square_root(value):
    # Square roots in Fq2 for q = 3 mod 4 (Adj and Rodriguez-Henriquez, ePrint 2012/685).
    power = value ** ((Q - 3) // 4)
    alpha, root = power * power * value, power * value
    if alpha == bn128.FQ2([Q - 1, 0]):
        root = bn128.FQ2([0, 1]) * root
    else:
        root = (bn128.FQ2.one() + alpha) ** ((Q - 1) // 2) * root
    return root if root * root == value else None
