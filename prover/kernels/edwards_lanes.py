"""BabyJubJub eight points at a time, on lane values: the vector twin of `edwards`.

Points lie in a work array (`lane_memory`), X, Y and Z of eight points in three groups one after the
other, all in lane form; T of the few points that need it has a group elsewhere. *Summands* are
arrays of elements whose canonical limbs hold lane form, five planes of the same length: Y + X,
Y - X, 2 d' T, its negative, and 2 Z; where all Z are 1 the last plane is absent. The eight lanes of
an addition take their summands from eight places.

Bounds, in multiples of the modulus (see `lane_sums`): coordinates stay below 3.1, the worst being
the product of 8.3 and 10.4 in `double`; what is subtracted stays below 4.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numba import njit

from circuits.edwards import A, D
from circuits.field import R, inverse
from prover.kernels import fr
from prover.kernels.edwards import BASE_MULTIPLES, BASE_WINDOWS, ROOT, base_table
from prover.kernels.lane_emission import SHIFT_BITS, limbs52
from prover.kernels.lane_memory import fr_store, gather, get, new_work, put
from prover.kernels.lane_memory import load as load_lanes
from prover.kernels.lane_sums import add2, add3, fr_minus
from prover.kernels.lanes import LANES, fr_add, fr_mul, fr_sub
from prover.kernels.scalar import FR_ONE, ZERO, fr_inverse, is_zero, load, store
from prover.kernels.scalar import fr_mul as fr_mul_one

PLUS, MINUS, T, MINUS_T, TWO_Z = range(5)
PLANES = 5
_DEPTHS = 3  # the fourth list of places, those of 2 Z
# Arguments of kernels are not literals, for each of which a kernel would be compiled anew.
NO_T = np.int64(-1)
"""In place of the group of a T that nobody needs."""

# Groups of `constants`.
ONE, ROOT_HERE, MINUS_ROOT, D_HERE, TWO_D, FROM_ROOT, FROM_ROOT_SQUARE = map(np.int64, range(7))
TO_STORED, ROOT_TO_LANES, ROOT_TO_PLAIN, NOTHING = map(np.int64, range(7, 11))
LANE_FORM = 2**SHIFT_BITS
"""What an integer is multiplied by."""

# Entries of a window of the base table here, where digit 0 has one too.
BASE_WINDOW_ENTRIES = BASE_MULTIPLES + 1


@cache
def constants() -> np.ndarray:
    """A work array of numbers, each in every lane."""
    d_here = -D * inverse(A)
    factors = (1, ROOT, -ROOT, d_here, 2 * d_here, inverse(ROOT), inverse(ROOT) ** 2)
    values = [factor * LANE_FORM % R for factor in factors]
    # `invert_lanes` gives 1/z * 2^252: times these it is in stored form, and ROOT/z is in lane
    # form or a plain number.
    values += [2**264 % R, ROOT * 2**268 % R, ROOT * 2**8 % R, 0]
    return in_every_lane(values)


def in_every_lane(values: Sequence[int]) -> np.ndarray:
    """A work array of integers below 2^260, each in every lane."""
    work = new_work(len(values))
    for group, value in enumerate(values):
        work[group] = np.array(limbs52(value), dtype=np.uint64)[:, None]
    return work


def affine_planes(summands: np.ndarray, windows: int) -> np.ndarray:
    """Summands of the scalar kernels as planes with Z = 1, each window led by the identity.

    Shape: uint64[windows * multiples, 16] to uint64[4, windows * (multiples + 1), 4].
    """
    elements = [np.ascontiguousarray(summands[:, 4 * k : 4 * k + 4]) for k in range(4)]
    # Two for the 2 in 2 Z, and 2^4 from stored to lane form.
    factor = fr.scale(fr.batch_inverse(elements.pop()), 2 * 2**4)
    plus, minus, t = (fr.mul(element, factor) for element in elements)
    one, zero = fr.constant(2**4), fr.constant(0)
    columns = ((plus, one), (minus, one), (t, zero), (fr.sub(fr.zeros(len(t)), t), zero))
    planes = np.empty((len(columns), windows, len(summands) // windows + 1, 4), dtype=np.uint64)
    for plane, (column, identity) in zip(planes, columns, strict=True):
        plane[:, 0] = identity
        plane[:, 1:] = column.reshape(windows, -1, 4)
    return planes.reshape(len(columns), -1, 4)


@cache
def base_planes() -> np.ndarray:
    """Summands uint64[4, 42 * 33, 4]: k 2^(6w) BASE8 at 33 w + k."""
    return affine_planes(base_table(), int(BASE_WINDOWS))


@njit(nogil=True, cache=True)
def double(work, source, target, t):
    """Twice the points at `source` to `target`, and T of it to group `t` unless that is negative.

    Returns of the points at `source` what their slopes take: -2 X Y, Y^2 and Z^2, below 8.3.
    Cost: 7 multiplications, and one for T.
    """
    x, y, z = get(work, source), get(work, source + 1), get(work, source + 2)
    x_square, y_square, z_square = fr_mul(x, x), fr_mul(y, y), fr_mul(z, z)
    both = add2(x, y)
    height = add2(x_square, y_square)
    cross = fr_minus(height, fr_mul(both, both))
    plus = fr_minus(x_square, y_square)
    minus = add3(z_square, z_square, plus)
    put(work, target, fr_mul(cross, minus))
    put(work, target + 1, fr_mul(plus, height))
    put(work, target + 2, fr_mul(minus, plus))
    if t >= 0:
        put(work, t, fr_mul(cross, height))
    return cross, y_square, z_square


@njit(nogil=True, cache=True)
def add(work, source, t, summands, places, target, t_target):
    """The points at `source` with T in group `t` plus summands, to `target` and group `t_target`.

    The lanes' summands are those of `places`, see `choose`. No T comes out if `t_target` < 0.
    Cost: 6 multiplications, one for T, and one more unless all summands have Z = 1.
    """
    x, y, z = get(work, source), get(work, source + 1), get(work, source + 2)
    left = fr_mul(fr_minus(y, x), gather(summands, places, LANES * MINUS))
    right = fr_mul(add2(y, x), gather(summands, places, LANES * PLUS))
    t_product = fr_mul(get(work, t), gather(summands, places, LANES * T))
    if summands.shape[0] == PLANES:
        depth = fr_mul(z, gather(summands, places, LANES * _DEPTHS))
    else:
        depth = add2(z, z)
    cross, height = fr_minus(right, left), add2(right, left)
    low, high = fr_minus(depth, t_product), add2(depth, t_product)
    put(work, target, fr_mul(cross, low))
    put(work, target + 1, fr_mul(high, height))
    put(work, target + 2, fr_mul(low, high))
    if t_target >= 0:
        put(work, t_target, fr_mul(cross, height))


@njit(nogil=True, cache=True)
def choose(places, lane, summands, entry, digit):
    """Make `lane` of an addition take the summand `entry`, or its negative if the digit is.

    Shape: places int64[4 * LANES], where Y + X, Y - X, 2 d' T and 2 Z of each lane are.
    """
    stride, is_negative = summands.shape[1], digit < 0
    places[lane] = entry + stride * (MINUS if is_negative else PLUS)
    places[LANES + lane] = entry + stride * (PLUS if is_negative else MINUS)
    places[2 * LANES + lane] = entry + stride * (MINUS_T if is_negative else T)
    places[LANES * _DEPTHS + lane] = entry + stride * TWO_Z


@njit(nogil=True, cache=True)
def to_summands(summands, first, work, source, t, numbers):
    """summands[:, first + lane] = the points at `source` with T in group `t`."""
    x, y, z = get(work, source), get(work, source + 1), get(work, source + 2)
    t_scaled = fr_mul(get(work, t), get(numbers, TWO_D))
    stride = summands.shape[1]
    fr_store(summands, first, fr_add(y, x))
    fr_store(summands, stride * MINUS + first, fr_sub(y, x))
    fr_store(summands, stride * T + first, t_scaled)
    fr_store(summands, stride * MINUS_T + first, fr_sub(get(numbers, NOTHING), t_scaled))
    fr_store(summands, stride * TWO_Z + first, fr_add(z, z))


@njit(nogil=True, cache=True)
def set_affine(work, target, t, x, y, numbers):
    """The points (x, y) at `target`, for coordinates in lane form below 4."""
    put(work, target, x)
    put(work, target + 1, y)
    put(work, target + 2, get(numbers, ONE))
    put(work, t, fr_mul(x, y))


@njit(nogil=True, cache=True)
def invert_lanes(value):
    """1/z * 2^252 of every z * 2^260 below 4; zero stays zero. Cost: as one inversion."""
    words = np.empty((2 * LANES, 4), dtype=np.uint64)
    fr_store(words, 0, value)
    running = FR_ONE
    for lane in range(LANES):
        store(words, LANES + lane, running)
        if not is_zero(load(words, lane)):
            running = fr_mul_one(running, load(words, lane))
    running = fr_inverse(running)
    for lane in range(LANES - 1, -1, -1):
        single = load(words, lane)
        if is_zero(single):
            store(words, LANES + lane, ZERO)
        else:
            store(words, LANES + lane, fr_mul_one(running, load(words, LANES + lane)))
            running = fr_mul_one(running, single)
    return load_lanes(words, LANES)
