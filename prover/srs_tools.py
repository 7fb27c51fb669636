"""Structured reference strings on disk: make one for development, import a ceremony's, check, load.

A .srs file holds, little-endian: "PPSRS" and three zero bytes, version (4 bytes), flags (4 bytes,
bit 0: the secret is known), count (8 bytes), source hash (32), [tau]_2 as four plain coordinates
(128), eight zero bytes, `count` points of G1 as raw Montgomery limbs (64 each), and SHA-256 of all
that (32). The points begin at byte 192, so in a mapped file each is one line of the cache.
"""

import hashlib
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from circuits.cli_support import atomic_write
from circuits.field import R
from prover.cache_folder import cache_folder, cached_file
from prover.kernels import fixed_base, fr, g1
from prover.kernels.g1 import new_points
from prover.kernels.msm import msm, points_to_ints
from prover.kernels.parallel import run_rows
from verifier.key import Setup
from verifier.pairing import G2Point, bn128, is_valid_g2
from verifier.srs import (
    G1_BYTES,
    GENERATOR,
    WEIGHT_BYTES,
    SrsError,
    check_powers,
    file_hashes,
    open_ptau,
)
from verifier.transcript import Point

# Called with the number of points finished since the last call; 2^log_size in all.
Progress = Callable[[int], None]

LOG_SIZE_MIN = 1
LOG_SIZE_MAX = 24
_LABEL = b"plasmaperps development reference string, secret known to all"
_MAGIC = b"PPSRS\0\0\0"
_VERSION = 2
_INSECURE = 1
_HEADER = struct.Struct("<8sIIQ32s128s8x")
_CHECKSUM_BYTES = 32
_STEP = 1 << 14


@dataclass(frozen=True, slots=True)
class Srs:
    """Powers [tau^i]_1 as uint64[n, 8] (see `kernels.g1`) and what the verifier keeps of them."""

    bases: np.ndarray
    tau_g2: G2Point
    source_hash: bytes
    insecure: bool

    @property
    def setup(self) -> Setup:
        return Setup(self.tau_g2, self.source_hash, self.insecure)

    def first(self, count: int) -> "Srs":
        """The first powers alone, in memory of their own: see `kernels.g1.new_points`."""
        bases = new_points(count)
        bases[:] = self.bases[:count]
        return replace(self, bases=bases)


class KernelPowers:
    """The verifier's `Powers` over compiled kernels."""

    def __init__(self, bases: np.ndarray, progress: Progress) -> None:
        self._bases = bases
        self._progress = progress

    def __len__(self) -> int:
        return len(self._bases)

    def point(self, index: int) -> Point:
        return points_to_ints(self._bases[index : index + 1])[0]

    def first_off_curve(self) -> int:
        for start in range(0, len(self), _STEP):
            rows = self._bases[start : start + _STEP]
            found = [row for row in run_rows(g1.first_off_curve, len(rows), rows) if row >= 0]
            found += np.flatnonzero(~rows.any(axis=1)).tolist()
            if found:
                return start + min(found)
            self._progress(len(rows))
        return -1

    def weighted_sum(self, first: int, weights: bytes) -> Point:
        count = len(weights) // WEIGHT_BYTES
        scalars = np.zeros((count, 4), dtype=np.uint64)
        scalars[:, :2] = np.frombuffer(weights, dtype="<u8").reshape(count, 2)
        return msm(self._bases, [(first, scalars, 8 * WEIGHT_BYTES)])


def new_development(log_size: int, path: str | Path, progress: Progress) -> Srs:
    """Write 2^log_size powers of a secret that anyone can compute, and return them.

    Proofs over it convince nobody: its `insecure` flag is part of every key made with it.
    """
    _check_log_size(path, log_size)
    exponents = fr.from_montgomery(fr.powers(development_secret(), 1 << log_size))
    bases = new_points(1 << log_size)
    table = fixed_base.generator_table()
    for start in range(0, len(bases), _STEP):
        rows = slice(start, start + _STEP)
        bases[rows] = fixed_base.multiply_generator(exponents[rows], table)
        progress(len(exponents[rows]))
    setup = development_setup()
    srs = Srs(bases, setup.tau_g2, setup.source_hash, setup.insecure)
    save(srs, Path(path))
    return srs


def development_setup() -> Setup:
    """What a verifier keeps of every development string, whatever its size."""
    tau_g2 = _g2_multiple(development_secret())
    return Setup(tau_g2, hashlib.sha256(_LABEL).digest(), insecure=True)


def development_secret() -> int:
    """The secret of every development string."""
    return int.from_bytes(hashlib.sha512(_LABEL).digest(), "big") % R


def import_ptau(
    path_in: str | Path, log_size: int, path_out: str | Path, progress: Progress
) -> Srs:
    """Check the first 2^log_size powers of a ceremony file and write them as .srs.

    The source hash of the result is the SHA-256 of the ceremony file.
    Raises: SrsError; OSError when a file cannot be read or written.
    """
    _check_log_size(path_in, log_size)
    source = open_ptau(path_in)
    tau_g2 = source.tau_g2()
    bases = _bases(np.frombuffer(bytearray(source.g1_bytes(1 << log_size)), dtype=np.uint8))
    check_powers(path_in, KernelPowers(bases, progress), tau_g2)
    srs = Srs(bases, tau_g2, file_hashes(path_in)[0], insecure=False)
    save(srs, Path(path_out))
    return srs


def check(path: str | Path, progress: Progress) -> Srs:
    """Load a .srs file and check every power in it. Raises: SrsError, OSError."""
    srs = load(path)
    check_powers(path, KernelPowers(srs.bases, progress), srs.tau_g2)
    return srs


def load(path: str | Path) -> Srs:
    """Map a .srs file into memory: format, size, checksum, [tau]_2 and the first power are checked.

    The powers are the file's own pages, which the system may drop and read again. So a file that is
    in use must be replaced, as this module does, and never written to: its new content would be
    used unseen.

    Assumes: the points were checked when the file was made ("the checksum says they are those").
    Raises: SrsError; OSError when the file cannot be read.
    """
    least = _HEADER.size + _CHECKSUM_BYTES
    found = os.stat(path).st_size
    if found < least:
        raise SrsError(path, "file", f"at least {least} bytes", f"{found} bytes")
    # Private pages: kernels are compiled for writable arrays, and nothing reaches the file.
    data = np.memmap(path, dtype=np.uint8, mode="c").view(np.ndarray)
    magic, version, flags, count, source_hash, packed_g2 = _HEADER.unpack(
        data[: _HEADER.size].tobytes()
    )
    if magic != _MAGIC:
        raise SrsError(path, "byte 0", repr(_MAGIC), repr(magic))
    if version != _VERSION:
        raise SrsError(path, "byte 8, version", _VERSION, version)
    if flags & ~_INSECURE:
        raise SrsError(path, "byte 12, flags", "0 or 1", flags)
    if not 1 << LOG_SIZE_MIN <= count <= 1 << LOG_SIZE_MAX or count & (count - 1):
        powers = f"a power of two up to 2^{LOG_SIZE_MAX}"
        raise SrsError(path, "byte 16, count", powers, count)
    size = least + count * G1_BYTES
    if len(data) != size:
        raise SrsError(path, f"file of {count} points", f"{size} bytes", f"{len(data)} bytes")
    computed = hashlib.sha256(data[:-_CHECKSUM_BYTES].data).hexdigest()
    stored = data[-_CHECKSUM_BYTES:].tobytes().hex()
    if computed != stored:
        raise SrsError(path, f"byte {size - _CHECKSUM_BYTES}, checksum", computed, stored)
    x0, x1, y0, y1 = (int.from_bytes(packed_g2[k : k + 32], "little") for k in (0, 32, 64, 96))
    tau_g2 = ((x0, x1), (y0, y1))
    if not is_valid_g2(tau_g2):
        raise SrsError(path, "[tau]_2", "a point of the subgroup of G2", tau_g2)
    bases = _bases(data[_HEADER.size : -_CHECKSUM_BYTES])
    first = points_to_ints(bases[:1])[0]
    if first != GENERATOR:
        raise SrsError(path, "G1 point 0", f"the generator {GENERATOR}", first)
    return Srs(bases, tau_g2, source_hash, bool(flags & _INSECURE))


def development(log_size: int, progress: Progress) -> Srs:
    """Return the development string of this size from the cache folder, made if it is not there."""
    try:
        srs = load(development_path(log_size))
        if len(srs.bases) == 1 << log_size:
            return srs
    except (FileNotFoundError, SrsError):
        # A damaged cached file is replaced: it can always be made again.
        pass
    path = cache_folder("srs") / development_path(log_size).name
    return new_development(log_size, path, progress)


def development_path(log_size: int) -> Path:
    """Where the cache folder keeps the development string of this size."""
    return cached_file("srs", f"development-{log_size}.srs")


def _check_log_size(path: str | Path, log_size: int) -> None:
    if not LOG_SIZE_MIN <= log_size <= LOG_SIZE_MAX:
        raise SrsError(path, "log2 of the size", f"{LOG_SIZE_MIN} to {LOG_SIZE_MAX}", log_size)


def _bases(data: np.ndarray) -> np.ndarray:
    """The points over the same memory, or a copy where the machine's byte order is another."""
    return data.view("<u8").reshape(-1, 8).astype(np.uint64, copy=False)


def _g2_multiple(scalar: int) -> G2Point:
    x, y = bn128.normalize(bn128.multiply(bn128.G2, scalar))
    (x0, x1), (y0, y1) = ([int(part) for part in each.coeffs] for each in (x, y))
    return ((x0, x1), (y0, y1))


def save(srs: Srs, path: Path) -> None:
    """Write a .srs file; it appears whole or not at all. Raises: OSError."""
    packed_g2 = b"".join(value.to_bytes(32, "little") for pair in srs.tau_g2 for value in pair)
    flags = _INSECURE if srs.insecure else 0
    header = _HEADER.pack(_MAGIC, _VERSION, flags, len(srs.bases), srs.source_hash, packed_g2)
    points = srs.bases.astype("<u8").tobytes()
    digest = hashlib.sha256(header)
    digest.update(points)
    with atomic_write(path) as stream:
        for part in (header, points, digest.digest()):
            stream.write(part)
