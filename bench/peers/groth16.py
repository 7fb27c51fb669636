"""A Groth16 key for snarkjs from an .r1cs file and secrets that are known to all.

A ceremony and its preparation take snarkjs many minutes; whoever knows the secrets computes every
exponent in the field and multiplies the generators. Such a key proves nothing to anyone, and costs
the prover exactly what a ceremony's key costs.

Formats: github.com/iden3/r1csfile and the sections of a .zkey as snarkjs 0.7 reads them. Numbers
are little-endian; coordinates in a .zkey are in Montgomery form, coefficients in it twice.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from bench.peers import g2_multiples
from bench.peers.trades import draw
from circuits.cli_support import atomic_write, bad_input
from circuits.field import NON_SQUARE, TWO_ADICITY, Q, R, batch_inverse
from prover.kernels import fixed_base
from verifier.pairing import G2Point

_FIELD_BYTES = 32
_TERM = np.dtype([("wire", "<u4"), ("value", "V32")])
_COEFFICIENT = np.dtype(
    [("matrix", "<u4"), ("row", "<u4"), ("wire", "<u4"), ("value", "V32")], align=False
)
_GROTH16 = 1
_HASH_BYTES = 64


@dataclass(frozen=True, slots=True)
class Matrix:
    """One side of all constraints: entry k is `values[k]` at (rows[k], wires[k])."""

    rows: np.ndarray
    wires: np.ndarray
    values: np.ndarray


@dataclass(frozen=True, slots=True)
class R1cs:
    """Constraints (A w)(B w) = C w; wire 0 is the constant one, the public wires follow it."""

    wire_count: int
    public_count: int
    row_count: int
    sides: tuple[Matrix, Matrix, Matrix]

    @property
    def log_size(self) -> int:
        """Log2 of the domain: the constraints, and one row for each public wire and the one."""
        return (self.row_count + self.public_count).bit_length()


def read_r1cs(path: Path) -> R1cs:
    """Read what circom wrote. Raises: CommandFailed for another file."""
    data = path.read_bytes()
    if data[:4] != b"r1cs":
        raise bad_input(path, "byte 0", "b'r1cs'", data[:4])
    sections, place = {}, 12
    while place < len(data):
        kind, size = struct.unpack_from("<IQ", data, place)
        sections[kind] = data[place + 12 : place + 12 + size]
        place += 12 + size
    header = sections[1]
    if int.from_bytes(header[4:36], "little") != R:
        raise bad_input(path, "header", "the field of BN254", "another field")
    wires, outputs, inputs, _, _, rows = struct.unpack_from("<IIIIQI", header, 4 + _FIELD_BYTES)
    return R1cs(wires, outputs + inputs, rows, _sides(sections[2], rows))


def _sides(data: bytes, row_count: int) -> tuple[Matrix, Matrix, Matrix]:
    parts: tuple[list[np.ndarray], ...] = ([], [], [])
    place = 0
    for _ in range(row_count):
        for part in parts:
            (count,) = struct.unpack_from("<I", data, place)
            part.append(np.frombuffer(data, _TERM, count, place + 4))
            place += 4 + count * _TERM.itemsize
    first, second, third = (_matrix(part) for part in parts)
    return first, second, third


def _matrix(forms: Sequence[np.ndarray]) -> Matrix:
    terms = np.concatenate(forms)
    rows = np.repeat(np.arange(len(forms)), [len(form) for form in forms])
    return Matrix(rows, terms["wire"].astype(np.int64), terms["value"])


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a ceremony would have destroyed; gamma is one."""

    tau: int
    alpha: int
    beta: int
    delta: int


def known_secrets() -> Secrets:
    """The same for everyone."""
    tau, alpha, beta, delta = (1 + draw(R - 1, "groth16", name) for name in "tabd")
    return Secrets(tau, alpha, beta, delta)


def lagrange(log_size: int, tau: int) -> list[int]:
    """All Lagrange polynomials of the domain of 2^log_size roots of unity, at tau."""
    size = 1 << log_size
    root = pow(NON_SQUARE, (R - 1) >> log_size, R)
    assert log_size <= TWO_ADICITY
    roots = [1]
    for _ in range(size - 1):
        roots.append(roots[-1] * root % R)
    scale = (pow(tau, size, R) - 1) * pow(size, -1, R) % R
    inverses = batch_inverse([(tau - power) % R for power in roots])
    return [power * inverse % R * scale % R for power, inverse in zip(roots, inverses, strict=True)]


def columns_at_tau(matrix: Matrix, wire_count: int, basis: Sequence[int]) -> list[int]:
    """For each wire the polynomial of its column, at tau."""
    distinct, places = np.unique(matrix.values, return_inverse=True)
    numbers = [int.from_bytes(value.tobytes(), "little") for value in distinct]
    totals = [0] * wire_count
    entries = zip(matrix.rows.tolist(), matrix.wires.tolist(), places.tolist(), strict=True)
    for row, wire, place in entries:
        totals[wire] += basis[row] * numbers[place]
    return [total % R for total in totals]


def write_zkey(r1cs: R1cs, path: Path, secrets: Secrets) -> None:
    """Write the proving key. Cost: some 50 s for 2^17 rows, half of it for the points of G2."""
    basis = lagrange(r1cs.log_size, secrets.tau)
    a, b, c = (columns_at_tau(side, r1cs.wire_count, basis) for side in r1cs.sides)
    # Rows behind the constraints bind the public wires, so that no proof fits two statements.
    for wire in range(r1cs.public_count + 1):
        a[wire] = (a[wire] + basis[r1cs.row_count + wire]) % R
    combined = [
        (secrets.beta * left + secrets.alpha * right + output) % R
        for left, right, output in zip(a, b, c, strict=True)
    ]
    first_private = r1cs.public_count + 1
    inverse = pow(secrets.delta, -1, R)
    odd = lagrange(r1cs.log_size + 1, secrets.tau)[1::2]
    sections = {
        1: struct.pack("<I", _GROTH16),
        2: _header(r1cs, secrets),
        3: _g1(combined[:first_private]),
        4: _coefficients(r1cs),
        5: _g1(a),
        6: _g1(b),
        7: _g2(b),
        8: _g1([value * inverse % R for value in combined[first_private:]]),
        9: _g1([value * inverse % R for value in odd]),
        10: bytes(_HASH_BYTES) + struct.pack("<I", 0),
    }
    with atomic_write(path) as stream:
        stream.write(b"zkey" + struct.pack("<II", 1, len(sections)))
        for kind, content in sections.items():
            stream.write(struct.pack("<IQ", kind, len(content)) + content)


def _header(r1cs: R1cs, secrets: Secrets) -> bytes:
    sizes = (r1cs.wire_count, r1cs.public_count, 1 << r1cs.log_size)
    alpha, beta, delta = (_g1([value]) for value in (secrets.alpha, secrets.beta, secrets.delta))
    return b"".join(
        (
            struct.pack("<I", _FIELD_BYTES) + Q.to_bytes(_FIELD_BYTES, "little"),
            struct.pack("<I", _FIELD_BYTES) + R.to_bytes(_FIELD_BYTES, "little"),
            struct.pack("<III", *sizes),
            *(alpha, beta, _g2([secrets.beta]), _g2([1]), delta, _g2([secrets.delta])),
        )
    )


def _coefficients(r1cs: R1cs) -> bytes:
    """Section 4: the entries of A and B, and the rows that bind the public wires."""
    bound = np.arange(r1cs.public_count + 1)
    one = np.frombuffer((1).to_bytes(_FIELD_BYTES, "little"), "V32")
    first, second, _ = r1cs.sides
    binding = Matrix(bound + r1cs.row_count, bound, np.repeat(one, len(bound)))
    parts = []
    for number, matrix in ((0, first), (1, second), (0, binding)):
        part = np.zeros(len(matrix.rows), _COEFFICIENT)
        part["matrix"], part["row"], part["wire"] = number, matrix.rows, matrix.wires
        part["value"] = _twice_montgomery(matrix.values)
        parts.append(part)
    return struct.pack("<I", sum(map(len, parts))) + b"".join(part.tobytes() for part in parts)


def _twice_montgomery(values: np.ndarray) -> np.ndarray:
    distinct, places = np.unique(values, return_inverse=True)
    shifted = b"".join(
        (int.from_bytes(value.tobytes(), "little") * (1 << 512) % R).to_bytes(32, "little")
        for value in distinct
    )
    return np.frombuffer(shifted, "V32")[places]


def _g1(scalars: Sequence[int]) -> bytes:
    packed = b"".join(scalar.to_bytes(_FIELD_BYTES, "little") for scalar in scalars)
    rows = np.frombuffer(packed, "<u8").reshape(-1, 4).astype(np.uint64)
    return fixed_base.multiply_generator(rows, _g1_table()).astype("<u8").tobytes()


@cache
def _g1_table() -> np.ndarray:
    return fixed_base.generator_table()


def _g2(scalars: Sequence[int]) -> bytes:
    return b"".join(map(_packed_g2, g2_multiples.multiply_generator(scalars)))


def _packed_g2(point: G2Point) -> bytes:
    shifted = [(number << 256) % Q for pair in point for number in pair]
    return b"".join(number.to_bytes(_FIELD_BYTES, "little") for number in shifted)
