"""Reading and checking ceremony files with plain integers."""

import hashlib
import struct

import pytest
from py_ecc import optimized_bn128 as bn128

from circuits.field import Q, R
from tests.support import ptau
from tests.support.curve import generator_multiple
from verifier.srs import PlainPowers, SrsError, check_powers, file_hashes, open_ptau, read_setup

COUNT = 1 << ptau.POWER


@pytest.fixture
def path(tmp_path):
    return ptau.write_ptau(tmp_path / "ceremony.ptau")


def message(path, place, expected, got) -> str:
    return f"{path}: {place}: expected {expected}, got {got}"


def refusal(path, count=COUNT) -> str:
    with pytest.raises(SrsError) as caught:
        read_setup(path, count)
    return str(caught.value)


def test_a_right_file_is_accepted(path):
    setup = read_setup(path, COUNT)
    x, y = bn128.normalize(bn128.multiply(bn128.G2, ptau.SECRET))
    assert setup.tau_g2 == tuple(tuple(int(part) for part in each.coeffs) for each in (x, y))
    assert setup.source_hash == hashlib.sha256(path.read_bytes()).digest()
    assert setup.insecure is False
    assert file_hashes(path)[1] == hashlib.blake2b(path.read_bytes()).digest()
    assert open_ptau(path).ceremony_power == 28


def test_all_powers_of_the_file_can_be_used(path):
    assert read_setup(path, 2 * COUNT - 1).insecure is False
    got = refusal(path, 2 * COUNT)
    assert got == message(path, "powers in G1", f"2 to {2 * COUNT - 1} asked for", 2 * COUNT)


@pytest.mark.parametrize(
    ("start", "content", "place", "expected", "got"),
    [
        (0, b"ptaU", "byte 0", "the letters ptau", "b'ptaU'"),
        (4, struct.pack("<I", 2), "byte 4, version", 1, 2),
        (8, struct.pack("<I", 65), "byte 8, sections", "at most 64", 65),
        (12, struct.pack("<I", 2), "byte 68", "one section 2", "a second one"),
        (12, struct.pack("<I", 9), "section 1", "one such section", "none"),
        (24, struct.pack("<I", 48), "header, coordinate size", "32 bytes", 48),
        (60, struct.pack("<I", 29), "header, power", "1 to 28", 29),
        (60, struct.pack("<I", 0), "header, power", "1 to 28", 0),
        (60, struct.pack("<I", 4), "section 2, size", "1984 bytes", "960 bytes"),
    ],
)
def test_structure_is_checked(path, start, content, place, expected, got):
    ptau.replace(path, start, content)
    assert refusal(path) == message(path, place, expected, got)


def test_another_curve_is_refused(path):
    ptau.replace(path, ptau.MODULUS_START, R.to_bytes(32, "little"))
    assert refusal(path) == message(path, "header, modulus", f"{Q} of BN254", R)


@pytest.mark.parametrize("kept", [0, 11, 12, 40, 67, 100, 80 + 64 * 15, 1500, -1])
def test_a_truncated_file_is_refused_naming_the_place(path, kept):
    data = path.read_bytes()
    path.write_bytes(data[:kept])
    got = refusal(path)
    assert got.startswith(f"{path}: ")
    assert "bytes, got" in got
    assert "bytes" in got.partition("got")[2]


def test_the_message_of_a_cut_section(path):
    path.write_bytes(path.read_bytes()[: ptau.g1_start(4)])
    assert refusal(path) == message(
        path, f"section 2 at byte {ptau.g1_start(0)}", "960 bytes",
        "256 bytes before the file ends",
    )  # fmt: skip


def test_bytes_after_the_last_section_are_refused(path):
    size = len(path.read_bytes())
    path.write_bytes(path.read_bytes() + b"x")
    assert refusal(path) == message(path, "end", f"{size} bytes in all", f"{size + 1} bytes")


@pytest.mark.parametrize("index", [0, 1, 5, COUNT - 1])
def test_a_point_off_the_curve_is_named(path, index):
    start = ptau.g1_start(index)
    byte = path.read_bytes()[start]
    ptau.replace(path, start, bytes([byte ^ 1]))
    assert refusal(path).startswith(f"{path}: G1 point {index}: expected a point of the curve, got")


def test_infinity_and_aliases_are_not_powers(path):
    ptau.replace(path, ptau.g1_start(3), bytes(64))
    assert refusal(path) == message(path, "G1 point 3", "a point of the curve", (0, 0))
    x = int.from_bytes(path.read_bytes()[ptau.g1_start(2) :][:32], "little")
    ptau.replace(path, ptau.g1_start(2), (x + Q).to_bytes(32, "little"))
    assert "G1 point 2: expected a point of the curve" in refusal(path)


def test_a_wrong_power_fails_the_pairing_check(path):
    ptau.replace(path, ptau.g1_start(6), ptau.g1_bytes(generator_multiple(99)))
    expected = "each one tau times the one before"
    got = "another relation (pairing check)"
    assert refusal(path) == message(path, "powers in G1", expected, got)
    assert read_setup(path, 4).insecure is False


def test_powers_must_start_with_the_generator(path):
    file = open_ptau(path)
    shifted = file.g1_bytes(COUNT)[64:]
    with pytest.raises(SrsError, match="G1 point 0: expected the generator"):
        check_powers(path, PlainPowers(shifted), file.tau_g2())


@pytest.mark.parametrize(
    ("index", "content", "start"),
    [
        (0, ptau.g2_bytes(3), "G2 point 0: expected the generator"),
        (1, bytes(128), "G2 point 1: expected a point of the subgroup of G2"),
        (1, ptau.g2_outside_subgroup(), "G2 point 1: expected a point of the subgroup of G2"),
        (1, ptau.g2_bytes(3), "powers in G1: expected each one tau times the one before"),
        (1, b"\xff" * 128, f"G2 point 1: expected coordinates below {Q}, got {2**256 - 1}"),
    ],
)
def test_the_second_group_is_checked(path, index, content, start):
    ptau.replace(path, ptau.g2_start(index), content)
    assert refusal(path).startswith(f"{path}: {start}")


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_ptau(tmp_path / "absent.ptau")
