"""The key for snarkjs: its exponents against a proof in the field, and its file section by section.

The toy statement is w1 = w2 * w3 with a public w1, and (w2 + 2) * w2 = w4.
"""

import struct

import numpy as np
import pytest

from bench.peers import g2_multiples, groth16
from circuits.cli_support import CommandFailed
from circuits.field import Q, R
from tests.support.curve import generator_multiple
from verifier.pairing import bn128

WIRES = 5
WITNESS = [1, 15, 3, 5, 15]
FORMS = [
    ([(2, 1)], [(3, 1)], [(1, 1)]),
    ([(2, 1), (0, 2)], [(2, 1)], [(4, 1)]),
]


def r1cs_bytes(prime: int = R) -> bytes:
    header = struct.pack("<I", 32) + prime.to_bytes(32, "little")
    header += struct.pack("<IIIIQI", WIRES, 1, 0, 2, WIRES, len(FORMS))
    constraints = b"".join(
        struct.pack("<I", len(form))
        + b"".join(struct.pack("<I", wire) + value.to_bytes(32, "little") for wire, value in form)
        for sides in FORMS
        for form in sides
    )
    data = b"r1cs" + struct.pack("<II", 1, 2)
    # Sections may come in any order.
    for kind, content in ((2, constraints), (1, header)):
        data += struct.pack("<IQ", kind, len(content)) + content
    return data


@pytest.fixture
def r1cs(tmp_path):
    path = tmp_path / "toy.r1cs"
    path.write_bytes(r1cs_bytes())
    return groth16.read_r1cs(path)


def sections_of(data: bytes) -> dict[int, bytes]:
    assert data[:4] == b"zkey"
    version, count = struct.unpack_from("<II", data, 4)
    assert version == 1
    sections, place = {}, 12
    for _ in range(count):
        kind, size = struct.unpack_from("<IQ", data, place)
        sections[kind] = data[place + 12 : place + 12 + size]
        place += 12 + size
    assert place == len(data)
    return sections


def g1_bytes(scalar: int) -> bytes:
    return b"".join(
        (coordinate * (1 << 256) % Q).to_bytes(32, "little")
        for coordinate in generator_multiple(scalar)
    )


def test_constraints_are_read_as_three_sparse_matrices(r1cs):
    assert (r1cs.wire_count, r1cs.public_count, r1cs.row_count) == (WIRES, 1, 2)
    first, second, third = r1cs.sides
    assert first.rows.tolist() == [0, 1, 1]
    assert first.wires.tolist() == [2, 2, 0]
    values = [int.from_bytes(value.tobytes(), "little") for value in first.values]
    assert values == [1, 1, 2]
    assert second.wires.tolist() == [3, 2]
    assert third.wires.tolist() == [1, 4]
    # Two constraints, the one and the public wire.
    assert r1cs.log_size == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"zkey" + r1cs_bytes()[4:], "byte 0: expected b'r1cs', got b'zkey'"),
        (r1cs_bytes(Q), "header: expected the field of BN254, got another field"),
    ],
)
def test_another_file_is_refused(tmp_path, content, message):
    path = tmp_path / "wrong.r1cs"
    path.write_bytes(content)
    with pytest.raises(CommandFailed) as caught:
        groth16.read_r1cs(path)
    assert caught.value.message == f"{path}: {message}"


def test_lagrange_polynomials_interpolate():
    tau, size = 12345, 8
    root = pow(5, (R - 1) // size, R)
    basis = groth16.lagrange(3, tau)
    values = [pow(root, 3 * index, R) + 7 for index in range(size)]
    total = sum(value * weight for value, weight in zip(values, basis, strict=True))
    assert total % R == (pow(tau, 3, R) + 7) % R


def products(r1cs, point: int) -> int:
    """(A w)(B w) - C w of the witness, as polynomials at a point."""
    basis = groth16.lagrange(r1cs.log_size, point)
    columns = [groth16.columns_at_tau(side, WIRES, basis) for side in r1cs.sides]
    for wire in range(r1cs.public_count + 1):
        columns[0][wire] += basis[r1cs.row_count + wire]
    left, right, output = (
        sum(value * wire for value, wire in zip(column, WITNESS, strict=True)) for column in columns
    )
    return (left * right - output) % R


def test_the_odd_half_of_the_double_domain_carries_the_quotient(r1cs):
    """A true witness vanishes on the domain, so section 9 needs the points between alone."""
    tau, root = groth16.known_secrets().tau, pow(5, (R - 1) // 8, R)
    odd = [products(r1cs, pow(root, 2 * index + 1, R)) for index in range(4)]
    bases = groth16.lagrange(r1cs.log_size + 1, tau)[1::2]
    assert sum(p * q for p, q in zip(odd, bases, strict=True)) % R == products(r1cs, tau)
    assert any(odd)


def test_the_file_has_the_points_where_snarkjs_looks_for_them(r1cs, tmp_path):
    secrets = groth16.known_secrets()
    path = tmp_path / "toy.zkey"
    groth16.write_zkey(r1cs, path, secrets)
    sections = sections_of(path.read_bytes())
    assert sorted(sections) == list(range(1, 11))
    assert sections[1] == struct.pack("<I", 1)
    assert struct.unpack_from("<III", sections[2], 72) == (WIRES, 1, 4)
    assert sections[2][84 : 84 + 64] == g1_bytes(secrets.alpha)
    assert [len(sections[kind]) for kind in (3, 5, 6, 7, 8, 9)] == [
        2 * 64, WIRES * 64, WIRES * 64, WIRES * 128, (WIRES - 2) * 64, 4 * 64,
    ]  # fmt: skip
    basis = groth16.lagrange(2, secrets.tau)
    # Column 2 of A and of B; wire 4 is in neither.
    assert sections[5][128:192] == g1_bytes((basis[0] + basis[1]) % R)
    assert sections[6][128:192] == g1_bytes(basis[1])
    assert sections[5][256:320] == bytes(64)
    assert sections[8][128:192] == g1_bytes(basis[1] * pow(secrets.delta, -1, R) % R)
    assert sections[10] == bytes(68)


def test_coefficients_are_listed_with_the_rows_that_bind_public_wires(r1cs):
    data = groth16._coefficients(r1cs)
    entries = [struct.unpack_from("<III", data, 4 + 44 * index) for index in range(7)]
    assert struct.unpack_from("<I", data) == (7,)
    assert entries == [
        (0, 0, 2), (0, 1, 2), (0, 1, 0), (1, 0, 3), (1, 1, 2), (0, 2, 0), (0, 3, 1),
    ]  # fmt: skip
    two = int.from_bytes(data[4 + 2 * 44 + 12 : 4 + 3 * 44], "little")
    assert two == 2 * pow(2, 512, R) % R
    assert len(data) == 4 + 7 * 44


def test_multiples_of_the_generator_of_g2_are_those_of_py_ecc():
    scalars = [0, 1, 2, 255, 256, 257, 65536, R - 1, 0x1234 << 200 | 0x5600]
    found = g2_multiples.multiply_generator(scalars)
    assert found[0] == g2_multiples.INFINITY
    for scalar, point in zip(scalars[1:], found[1:], strict=True):
        x, y = bn128.normalize(bn128.multiply(bn128.G2, scalar))
        expected = tuple(tuple(int(part) for part in each.coeffs) for each in (x, y))
        assert point == expected, scalar


def test_points_of_the_first_group_are_montgomery_numbers():
    assert groth16._g1([5, 0]) == g1_bytes(5) + bytes(64)
    assert np.frombuffer(groth16._g1([1]), "<u8").shape == (8,)
