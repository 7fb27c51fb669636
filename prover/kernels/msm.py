"""Multi-scalar multiplication in BN254 G1: sums of scalar * base over typed columns.

Signed-digit bucket method. Scalars are first sorted into *small* rows (below 2^62) and *wide*
rows, both as magnitude and sign, with zeros dropped; a full-width scalar above r/2 becomes its
negative. For every window of c bits the rows are sorted by digit, each bucket's points are halved
by adjacent pairs with affine additions that share inversions, and the buckets are summed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from circuits.field import Q, R
from prover.kernels import g1, msm_rows
from prover.kernels.msm_rows import SMALL_BITS, WIDE_BITS
from prover.kernels.parallel import row_ranges, run_jobs, run_rows, threads
from prover.kernels.scalar import limbs

Piece = tuple[int, np.ndarray, int]
Point = tuple[int, int]

INFINITY: Point = (0, 0)
_UNSIGNED = (np.uint8, np.uint16, np.uint32, np.uint64)
# Costs in field multiplications: a row added to its bucket, a bucket added to its window's sum,
# a window (inversions and the hand-over to a thread).
_ROW_COST = 10
_BUCKET_COST = 28
_WINDOW_COST = 2000
_WINDOW_BITS_MAX = 16
_PART_ROWS_MIN = 1 << 13
_PART_ROWS_MAX = 1 << 20
_BASES_MAX = 1 << 30


@dataclass(frozen=True, slots=True)
class _Rows:
    """Non-zero scalars of all pieces: biased magnitudes, references, counts by bit length."""

    small: np.ndarray
    small_refs: np.ndarray
    wide: np.ndarray
    wide_refs: np.ndarray
    lengths: np.ndarray


@dataclass(frozen=True, slots=True)
class _Job:
    """One window over a range of small rows and a range of wide rows."""

    window: int
    small: tuple[int, int]
    wide: tuple[int, int]


def msm(bases: np.ndarray, pieces: Sequence[Piece]) -> Point:
    """Return the affine sum over all pieces of array[i] * bases[offset + i]; (0, 0) is infinity.

    Shape: bases uint64[n, 8], see `g1`. A piece is (offset, array, width_bits): an unsigned
    column [h] of 8, 16, 32 or 64 bits, or plain integers uint64[h, 4] below r.
    Assumes: bases on the curve ("checked when the reference string was loaded").
    Raises: TypeError for other arrays; ValueError for rows outside the bases and for scalars of
    more than width_bits bits or not below r.
    """
    _check_bases(bases)
    rows = _collect(len(bases), pieces)
    if not rows.lengths.any():
        return INFINITY
    bits = min(range(2, _WINDOW_BITS_MAX + 1), key=lambda bits: _cost(rows.lengths, bits))
    _bias(rows.small, SMALL_BITS, bits)
    _bias(rows.wide, WIDE_BITS, bits)
    jobs = _plan(rows, bits)
    sums = np.zeros((len(jobs), 16), dtype=np.uint64)
    run_jobs(_run_job, [(sums[k : k + 1], bases, rows, bits, job) for k, job in enumerate(jobs)])
    point = np.empty((1, 8), dtype=np.uint64)
    windows = np.array([job.window for job in jobs], dtype=np.int64)
    msm_rows.join_windows(point, sums, windows, bits)
    return points_to_ints(point)[0]


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
    plain = np.empty_like(points)
    run_rows(g1.from_montgomery, len(points), plain, points)
    data = plain.astype("<u8").tobytes()
    words = [int.from_bytes(data[k : k + 32], "little") for k in range(0, len(data), 32)]
    return list(zip(words[::2], words[1::2], strict=True))


def warm() -> None:
    """Compile every kernel of the multiplication, or load it from the cache."""
    generator = points_from_ints([(1, 2)] * 4)
    column = np.arange(1, 5, dtype=np.uint8)
    msm(generator, [(0, column, 8), (0, np.array([limbs(R - 1)], dtype=np.uint64), 254)])


def _check_bases(bases: np.ndarray) -> None:
    fits = bases.dtype == np.uint64 and bases.ndim == 2 and bases.flags.c_contiguous
    if not fits or bases.shape[1] != 8:
        raise TypeError(
            f"expected bases as C-contiguous uint64 [n, 8], got {bases.dtype} {list(bases.shape)}"
        )
    if len(bases) > _BASES_MAX:
        raise ValueError(f"expected at most {_BASES_MAX} bases, got {len(bases)}")


def _collect(base_count: int, pieces: Sequence[Piece]) -> _Rows:
    columns = [_column(base_count, number, piece) for number, piece in enumerate(pieces)]
    row_count = sum(len(column) for column in columns)
    wide_count = sum(
        len(column)
        for column, (_, _, width) in zip(columns, pieces, strict=True)
        if width > SMALL_BITS
    )
    small, wide = np.empty((row_count, 1), np.uint64), np.empty((wide_count, 4), np.uint64)
    small_refs, wide_refs = np.empty(row_count, np.int32), np.empty(wide_count, np.int32)
    lengths, counts = np.zeros(WIDE_BITS + 1, np.int64), np.zeros(2, np.int64)
    for number, (column, (offset, _, width)) in enumerate(zip(columns, pieces, strict=True)):
        bad = msm_rows.collect(
            column, offset, width, small, small_refs, wide, wide_refs, lengths, counts
        )
        if bad >= 0:
            got = int.from_bytes(column[bad].tobytes(), "little")
            raise ValueError(
                f"piece {number} row {bad}: expected a scalar below {R} "
                f"of at most {width} bits, got {got}"
            )
    used_small, used_wide = (int(count) for count in counts)
    return _Rows(
        small[:used_small],
        small_refs[:used_small],
        wide[:used_wide],
        wide_refs[:used_wide],
        lengths,
    )


def _column(base_count: int, number: int, piece: Piece) -> np.ndarray:
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
    column = np.ascontiguousarray(array, dtype=np.uint64)
    return column.reshape(-1, 1) if is_narrow else column


def _used(lengths: np.ndarray, bits: int) -> list[int]:
    """Rows that may have a non-zero digit in each window.

    Digits lie in [-2^(bits-1), 2^(bits-1)), so one bit less than a whole number of windows can
    already carry into the next one, except into window 1: nothing carries into window 0.
    """
    suffix = np.cumsum(lengths[::-1])[::-1]
    shortest = [1, bits, *(bits * window - 1 for window in range(2, WIDE_BITS // bits + 1))]
    return [int(suffix[length]) for length in shortest if suffix[length]]


def _cost(lengths: np.ndarray, bits: int) -> int:
    used = _used(lengths, bits)
    per_window = _WINDOW_COST + (_BUCKET_COST << (bits - 1))
    return sum(used) * _ROW_COST + len(used) * per_window


def _window_count(width: int, bits: int) -> int:
    """Windows for magnitudes of `width` bits: the last digit, unsigned, is at most 2^(bits-1)."""
    return width // bits + 1


def _bias(values: np.ndarray, width: int, bits: int) -> None:
    """Add half a window to every window but the last: digit + half is then never negative."""
    windows = _window_count(width, bits) - 1
    bias = sum(1 << (bits * window + bits - 1) for window in range(windows))
    run_rows(msm_rows.add_bias, len(values), values, np.array(limbs(bias), dtype=np.uint64))


def _plan(rows: _Rows, bits: int) -> list[_Job]:
    """Cut windows with many rows into parts, so that every thread has work; largest first."""
    used = _used(rows.lengths, bits)
    share = max(1, sum(used) // (4 * threads())) if threads() > 1 else _PART_ROWS_MAX
    sized_jobs = []
    for window, count in enumerate(used):
        parts = max(1, min(count // share, count // _PART_ROWS_MIN), -(-count // _PART_ROWS_MAX))
        small_count = len(rows.small) if window < _window_count(SMALL_BITS, bits) else 0
        small = _ranges(small_count, parts)
        wide = _ranges(len(rows.wide), parts)
        for part in range(parts):
            sized_jobs.append((count // parts, _Job(window, small[part], wide[part])))
    sized_jobs.sort(key=lambda sized: -sized[0])
    return [job for _, job in sized_jobs]


def _ranges(count: int, parts: int) -> list[tuple[int, int]]:
    ranges = row_ranges(count, parts) if count else []
    return ranges + [(0, 0)] * (parts - len(ranges))


def _run_job(total: np.ndarray, bases: np.ndarray, rows: _Rows, bits: int, job: _Job) -> None:
    """Sort the job's rows by digit and sum the buckets into total[0]."""
    mask = np.uint64((1 << bits) - 1)
    sources = []
    for values, refs, (start, stop), width in (
        (rows.small, rows.small_refs, job.small, SMALL_BITS),
        (rows.wide, rows.wide_refs, job.wide, WIDE_BITS),
    ):
        if start < stop:
            is_last = job.window == _window_count(width, bits) - 1
            half = 0 if is_last else 1 << (bits - 1)
            sources.append((values, refs, start, stop, bits * job.window, mask, half))
    counts = np.zeros((1 << (bits - 1)) + 1, dtype=np.int64)
    for values, _, *place in sources:
        msm_rows.count_digits(counts, values, *place)
    # Bucket 0 holds the rows whose digit is zero: they are left out.
    counts[0] = 0
    cursors = np.cumsum(counts) - counts
    sorted_refs = np.empty(int(counts.sum()), dtype=np.int32)
    for values, refs, *place in sources:
        msm_rows.place_digits(sorted_refs, cursors, values, refs, *place)
    msm_rows.sum_window(total, bases, sorted_refs, counts[1:])
