"""The windowed product s*B + h*N of `circuits.chips.signature_trace`, for many signatures at once.

What comes out is slopes, and points as pairs (u, v), both of the form v^2 = u^3 + c u^2 + u. A
point X, Y, Z of the Edwards form, with P = Z + Y and M = Z - Y, has the image u = P / M and
v = P Z / (M X). So a slope is a fraction of coordinates:

    tangent                      Z / X + 2 X Y / (P M)
    chord to an image (u, v)     (P Z - v M X) / (X (P - u M))

All fractions of a product are divided with one inversion, and those of its table with another. In
the coordinates of the kernels (`edwards`) X is ROOT times as large; there a *fraction* stands for
1 / ROOT times what is wanted, which saves the chords a multiplication each, and the inverse of all
denominators makes up for it. The image of a table's entry is kept as u and v / ROOT.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from circuits.edwards import BASE8, Point
from prover.kernels import edwards_windows_lanes, edwards_windows_rows, fr
from prover.kernels.choice import KERNELS, Kernels
from prover.kernels.edwards import ROOT
from prover.kernels.edwards_windows_rows import BLOCKS, VALUES, images
from prover.kernels.parallel import run_rows

_twin = edwards_windows_rows if KERNELS is Kernels.SCALAR else edwards_windows_lanes
_ROWS_MIN = 16


@dataclass(frozen=True, slots=True)
class WindowSlopes:
    """Every slope on the way of n products, and the points that chips commit to.

    All are plain integers below r; a point is its image but for `results`, which are of the
    Edwards form. A product that met the identity has the result (0, 0), which is on no curve, and
    nothing else of it means anything.

    Shape: table_slopes uint64[4, 4 n, 4], from T + j*N of product k to the next at
    [j % 4, 4 k + j // 4]; multiples uint64[2, 16 n, 4] with T + j*N at [:, 16 k + j]; slopes
    uint64[24, 8 n, 4], in the order of use along 8 rows; starts uint64[2, 8 n, 4], the point
    before each row; ends and results uint64[2, n, 4]; negated uint64[2, n, 4] with N.
    """

    table_slopes: np.ndarray
    multiples: np.ndarray
    slopes: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    results: np.ndarray
    negated: np.ndarray


def trace(
    negated: np.ndarray, s: np.ndarray, h: np.ndarray, offset: Point, start: Point
) -> WindowSlopes:
    """The products s*B + h*N with the offset T of all summands and the point to start from.

    Assumes: every N in the subgroup, or what is said of it means nothing.
    Shape: negated uint64[n, 2, 4] in Montgomery form, s and h uint64[n, 4] plain integers, of h
    the lowest 128 bits.
    Cost: about 3,700 multiplications a row.
    """
    count = len(negated)
    keys = np.empty((count, 4, 4), dtype=np.uint64)
    keys[:, 0] = fr.scale(negated[:, 0].copy(), ROOT)
    keys[:, 1] = negated[:, 1]
    ones = np.repeat(fr.constant(1), count, axis=0)
    u, v = images(keys[:, 0].copy(), keys[:, 1].copy(), ones)
    keys[:, 2], keys[:, 3] = u, v
    out = np.empty((VALUES * count, 4), dtype=np.uint64)
    run_rows(_twin.trace_rows, count, out, keys, s, h, _tables(offset, start), rows_min=_ROWS_MIN)
    borders = np.cumsum([columns * rows * count for columns, rows in BLOCKS])[:-1]
    blocks = [
        block.reshape(columns, rows * count, 4)
        for block, (columns, rows) in zip(np.split(out, borders), BLOCKS, strict=True)
    ]
    blocks.append(np.stack((fr.from_montgomery(u), fr.from_montgomery(fr.scale(v, ROOT)))))
    return WindowSlopes(*blocks)


@cache
def _tables(offset: Point, start: Point) -> tuple:
    return _twin.tables(offset, start)


def warm() -> None:
    """Compile every kernel of this module, or load it from the cache."""
    one = np.array([[1, 0, 0, 0]], dtype=np.uint64)
    trace(fr.from_ints(BASE8).reshape(1, 2, 4), one, one, BASE8, BASE8)
