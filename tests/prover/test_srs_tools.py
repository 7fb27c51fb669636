"""Development strings, imported ceremonies, and the files they are kept in."""

import hashlib
import mmap

import numpy as np
import pytest

from circuits.field import R
from prover import srs_tools
from prover.kernels.g1 import new_points
from prover.kernels.msm import msm, points_to_ints
from prover.kernels.scalar import limbs
from tests.support import ptau
from tests.support.curve import generator_multiple
from verifier.srs import GENERATOR, SrsError, read_setup

LOG_SIZE = 3
HEADER_BYTES = 192


def quiet(_: int) -> None:
    pass


@pytest.fixture(scope="module")
def content(tmp_path_factory) -> bytes:
    target = tmp_path_factory.mktemp("srs") / "small.srs"
    srs_tools.new_development(LOG_SIZE, target, quiet)
    return target.read_bytes()


@pytest.fixture
def path(tmp_path, content):
    target = tmp_path / "small.srs"
    target.write_bytes(content)
    return target


def refusal(path, action=srs_tools.load) -> str:
    with pytest.raises(SrsError) as caught:
        action(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def with_checksum(path, start: int, wrong: bytes) -> None:
    data = bytearray(path.read_bytes()[:-32])
    data[start : start + len(wrong)] = wrong
    path.write_bytes(bytes(data) + hashlib.sha256(data).digest())


def test_a_development_string_is_marked_and_checks(path):
    steps = []
    srs = srs_tools.check(path, steps.append)
    assert srs.insecure
    assert srs.setup.insecure
    assert sum(steps) == 1 << LOG_SIZE
    secret = int.from_bytes(hashlib.sha512(srs_tools._LABEL).digest(), "big") % R
    expected = [generator_multiple(pow(secret, i, R)) for i in range(1 << LOG_SIZE)]
    assert points_to_ints(srs.bases) == expected


def test_sizes_share_their_prefix_and_their_source(path, tmp_path):
    small = srs_tools.load(path)
    steps = []
    large = srs_tools.new_development(5, tmp_path / "large.srs", steps.append)
    assert sum(steps) == 32
    assert np.array_equal(large.bases[: 1 << LOG_SIZE], small.bases)
    assert large.setup == small.setup


def test_save_and_load_are_inverse(path, tmp_path):
    made = srs_tools.new_development(LOG_SIZE, tmp_path / "again.srs", quiet)
    loaded = srs_tools.load(path)
    assert np.array_equal(made.bases, loaded.bases)
    assert loaded.setup == made.setup
    assert path.read_bytes() == (tmp_path / "again.srs").read_bytes()


def test_powers_are_mapped_and_the_file_stays_as_it_is(path):
    before = path.read_bytes()
    bases = srs_tools.load(path).bases
    # What kernels are compiled for.
    assert type(bases) is np.ndarray
    assert bases.flags.writeable
    assert bases.flags.aligned
    mapped = bases
    while isinstance(mapped.base, np.ndarray):
        mapped = mapped.base
    assert isinstance(mapped.base, mmap.mmap)
    bases[0] = 0
    assert path.read_bytes() == before


def test_the_first_powers_are_copied(path):
    made = srs_tools.load(path)
    copy = made.first(1 << LOG_SIZE - 1)
    assert copy.setup == made.setup
    assert np.array_equal(copy.bases, made.bases[: 1 << LOG_SIZE - 1])
    assert not np.shares_memory(copy.bases, made.bases)


@pytest.mark.parametrize(("count", "aligned"), [(1, 64), (1 << 15, 1 << 21), (100_000, 1 << 21)])
def test_points_begin_a_line_and_many_of_them_a_large_page(count, aligned):
    for _ in range(3):
        points = new_points(count)
        assert points.shape == (count, 8)
        assert points.flags.c_contiguous
        assert points.ctypes.data % aligned == 0


def test_a_file_in_use_can_be_replaced(path):
    bases = srs_tools.load(path).bases
    srs_tools.new_development(LOG_SIZE + 1, path, quiet)
    assert points_to_ints(bases[:1]) == [GENERATOR]
    assert len(srs_tools.load(path).bases) == 2 << LOG_SIZE


def test_a_ceremony_is_imported_as_it_is(tmp_path):
    source = ptau.write_ptau(tmp_path / "ceremony.ptau")
    target = tmp_path / "ceremony.srs"
    srs = srs_tools.import_ptau(source, LOG_SIZE, target, quiet)
    assert srs.setup == read_setup(source, 1 << LOG_SIZE)
    loaded = srs_tools.check(target, quiet)
    assert loaded.setup == srs.setup
    column = np.arange(8, dtype=np.uint8)
    exponent = sum(i * pow(ptau.SECRET, i, R) for i in range(8))
    assert msm(loaded.bases, [(0, column, 8)]) == generator_multiple(exponent)


@pytest.mark.parametrize(
    ("start", "wrong", "expected"),
    [
        (ptau.g1_start(5), bytes(64), "G1 point 5: expected a point of the curve, got (0, 0)"),
        (ptau.g1_start(5), b"\1", "G1 point 5: expected a point of the curve"),
        (ptau.g1_start(0), ptau.g1_bytes(generator_multiple(2)), "G1 point 0: expected the gener"),
        (ptau.g1_start(4), ptau.g1_bytes((1, 2)), "powers in G1: expected each one tau times"),
        (ptau.g2_start(1), ptau.g2_bytes(4), "powers in G1: expected each one tau times"),
    ],
)
def test_a_wrong_ceremony_leaves_no_file(tmp_path, start, wrong, expected):
    source = ptau.replace(ptau.write_ptau(tmp_path / "wrong.ptau"), start, wrong)
    target = tmp_path / "out.srs"
    got = refusal(source, lambda path: srs_tools.import_ptau(path, LOG_SIZE, target, quiet))
    assert f"wrong.ptau: {expected}" in got
    assert [each.name for each in tmp_path.iterdir()] == ["wrong.ptau"]


def test_a_ceremony_that_is_too_small(tmp_path):
    source = ptau.write_ptau(tmp_path / "small.ptau")
    got = refusal(source, lambda path: srs_tools.import_ptau(path, 4, tmp_path / "out.srs", quiet))
    assert got == f"{source}: powers in G1: expected 2 to 15 asked for, got 16"


@pytest.mark.parametrize("log_size", [0, 25])
def test_sizes_out_of_range(tmp_path, log_size):
    with pytest.raises(SrsError, match=f"log2 of the size: expected 1 to 24, got {log_size}"):
        srs_tools.new_development(log_size, tmp_path / "no.srs", quiet)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("start", "wrong", "expected"),
    [
        (0, b"XXXXX", r"byte 0: expected b'PPSRS\x00\x00\x00', got b'XXXXX\x00\x00\x00'"),
        (8, b"\1", "byte 8, version: expected 2, got 1"),
        (12, b"\3", "byte 12, flags: expected 0 or 1, got 3"),
        (16, b"\7", "byte 16, count: expected a power of two up to 2^24, got 7"),
        (16, b"\x10", "file of 16 points: expected 1248 bytes, got 736 bytes"),
        (60, b"\xff" * 32, "[tau]_2: expected a point of the subgroup of G2"),
        (HEADER_BYTES, b"\0" * 64, "G1 point 0: expected the generator (1, 2), got (0, 0)"),
    ],
)
def test_fields_of_a_file_are_checked(path, start, wrong, expected):
    with_checksum(path, start, wrong)
    assert expected in refusal(path)


@pytest.mark.parametrize("offset", [20, 30, 70, HEADER_BYTES + 100, -5])
def test_a_flipped_byte_is_found(path, offset):
    data = bytearray(path.read_bytes())
    data[offset] ^= 4
    path.write_bytes(data)
    assert "expected" in refusal(path)


def test_truncated_files_are_refused(path):
    data = path.read_bytes()
    for kept, expected in (
        (10, "file: expected at least 224 bytes, got 10 bytes"),
        (len(data) - 1, f"file of 8 points: expected {len(data)} bytes, got {len(data) - 1} bytes"),
    ):
        path.write_bytes(data[:kept])
        assert expected in refusal(path)


def test_checking_finds_a_wrong_power_under_a_right_checksum(path):
    point = HEADER_BYTES + 3 * 64
    with_checksum(path, point, ptau.g1_bytes(generator_multiple(77)))
    srs_tools.load(path)
    got = refusal(path, lambda each: srs_tools.check(each, quiet))
    assert "powers in G1: expected each one tau times the one before" in got
    with_checksum(path, point, np.array(limbs(5), dtype="<u8").tobytes())
    got = refusal(path, lambda each: srs_tools.check(each, quiet))
    assert "G1 point 3: expected a point of the curve" in got


def test_the_cached_string_is_made_once_and_replaced_when_damaged(tmp_path, monkeypatch):
    monkeypatch.setenv("PLASMAPERPS_CACHE", str(tmp_path))
    steps = []
    first = srs_tools.development(4, steps.append)
    again = srs_tools.development(4, steps.append)
    assert sum(steps) == 16
    assert np.array_equal(first.bases, again.bases)
    path = srs_tools.development_path(4)
    assert path.parent == tmp_path / "srs"
    path.write_bytes(path.read_bytes()[:-1])
    srs_tools.development(4, steps.append)
    assert sum(steps) == 32
    assert srs_tools.load(path).insecure
