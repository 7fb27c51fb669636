"""How multi-scalar multiplications are cut: digits for the scalars, jobs for threads."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from prover.kernels.choice import KERNELS, Kernels
from prover.kernels.msm_digits import CODE_BITS, SPAN_ROWS, SPAN_WINDOWS
from prover.kernels.scalar import limbs

# Cycles of one point addition, measured for FMA and without vectors on AMD Zen 3, for IFMA on Intel
# Ice Lake.
_ADDITION_CYCLES = {
    Kernels.SCALAR: 620,
    Kernels.FMA: 300,
    Kernels.IFMA: 125,
    Kernels.IFMA_EMULATED: 4000,
}[KERNELS]
# In additions: recoding and sorting a row, passing over a bucket, a window's share of inversions,
# and what splitting weights takes after the first split, for the square root of the buckets.
_ROW_COST = 1 + 33 / _ADDITION_CYCLES
_BUCKET_COST = 30 / _ADDITION_CYCLES
_WINDOW_COST = 9000 / _ADDITION_CYCLES
_SPLIT_COST = 8
# Digits of wide scalars have signs: they nearly always have bits to spare.
_UNSIGNED_LONGEST = 64
# A job has at least this many rows, to share inversions well, and a thread at least one job.
_JOB_ROWS = 1 << 17
# Fewer rows than this are not worth another thread.
_THREAD_ROWS = 1 << 14
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

    def buckets(self) -> np.ndarray:
        """The largest absolute value of a digit, for each window."""
        rest = self.longest - self.bits * np.arange(self.windows)
        if self.is_signed:
            return 1 << np.clip(rest, 0, self.bits - 1)
        return (1 << np.minimum(rest, self.bits)) - 1

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


def choose_digits(lengths: np.ndarray, has_complements: bool, workers: int) -> Digits:
    """The digits that take least time on so many threads, for scalars that are not all zero.

    `lengths` counts the scalars by the bits of their magnitudes.
    """
    longest = int(np.flatnonzero(lengths)[-1])
    # suffix[k] rows have at least k bits.
    suffix = np.append(np.cumsum(lengths[::-1])[::-1], 0)
    candidates = _candidates(longest, has_complements, int(suffix[1]))
    return min(candidates, key=lambda digits: _cost(digits, suffix, workers))


def _candidates(longest: int, has_complements: bool, rows: int) -> Iterator[Digits]:
    """Digits that can be the best for that many rows: buckets cost about as much as rows."""
    around = rows.bit_length()
    highest = min(CODE_BITS, max(around + 1, longest))
    may_be_unsigned = longest <= _UNSIGNED_LONGEST and not has_complements
    seen = set()
    for bits in range(max(1, min(around - 6, longest, CODE_BITS)), highest + 1):
        for is_signed in (True, False) if may_be_unsigned else (True,):
            spare = longest + has_complements
            windows = spare // bits + 1 if is_signed else -(-longest // bits)
            # More bits for as many windows are only more buckets; one bit has no sign.
            if (windows, is_signed) not in seen and bits > is_signed:
                seen.add((windows, is_signed))
                yield Digits(bits, windows, longest, is_signed)


def _cost(digits: Digits, suffix: np.ndarray, workers: int) -> float:
    """Point additions on the busiest thread, for digits as if drawn at random."""
    total, longest_window = _sum_costs(
        suffix, digits.buckets(), digits.bits, digits.is_signed, workers
    )
    return max(total / workers, longest_window) if total > workers * _THREAD_ROWS else total


@njit(nogil=True, cache=True)
def _sum_costs(suffix, buckets, bits, is_signed, workers):
    total, longest = 0.0, 0.0
    for window in range(buckets.shape[0]):
        size = buckets[window]
        # An unsigned digit is reached by one bit more than lies below it.
        reached = max(1, bits * window + (0 if is_signed else 1))
        rows = suffix[min(reached, suffix.shape[0] - 1)]
        sums = _WINDOW_COST + _BUCKET_COST * size
        if size > 1:
            # One addition fewer than a bucket has points, two for its sum in the window's.
            sums += _SPLIT_COST * math.sqrt(size) - size * math.expm1(-rows / size)
        parts = max(1, min(workers, rows // (2 * size)))
        total += _ROW_COST * rows + sums
        longest = max(longest, _ROW_COST * rows / parts + sums)
    return total, longest


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
        (owner, vector, _rows_of_windows(vector, spans))
        for owner, vector in enumerate(vectors)
        if vector is not None
    ]
    total = sum(int(rows.sum()) for *_, rows in windows)
    if total < workers * _THREAD_ROWS:
        workers = 1
    parts: list[tuple[int, ...]] = []
    sizes: list[int] = []
    for owner, vector, window_rows in windows:
        digits = vector.digits
        buckets = digits.buckets().tolist()
        for window, rows in enumerate(window_rows.tolist()):
            count = _part_count(buckets[window], rows, total, workers)
            for first, stop in _span_ranges(vector, spans, count):
                place = (window, digits.limit, buckets[window], first, stop)
                parts.append((*place, digits.bits * window, owner))
                sizes.append(rows // count)
    order = sorted(range(len(parts)), key=lambda k: -sizes[k])
    parts, sizes = [parts[k] for k in order], [sizes[k] for k in order]
    job_rows = min(_JOB_ROWS, -(-total // (4 * workers))) if workers > 1 else _JOB_ROWS
    return [np.array(parts[a:b], dtype=np.int64) for a, b in group(sizes, job_rows)]


def _rows_of_windows(vector: Vector, spans: np.ndarray) -> np.ndarray:
    table = spans[vector.first : vector.stop]
    rows = np.bincount(table[:, SPAN_WINDOWS], table[:, SPAN_ROWS]).astype(np.int64)
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
    if parts == 1:
        return [(vector.first, vector.stop)]
    rows = spans[vector.first : vector.stop, SPAN_ROWS].tolist()
    ranges = group(rows, -(-sum(rows) // parts))
    return [(vector.first + a, vector.first + b) for a, b in ranges]
