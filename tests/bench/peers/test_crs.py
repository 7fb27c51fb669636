"""The file of powers that Barretenberg reads."""

import hashlib

from bench.peers import crs
from circuits.field import R
from prover import srs_tools
from tests.support.curve import generator_multiple

LOG_SIZE = 3


def test_points_are_pairs_of_big_endian_numbers():
    assert crs.packed_points([(1, 2)]) == bytes(31) + b"\1" + bytes(31) + b"\2"


def test_the_file_holds_the_powers_of_the_development_secret(tmp_path):
    srs = srs_tools.new_development(LOG_SIZE, tmp_path / "small.srs", lambda _: None)
    path = crs.write(srs, tmp_path)
    assert path.name == "bn254_g1.dat"
    secret = int.from_bytes(hashlib.sha512(srs_tools._LABEL).digest(), "big") % R
    expected = [generator_multiple(pow(secret, power, R)) for power in range(1 << LOG_SIZE)]
    content = path.read_bytes()
    assert len(content) == crs.POINT_BYTES << LOG_SIZE
    numbers = [int.from_bytes(content[at : at + 32], "big") for at in range(0, len(content), 32)]
    assert list(zip(numbers[::2], numbers[1::2], strict=True)) == expected
