"""How multi-scalar multiplications are cut: digits for the scalars, jobs for threads."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from prover.kernels.msm_digits import CODE_BITS, SPAN_ROWS, SPAN_WINDOWS
from prover.kernels.scalar import limbs

# Costs in point additions: sorting a row, passing over a bucket, a window's share of inversions,
# and what splitting weights takes after the first split, for the square root of the buckets.
_ROW_COST = 1.1
_BUCKET_COST = 0.1
_WINDOW_COST = 30
_SPLIT_COST = 8
# Digits of wide scalars have signs: they nearly always have bits to spare.
_UNSIGNED_LONGEST = 64
# A job has at least this many rows, to share inversions well, and a thread at least one job.
_JOB_ROWS = 1 << 17
# Fewer rows than this are not worth another thread.
_THREAD_ROWS = 1 << 12
# A window is cut in parts of at most this many rows; each part has buckets of its own.
_PART_ROWS_MAX = 1 << 21


@dataclass(frozen=True, slots=True)
class Digits:
    """Scalars of at most `longest` bits as `windows` digits of `bits` bits.

    Signed digits halve the buckets, but the highest one needs a bit to spare.
    """

    bits: int
    windows: int
    longest: int
    is_signed: bool

    @property
    def limit(self) -> int:
        """The highest code that stands for a positive digit."""
        return 1 << (CODE_BITS - 1) if self.is_signed else (1 << CODE_BITS) - 1

    def buckets(self, window: int) -> int:
        """The largest absolute value of a digit."""
        rest = self.longest - self.bits * window
        if self.is_signed:
            return 1 << max(0, min(self.bits - 1, rest))
        return (1 << min(self.bits, rest)) - 1

    def reach(self, lengths: np.ndarray, has_complements: np.ndarray) -> np.ndarray:
        """How many windows magnitudes of these lengths have digits in."""
        if self.is_signed:
            # The lowest digit of a complement's window may be one lower: see `recode`.
            windows = (lengths + has_complements) // self.bits + 1
        else:
            windows = -(-lengths // self.bits)
        return np.where(lengths == 0, 0, np.minimum(windows, self.windows))

    def biases(self) -> np.ndarray:
        """What `recode` adds to magnitudes and to those of complements, as uint64[2, 4]."""
        windows = range(self.windows - 1 if self.is_signed else 0)
        half = sum(1 << (self.bits * window + self.bits - 1) for window in windows)
        units = sum(1 << (self.bits * window) for window in windows)
        return np.array([limbs(half - units), limbs(half)], dtype=np.uint64)


def choose_digits(lengths: np.ndarray, has_complements: bool) -> Digits:
    """The cheapest digits for scalars counted by the bits of their magnitudes, not all zero."""
    longest = int(np.flatnonzero(lengths)[-1])
    # suffix[k] rows have at least k bits.
    suffix = [*np.cumsum(lengths[::-1])[::-1].tolist(), 0]
    best, best_cost = None, math.inf
    for digits in _candidates(longest, has_complements, suffix[1]):
        cost = _cost(digits, suffix, best_cost)
        if cost < best_cost:
            best, best_cost = digits, cost
    assert best is not None
    return best


def _candidates(longest: int, has_complements: bool, rows: int) -> Iterator[Digits]:
    """Digits that can be the best for that many rows: buckets cost about as much as rows."""
    around = rows.bit_length()
    usual = range(max(2, around - 6), min(CODE_BITS, around + 1) + 1)
    if longest > _UNSIGNED_LONGEST or has_complements:
        for bits in usual:
            windows = (longest + has_complements) // bits + 1
            yield Digits(bits, windows, longest, is_signed=True)
        return
    for bits in sorted({*usual, min(longest, CODE_BITS)}):
        if bits > 1:
            yield Digits(bits, longest // bits + 1, longest, is_signed=True)
        yield Digits(bits, -(-longest // bits), longest, is_signed=False)


def _cost(digits: Digits, suffix: Sequence[int], limit: float) -> float:
    """Point additions of a vector, for digits as if drawn at random; above `limit` any number."""
    total = 0.0
    for window in range(digits.windows):
        reached = digits.bits * window + (not digits.is_signed)
        rows = suffix[max(1, min(reached, len(suffix) - 1))]
        buckets = max(1, digits.buckets(window))
        total += _ROW_COST * rows + _BUCKET_COST * buckets + _WINDOW_COST
        if buckets > 1:
            # One addition fewer than a bucket has points, two for its sum in the window's.
            filled = -buckets * math.expm1(-rows / buckets)
            total += filled + _SPLIT_COST * math.sqrt(buckets)
        if total > limit:
            break
    return total


@dataclass(frozen=True, slots=True)
class Vector:
    """The spans of one multiplication: rows [first, stop) of the table of spans."""

    digits: Digits
    first: int
    stop: int


def group(sizes: Sequence[int], at_least: int) -> list[tuple[int, int]]:
    """Cut a sequence in runs whose sizes add up to `at_least`, but for the last."""
    cuts, total = [0], 0
    for number, size in enumerate(sizes):
        total += size
        if total >= at_least:
            cuts.append(number + 1)
            total = 0
    if cuts[-1] < len(sizes):
        cuts.append(len(sizes))
    return list(itertools.pairwise(cuts))


def plan_jobs(
    vectors: Sequence[Vector | None], spans: np.ndarray, workers: int
) -> list[np.ndarray]:
    """Cut the windows of all vectors in jobs for `msm_digits.sort_windows`, the longest first."""
    windows = [
        (owner, vector, window, int(rows))
        for owner, vector in enumerate(vectors)
        if vector is not None
        for window, rows in enumerate(_rows_of_windows(vector, spans))
    ]
    total = sum(rows for *_, rows in windows)
    if total < workers * _THREAD_ROWS:
        workers = 1
    parts, sizes = [], []
    for owner, vector, window, rows in windows:
        digits = vector.digits
        place = (window, digits.limit, digits.buckets(window))
        for first, stop in _span_ranges(vector, spans, _part_count(place[2], rows, total, workers)):
            parts.append((*place, first, stop, digits.bits * window, owner))
            sizes.append(int(spans[first:stop, SPAN_ROWS].sum()))
    order = sorted(range(len(parts)), key=lambda k: -sizes[k])
    parts, sizes = [parts[k] for k in order], [sizes[k] for k in order]
    job_rows = min(_JOB_ROWS, -(-total // (4 * workers))) if workers > 1 else _JOB_ROWS
    return [np.array(parts[a:b], dtype=np.int64) for a, b in group(sizes, job_rows)]


def _rows_of_windows(vector: Vector, spans: np.ndarray) -> np.ndarray:
    table = spans[vector.first : vector.stop]
    rows = np.bincount(table[:, SPAN_WINDOWS], table[:, SPAN_ROWS])
    # Spans with more windows than this one have rows in it.
    return np.cumsum(rows[::-1])[::-1][1:]


def _part_count(buckets: int, rows: int, total: int, workers: int) -> int:
    """Parts of a window, each of which adds up its own buckets."""
    parts = -(-rows // _PART_ROWS_MAX)
    if workers > 1:
        # Three jobs a thread even them out, if buckets are cheap beside rows.
        share = total // (workers * 3 if rows > 16 * buckets else workers)
        parts = max(parts, min(-(-rows // share), rows // (2 * buckets), rows // _THREAD_ROWS))
    return max(1, parts)


def _span_ranges(vector: Vector, spans: np.ndarray, parts: int) -> list[tuple[int, int]]:
    rows = spans[vector.first : vector.stop, SPAN_ROWS].tolist()
    ranges = group(rows, -(-sum(rows) // parts))
    return [(vector.first + a, vector.first + b) for a, b in ranges]
