"""Multi-scalar multiplication in BN254 G1: sums of scalar * base over typed columns.

Bucket method with digits that may be negative. A column takes part in the windows of c bits that
its scalars reach, so a narrow one costs its own windows only and a zero cell next to nothing. For
every window the rows are sorted by digit and each bucket's points are added in pairs that share
inversions; then the buckets are added up by the bits of their digits in the same way. What
remains is one point for every bit of a scalar.

Several multiplications over the same bases are one pass: their windows are jobs beside each
other, and small windows, of whichever multiplication, share inversions.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from circuits.field import Q, R
from prover.kernels import g1, msm_buckets, msm_digits, msm_repeats
from prover.kernels.cells import as_argument
from prover.kernels.msm_digits import (
    MAGNITUDE_BITS,
    SPAN_BASE,
    SPAN_COLUMNS,
    SPAN_ROWS,
    SPAN_START,
    SPAN_WINDOWS,
)
from prover.kernels.msm_plan import Vector, choose_digits, group, plan_jobs
from prover.kernels.parallel import run_jobs, run_rows, threads
from prover.kernels.scalar import limbs

Piece = tuple[int, np.ndarray, int]
Point = tuple[int, int]

INFINITY: Point = (0, 0)
_UNSIGNED = (np.uint8, np.uint16, np.uint32, np.uint64)
# A span has codes for as many windows as its longest scalar needs. Not a power of two: the codes
# of its windows would then be written to the same few places of the cache.
_SPAN_HEIGHT = 4096 - 32
# Rows that a job measures or recodes, at least; a longer piece is cut into strips of as many.
_STRIP_ROWS = 8 * _SPAN_HEIGHT
PASS_ROWS = 1 << 18
"""Rows that several multiplications have together when they are one pass; one alone may have more.

Few rows leave threads waiting at the end of each multiplication; more cost memory and gain nothing.
"""


@dataclass(frozen=True, slots=True)
class _Strip:
    """Consecutive rows of one piece, and what was measured of them.

    Shape: spans int64[rows / _SPAN_HEIGHT, 2], lengths int64[bits + 1]; see `msm_digits.measure`.
    """

    vector: int
    piece: int
    base: int
    column: np.ndarray
    first_row: int
    width: int
    spans: np.ndarray
    lengths: np.ndarray

    def values(self) -> np.ndarray:
        """The scalars as uint64[rows, 1] or uint64[rows, 4]: kernels are compiled for those."""
        values = np.require(self.column, dtype=np.uint64, requirements=("C", "W"))
        return values.reshape(-1, 1) if values.ndim == 1 else values


def msm(bases: np.ndarray, pieces: Sequence[Piece]) -> Point:
    """Return the affine sum over all pieces of array[i] * bases[offset + i]; (0, 0) is infinity.

    Shape: bases uint64[n, 8], see `g1`; they may be read-only. A piece is (offset, array,
    width_bits): an unsigned column [h] of 8, 16, 32 or 64 bits, or plain integers uint64[h, 4]
    below r.
    Assumes: bases on the curve ("checked when the reference string was loaded").
    Raises: TypeError for other arrays; ValueError for rows outside the bases and for scalars of
    more than width_bits bits or not below r.
    Memory: two bytes a row and window that its column reaches, at full width 32 to 46 bytes a row.
    """
    return msm_many(bases, [pieces])[0]


def msm_many(bases: np.ndarray, vectors: Sequence[Sequence[Piece]]) -> list[Point]:
    """Return what `msm` does for each vector of pieces; small ones are one pass over the bases."""
    bases = _for_kernels(bases)
    points: list[Point] = []
    sizes = [sum(len(array) for _, array, _ in pieces) for pieces in vectors]
    # A run that is closed as soon as it has so many has no more than a pass may have.
    for start, stop in group(sizes, max(1, PASS_ROWS + 1 - max(sizes, default=0))):
        points += _one_pass(bases, vectors[start:stop])
    return points


def points_from_ints(points: Sequence[Point]) -> np.ndarray:
    """Convert affine points to uint64[n, 8]. Raises ValueError for a coordinate not below q."""
    for row, point in enumerate(points):
        for coordinate in point:
            if not 0 <= coordinate < Q:
                raise ValueError(f"point {row}: expected a coordinate below {Q}, got {coordinate}")
    data = b"".join(c.to_bytes(32, "little") for point in points for c in point)
    plain = np.frombuffer(data, dtype="<u8").astype(np.uint64).reshape(-1, 8)
    out = np.empty_like(plain)
    run_rows(g1.to_montgomery, len(plain), out, plain)
    return out


def points_to_ints(points: np.ndarray) -> list[Point]:
    """Convert uint64[n, 8] to affine integer pairs."""
    plain = np.empty(points.shape, dtype=np.uint64)
    run_rows(g1.from_montgomery, len(points), plain, _for_kernels(np.ascontiguousarray(points)))
    data = plain.astype("<u8").tobytes()
    words = [int.from_bytes(data[k : k + 32], "little") for k in range(0, len(data), 32)]
    return list(zip(words[::2], words[1::2], strict=True))


def warm() -> None:
    """Compile every kernel of the multiplication, or load it from the cache."""
    generator = points_from_ints([(1, 2)] * 4)
    column = np.arange(1, 5, dtype=np.uint8)
    msm(generator, [(0, column, 8), (0, np.array([limbs(R - 1)], dtype=np.uint64), 254)])
    msm_repeats.warm()


def _for_kernels(bases: np.ndarray) -> np.ndarray:
    fits = bases.dtype == np.uint64 and bases.ndim == 2 and bases.flags.c_contiguous
    if not fits or bases.shape[1] != 8 or not bases.flags.aligned:
        raise TypeError(
            f"expected bases as C-contiguous uint64 [n, 8], got {bases.dtype} {list(bases.shape)}"
        )
    if len(bases) > msm_repeats.BASES_MAX:
        raise ValueError(f"expected at most {msm_repeats.BASES_MAX} bases, got {len(bases)}")
    return as_argument(bases)


def _one_pass(bases: np.ndarray, vectors: Sequence[Sequence[Piece]]) -> list[Point]:
    for pieces in vectors:
        for number, piece in enumerate(pieces):
            _require_piece(len(bases), number, piece)
    bases, vectors = msm_repeats.merge_repeats(bases, vectors)
    strips = [
        strip
        for number, pieces in enumerate(vectors)
        for piece_number, piece in enumerate(pieces)
        for strip in _strips(number, piece_number, piece)
    ]
    batches = [strips[a:b] for a, b in group([len(s.column) for s in strips], _STRIP_ROWS)]
    run_jobs(_measure, [(batch,) for batch in batches])
    spans, parts = _lay_out(strips, len(vectors))
    codes = np.empty(int((spans[:, SPAN_ROWS] * spans[:, SPAN_WINDOWS]).sum()), dtype=np.uint16)
    jobs, row = [], 0
    for batch in batches:
        rows = sum(len(strip.spans) for strip in batch)
        jobs.append((batch, spans[row : row + rows], codes, parts))
        row += rows
    run_jobs(_recode, jobs)
    windows = plan_jobs(parts, spans, threads())
    found = run_jobs(_sum_windows, [(bases, codes, spans, each) for each in windows])
    return _join(found, len(vectors))


def _require_piece(base_count: int, number: int, piece: Piece) -> None:
    offset, array, _ = piece
    is_narrow = array.ndim == 1 and array.dtype in _UNSIGNED
    if not is_narrow and (array.dtype != np.uint64 or array.ndim != 2 or array.shape[1] != 4):
        raise TypeError(
            f"piece {number}: expected an unsigned column [h] or uint64 [h, 4], "
            f"got {array.dtype} {list(array.shape)}"
        )
    if offset < 0 or offset + len(array) > base_count:
        raise ValueError(
            f"piece {number}: expected rows inside [0, {base_count}), "
            f"got [{offset}, {offset + len(array)})"
        )


def _strips(vector: int, number: int, piece: Piece) -> Iterator[_Strip]:
    offset, array, width = piece
    for first in range(0, len(array), _STRIP_ROWS):
        column = array[first : first + _STRIP_ROWS]
        spans = np.zeros((-(-len(column) // _SPAN_HEIGHT), 2), dtype=np.int64)
        lengths = np.zeros(MAGNITUDE_BITS + 1, dtype=np.int64)
        yield _Strip(vector, number, offset + first, column, first, width, spans, lengths)


def _measure(strips: Sequence[_Strip]) -> None:
    for strip in strips:
        values = strip.values()
        bad = msm_digits.measure(values, strip.width, _SPAN_HEIGHT, strip.spans, strip.lengths)
        if bad >= 0:
            got = int.from_bytes(values[bad].tobytes(), "little")
            raise ValueError(
                f"piece {strip.piece} row {strip.first_row + bad}: expected a scalar below {R} "
                f"of at most {strip.width} bits, got {got}"
            )


def _lay_out(strips: Sequence[_Strip], count: int) -> tuple[np.ndarray, list[Vector | None]]:
    """The table of spans and each vector's part of it; None for one without a scalar."""
    if not strips:
        return np.zeros((0, SPAN_COLUMNS), dtype=np.int64), [None] * count
    measured = np.concatenate([strip.spans for strip in strips])
    spans = np.zeros((len(measured), SPAN_COLUMNS), dtype=np.int64)
    owners = np.repeat([s.vector for s in strips], [len(s.spans) for s in strips])
    first = np.concatenate([np.arange(0, len(s.column), _SPAN_HEIGHT) for s in strips])
    heights = np.repeat([len(s.column) for s in strips], [len(s.spans) for s in strips])
    bases = np.repeat([s.base for s in strips], [len(s.spans) for s in strips])
    spans[:, SPAN_ROWS] = np.minimum(heights - first, _SPAN_HEIGHT)
    spans[:, SPAN_BASE] = bases + first
    lengths = np.zeros((count, MAGNITUDE_BITS + 1), dtype=np.int64)
    for strip in strips:
        lengths[strip.vector] += strip.lengths
    ends = np.searchsorted(owners, np.arange(count + 1)).tolist()
    vectors: list[Vector | None] = []
    for number, (begin, end) in enumerate(itertools.pairwise(ends)):
        if not lengths[number, 1:].any():
            vectors.append(None)
            continue
        longest, has_complements = measured[begin:end].T
        # The windows of many vectors keep all threads busy by themselves.
        workers = max(1, threads() // count)
        digits = choose_digits(lengths[number], bool(has_complements.any()), workers)
        spans[begin:end, SPAN_WINDOWS] = digits.reach(longest, has_complements)
        vectors.append(Vector(digits, begin, end))
    sizes = spans[:, SPAN_ROWS] * spans[:, SPAN_WINDOWS]
    spans[:, SPAN_START] = np.cumsum(sizes) - sizes
    return spans, vectors


def _recode(
    strips: Sequence[_Strip], spans: np.ndarray, codes: np.ndarray, vectors: Sequence[Vector | None]
) -> None:
    row = 0
    for strip in strips:
        vector, rows = vectors[strip.vector], len(strip.spans)
        if vector is not None:
            digits = vector.digits
            table, top = spans[row : row + rows], digits.windows - 1
            msm_digits.recode(strip.values(), table, codes, digits.bits, top, digits.biases())
        row += rows


def _sum_windows(
    bases: np.ndarray, codes: np.ndarray, spans: np.ndarray, windows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points, their bit positions and their owners: a sum is that of all its 2^position * point.

    The buckets of a window are points with weights. Points whose weights share their low bits are
    added, and those that share their high bits: two lists of far fewer points, whose weights are
    split again until they are one. That costs two additions a bucket and a few more.
    """
    sizes, positions, owners = (windows[:, k].copy() for k in (2, 5, 6))
    counts = np.zeros(int(sizes.sum()), dtype=np.int32)
    refs = msm_digits.sort_windows(codes, spans, windows, counts)
    points = msm_buckets.sum_lists(bases, refs, counts)
    bits = int(sizes.max()).bit_length()
    while bits > 1:
        low = bits >> 1
        halves = np.array([(1 << low) - 1, (1 << (bits - low)) - 1])
        filled, counts = counts, np.zeros(len(sizes) * int(halves.sum()), dtype=np.int32)
        refs = msm_buckets.split_weights(filled, sizes, low, counts)
        points = msm_buckets.sum_lists(points, refs, counts)
        positions, owners = np.repeat(positions, 2), np.repeat(owners, 2)
        positions[1::2] += low
        sizes, bits = np.tile(halves, len(sizes)), bits - low
    is_filled = counts > 0
    return points, positions[is_filled], owners[is_filled]


def _join(found: Sequence[tuple], count: int) -> list[Point]:
    """The points of all vectors from the jobs' points, bit positions and owners."""
    if not found:
        return [INFINITY] * count
    points, positions, owners = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((-positions, owners))
    points, positions = points[order], positions[order]
    ends = np.searchsorted(owners[order], np.arange(count + 1)).tolist()
    out = np.zeros((count, 8), dtype=np.uint64)
    run_jobs(
        msm_buckets.join,
        [
            (out, k, points[a:b], positions[a:b])
            for k, (a, b) in enumerate(itertools.pairwise(ends))
        ],
    )
    return points_to_ints(out)
