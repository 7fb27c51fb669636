"""Powers of tau from a ceremony file (.ptau as snarkjs writes it), and how to check them.

The verifier keeps only [tau]_2, the file's hash and whether the secret is known (`Setup`). Whoever
relies on a file checks all powers once, here with plain integers or faster through `Powers`.

Layout: "ptau", version 1, section count; then sections of type (4 bytes), size (8 bytes) and data.
Section 1 is the header (coordinate size, q, power, ceremony power), section 2 holds 2^(power+1) - 1
points of G1, section 3 2^power points of G2. Integers are little-endian; coordinates are
Montgomery (x * 2^256 mod q) and points affine, those of G2 as x.c0, x.c1, y.c0, y.c1.
Source: iden3/snarkjs, src/powersoftau_new.js.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from circuits.field import Q
from verifier.key import Setup
from verifier.pairing import G2Point, bn128, is_valid_g2, multi_scalar, pairing_check
from verifier.transcript import Point

GENERATOR: Point = (1, 2)
GENERATOR_G2: G2Point = tuple(
    tuple(int(part) for part in coordinate.coeffs) for coordinate in bn128.normalize(bn128.G2)
)  # type: ignore[assignment]  # a generator of two pairs
G1_BYTES = 64
G2_BYTES = 128
# Random weights of the pairing check: false powers pass with probability 2^-128.
WEIGHT_BYTES = 16
POWER_MAX = 28
_SECTION_COUNT_MAX = 64
_HEADER, _TAU_G1, _TAU_G2 = 1, 2, 3
_MONTGOMERY_INVERSE = pow(2**256, -1, Q)
# Points per call of the plain multi-scalar product, whose tables take 2 kB a point.
_PLAIN_GROUP = 512


class SrsError(Exception):
    """A reference string cannot be used: the file, the place in it, expected and got."""

    def __init__(self, path: str | Path, place: str, expected: object, got: object) -> None:
        super().__init__(f"{path}: {place}: expected {expected}, got {got}")
        self.path = str(path)
        self.place = place
        self.expected = expected
        self.got = got


class Powers(Protocol):
    """Points claimed to be [tau^i]_1, with the sums that checking them needs."""

    def __len__(self) -> int: ...

    def point(self, index: int) -> Point:
        """The index-th power."""
        ...

    def first_off_curve(self) -> int:
        """Row of the first point not canonical on the curve, infinity included; -1 if none."""
        ...

    def weighted_sum(self, first: int, weights: bytes) -> Point:
        """Sum of weight_i * point(first + i); weights are 16-byte little-endian integers."""
        ...


class PlainPowers:
    """`Powers` over Python integers. Cost: about 0.6 ms a point."""

    def __init__(self, data: bytes) -> None:
        words = [int.from_bytes(data[k : k + 32], "little") for k in range(0, len(data), 32)]
        self._rows = list(zip(words[::2], words[1::2], strict=True))

    def __len__(self) -> int:
        return len(self._rows)

    def point(self, index: int) -> Point:
        x, y = self._rows[index]
        return (x * _MONTGOMERY_INVERSE % Q, y * _MONTGOMERY_INVERSE % Q)

    def first_off_curve(self) -> int:
        for row, raw in enumerate(self._rows):
            x, y = self.point(row)
            if max(raw) >= Q or (y * y - x * x * x - 3) % Q:
                return row
        return -1

    def weighted_sum(self, first: int, weights: bytes) -> Point:
        scalars = [
            int.from_bytes(weights[k : k + WEIGHT_BYTES], "little")
            for k in range(0, len(weights), WEIGHT_BYTES)
        ]
        points = [self.point(first + row) for row in range(len(scalars))]
        sums = [
            multi_scalar(points[k : k + _PLAIN_GROUP], scalars[k : k + _PLAIN_GROUP])
            for k in range(0, len(points), _PLAIN_GROUP)
        ]
        return multi_scalar(sums, [1] * len(sums))


@dataclass(frozen=True, slots=True)
class PtauFile:
    """A .ptau file whose structure is right; its points are still unchecked."""

    path: Path
    power: int
    ceremony_power: int
    g1_start: int
    g2_start: int

    @property
    def g1_count(self) -> int:
        return (2 << self.power) - 1

    def g1_bytes(self, count: int) -> bytes:
        """The first `count` points of G1 as they stand in the file."""
        if not 2 <= count <= self.g1_count:
            raise SrsError(self.path, "powers in G1", f"2 to {self.g1_count} asked for", count)
        return _read(self.path, self.g1_start, count * G1_BYTES)

    def tau_g2(self) -> G2Point:
        """[tau]_2, checked to be in the subgroup and to follow the generator."""
        data = _read(self.path, self.g2_start, 2 * G2_BYTES)
        generator, tau = (self._g2(data, number) for number in range(2))
        if generator != GENERATOR_G2:
            raise SrsError(self.path, "G2 point 0", f"the generator {GENERATOR_G2}", generator)
        if not is_valid_g2(tau):
            raise SrsError(self.path, "G2 point 1", "a point of the subgroup of G2", tau)
        return tau

    def _g2(self, data: bytes, number: int) -> G2Point:
        start = number * G2_BYTES
        raw = [int.from_bytes(data[start + k : start + k + 32], "little") for k in (0, 32, 64, 96)]
        if max(raw) >= Q:
            raise SrsError(self.path, f"G2 point {number}", f"coordinates below {Q}", max(raw))
        x0, x1, y0, y1 = (word * _MONTGOMERY_INVERSE % Q for word in raw)
        return ((x0, x1), (y0, y1))


def open_ptau(path: str | Path) -> PtauFile:
    """Read the structure of a .ptau file: magic, version, curve, and the size of every section.

    Raises: SrsError; OSError when the file cannot be read.
    """
    path = Path(path)
    sections = dict(_sections(path))
    for number in (_HEADER, _TAU_G1, _TAU_G2):
        if number not in sections:
            raise SrsError(path, f"section {number}", "one such section", "none")
    start, size = sections[_HEADER]
    if size != 44:
        raise SrsError(path, "header", "44 bytes", f"{size} bytes")
    header = _read(path, start, size)
    coordinate_bytes, modulus, power, ceremony_power = (
        int.from_bytes(part, "little")
        for part in (header[:4], header[4:36], header[36:40], header[40:])
    )
    if coordinate_bytes != 32:
        raise SrsError(path, "header, coordinate size", "32 bytes", coordinate_bytes)
    if modulus != Q:
        raise SrsError(path, "header, modulus", f"{Q} of BN254", modulus)
    if not 1 <= power <= POWER_MAX:
        raise SrsError(path, "header, power", f"1 to {POWER_MAX}", power)
    g1_size, g2_size = ((2 << power) - 1) * G1_BYTES, (1 << power) * G2_BYTES
    for number, expected in ((_TAU_G1, g1_size), (_TAU_G2, g2_size)):
        if sections[number][1] != expected:
            got = f"{sections[number][1]} bytes"
            raise SrsError(path, f"section {number}, size", f"{expected} bytes", got)
    return PtauFile(path, power, ceremony_power, sections[_TAU_G1][0], sections[_TAU_G2][0])


def _sections(path: Path) -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield (type, (start, size)) of every section and check that the file ends with the last."""
    file_size = os.path.getsize(path)
    head = _read(path, 0, 12)
    version, count = struct.unpack("<II", head[4:])
    if head[:4] != b"ptau":
        raise SrsError(path, "byte 0", "the letters ptau", repr(head[:4]))
    if version != 1:
        raise SrsError(path, "byte 4, version", 1, version)
    if count > _SECTION_COUNT_MAX:
        raise SrsError(path, "byte 8, sections", f"at most {_SECTION_COUNT_MAX}", count)
    position, seen = 12, set()
    for _ in range(count):
        number, size = struct.unpack("<IQ", _read(path, position, 12))
        if number in seen:
            raise SrsError(path, f"byte {position}", f"one section {number}", "a second one")
        seen.add(number)
        if position + 12 + size > file_size:
            place = f"section {number} at byte {position + 12}"
            got = f"{file_size - position - 12} bytes before the file ends"
            raise SrsError(path, place, f"{size} bytes", got)
        yield number, (position + 12, size)
        position += 12 + size
    if position != file_size:
        raise SrsError(path, "end", f"{position} bytes in all", f"{file_size} bytes")


def _read(path: Path, start: int, size: int) -> bytes:
    with open(path, "rb") as stream:
        stream.seek(start)
        data = stream.read(size)
    if len(data) != size:
        raise SrsError(path, f"byte {start}", f"{size} bytes", f"{len(data)} bytes")
    return data


def check_powers(path: str | Path, powers: Powers, tau_g2: G2Point) -> None:
    """Check that the points are [1], [tau], [tau^2], ... for the tau of `tau_g2`.

    Every point must be on the curve, the first one the generator, and with random 128-bit weights
    e(sum w_i P_{i+1}, [1]_2) = e(sum w_i P_i, [tau]_2).
    Assumes: tau_g2 in the subgroup (checked where it was read).
    Raises: SrsError.
    """
    bad = powers.first_off_curve()
    if bad >= 0:
        raise SrsError(path, f"G1 point {bad}", "a point of the curve", powers.point(bad))
    if powers.point(0) != GENERATOR:
        raise SrsError(path, "G1 point 0", f"the generator {GENERATOR}", powers.point(0))
    weights = secrets.token_bytes(WEIGHT_BYTES * (len(powers) - 1))
    shifted, plain = powers.weighted_sum(1, weights), powers.weighted_sum(0, weights)
    if not pairing_check(shifted, plain, tau_g2):
        expected = "each one tau times the one before"
        raise SrsError(path, "powers in G1", expected, "another relation (pairing check)")


def read_setup(path: str | Path, count: int) -> Setup:
    """Check the first `count` powers of a .ptau file in plain integers; return what to keep of it.

    Raises: SrsError; OSError when the file cannot be read.
    """
    file = open_ptau(path)
    tau_g2 = file.tau_g2()
    check_powers(path, PlainPowers(file.g1_bytes(count)), tau_g2)
    return Setup(tau_g2, file_hashes(path)[0], insecure=False)


def file_hashes(path: str | Path) -> tuple[bytes, bytes]:
    """SHA-256 (pinned in keys) and BLAKE2b-512 (published with ceremony files) of a file."""
    sha256, blake2b = hashlib.sha256(), hashlib.blake2b()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            sha256.update(block)
            blake2b.update(block)
    return sha256.digest(), blake2b.digest()
