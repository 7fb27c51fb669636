"""Barretenberg's common reference string, made locally from a development setup.

`bb` reads `bn254_g1.dat` in the folder named by --crs_path: the powers [tau^i]_1 one after another,
64 bytes each, x and y as big-endian numbers. A file with enough points keeps it off the network.
[tau]_2 of the public ceremony is compiled into `bb`, so a proof over a development setup is checked
by the Solidity verifier that `bb` writes, with that one point replaced (see `evm_check`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path

from circuits.cli_support import atomic_write
from prover.kernels.msm import points_to_ints
from prover.srs_tools import Srs
from verifier.transcript import Point

FILE_NAME = "bn254_g1.dat"
POINT_BYTES = 64
_STEP = 1 << 14


def packed_points(points: Iterable[Point]) -> bytes:
    """Points of G1 in the layout of the file."""
    coordinates = itertools.chain.from_iterable(points)
    return b"".join(value.to_bytes(POINT_BYTES // 2, "big") for value in coordinates)


def write(srs: Srs, folder: Path) -> Path:
    """Write the string's powers into `folder`, and return the file. Cost: 1 s for 2^20 powers."""
    path = folder / FILE_NAME
    with atomic_write(path) as stream:
        for start in range(0, len(srs.bases), _STEP):
            stream.write(packed_points(points_to_ints(srs.bases[start : start + _STEP])))
    return path
