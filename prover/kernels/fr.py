"""Arrays of BN254 scalar field elements.

An array of n elements is a C-contiguous uint64[n, 4]: four limbs per row, least significant
first, in canonical Montgomery form (x * 2^256 mod r, below r). Single field values are Python
integers in [0, r). Functions return new arrays and use all threads; operands may be read-only.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from circuits.field import R
from prover.kernels import fr_rows
from prover.kernels.cells import as_argument
from prover.kernels.parallel import run_rows
from prover.kernels.scalar import MONTGOMERY_BITS

_SMALL_TYPES = (np.uint8, np.uint16, np.uint32, np.uint64)
# A table of this many variables is made faster than a second thread is woken.
_ONE_THREAD_BITS = 10
_MONTGOMERY_INVERSE = pow(2**MONTGOMERY_BITS, -1, R)


def zeros(count: int) -> np.ndarray:
    """Return `count` zero elements."""
    return np.zeros((count, 4), dtype=np.uint64)


def to_montgomery(canonical: np.ndarray) -> np.ndarray:
    """Convert plain integers uint64[n, 4] below r. Raises ValueError for r or more."""
    plain = _rows(canonical)
    out = np.empty((len(plain), 4), dtype=np.uint64)
    for bad in run_rows(fr_rows.to_montgomery, len(plain), out, plain):
        if bad >= 0:
            got = int.from_bytes(plain[bad].tobytes(), "little")
            raise ValueError(f"row {bad}: expected an integer below {R}, got {got}")
    return out


def from_montgomery(a: np.ndarray) -> np.ndarray:
    """Convert elements to plain integers uint64[n, 4] below r."""
    return _by_row(fr_rows.from_montgomery, a)


def from_ints(values: Iterable[int]) -> np.ndarray:
    """Convert integers in [0, r). Raises ValueError outside."""
    values = list(values)
    for row, value in enumerate(values):
        if not 0 <= value < R:
            raise ValueError(f"row {row}: expected an integer in [0, {R}), got {value}")
    data = b"".join(value.to_bytes(32, "little") for value in values)
    return to_montgomery(np.frombuffer(data, dtype="<u8").astype(np.uint64).reshape(-1, 4))


def to_ints(a: np.ndarray) -> list[int]:
    """Convert elements to integers in [0, r)."""
    data = from_montgomery(a).astype("<u8").tobytes()
    return [int.from_bytes(data[k : k + 32], "little") for k in range(0, len(data), 32)]


def from_small(values: np.ndarray) -> np.ndarray:
    """Convert a uint8, uint16, uint32 or uint64 array [n]."""
    small = _small(values)
    out = np.empty((len(small), 4), dtype=np.uint64)
    run_rows(fr_rows.from_small, len(small), out, small)
    return out


def add(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Row by row a + b."""
    return _by_row(fr_rows.add, *_same_shape(a, b))


def sub(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Row by row a - b."""
    return _by_row(fr_rows.sub, *_same_shape(a, b))


def mul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Row by row a * b."""
    return _by_row(fr_rows.mul, *_same_shape(a, b))


def scale(a: np.ndarray, factor: int) -> np.ndarray:
    """Every row times one integer."""
    return _by_row(fr_rows.scale, a, constant(factor))


def batch_inverse(a: np.ndarray) -> np.ndarray:
    """Row by row 1 / a; zero maps to zero. Cost: three multiplications a row."""
    return _by_row(fr_rows.batch_inverse, a)


def inner_product(a: np.ndarray, b: np.ndarray) -> int:
    """Sum of a[i] * b[i]."""
    return _sum_parts(run_rows(fr_rows.inner_product, len(a), *_same_shape(a, b)))


def powers(base: int, count: int) -> np.ndarray:
    """Return 1, base, base^2, ... (`count` rows)."""
    out = np.empty((count, 4), dtype=np.uint64)
    run_rows(fr_rows.powers, count, out, constant(base))
    return out


def eq_table(point: Sequence[int]) -> np.ndarray:
    """Return table[x] = product over b of (r_b if bit b of x else 1 - r_b), 2^len(point) rows.

    Coordinate 0 belongs to the lowest bit of x.
    """
    table = np.empty((1 << len(point), 4), dtype=np.uint64)
    table[0] = constant(1)[0]
    coordinates = from_ints(point)
    fr_rows.eq_table(table, coordinates[:_ONE_THREAD_BITS])
    for bit in range(_ONE_THREAD_BITS, len(point)):
        half = 1 << bit
        run_rows(fr_rows.eq_step, half, table, half, coordinates[bit : bit + 1])
    return table


def fold(f: np.ndarray, challenge: int) -> np.ndarray:
    """Bind the lowest variable: out[j] = (1 - challenge) f[2j] + challenge f[2j+1]."""
    rows = _rows(f)
    if len(rows) % 2:
        raise ValueError(f"expected an even number of rows, got {len(rows)}")
    out = np.empty((len(rows) // 2, 4), dtype=np.uint64)
    run_rows(fr_rows.fold, len(out), out, rows, constant(challenge))
    return out


def evaluate(f: np.ndarray, x: int) -> int:
    """f(x) for coefficients low first."""
    return _sum_parts(run_rows(fr_rows.evaluate, len(f), _rows(f), constant(x)))


def constant(value: int) -> np.ndarray:
    """Return one integer in [0, r) as the element array uint64[1, 4]."""
    if not 0 <= value < R:
        raise ValueError(f"expected an integer in [0, {R}), got {value}")
    data = (value * 2**MONTGOMERY_BITS % R).to_bytes(32, "little")
    return np.frombuffer(data, dtype="<u8").astype(np.uint64).reshape(1, 4)


def warm() -> None:
    """Compile every kernel of this module, or load it from the cache."""
    pair = from_ints([2, 3])
    small = np.ones(2, dtype=np.uint64)
    to_ints(mul(add(pair, pair), sub(pair, from_small(small))))
    batch_inverse(scale(pair, 7))
    inner_product(pair, powers(3, 2))
    fold(eq_table([5] * (_ONE_THREAD_BITS + 1)), 7)
    evaluate(pair, 3)


def _rows(a: np.ndarray) -> np.ndarray:
    if a.dtype != np.uint64 or a.ndim != 2 or a.shape[1] != 4 or not a.flags.c_contiguous:
        raise TypeError(
            f"expected a C-contiguous uint64 array [n, 4], got {a.dtype} {list(a.shape)}"
        )
    return as_argument(a)


def _small(values: np.ndarray) -> np.ndarray:
    if values.ndim != 1 or values.dtype not in _SMALL_TYPES:
        raise TypeError(
            f"expected an unsigned array [n] of at most 64 bits, "
            f"got {values.dtype} {list(values.shape)}"
        )
    return as_argument(np.ascontiguousarray(values, dtype=np.uint64))


def _same_shape(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    left, right = _rows(a), _rows(b)
    if len(left) != len(right):
        raise ValueError(f"expected equal lengths, got {len(left)} and {len(right)}")
    return left, right


def _by_row(kernel, a: np.ndarray, *others: np.ndarray) -> np.ndarray:
    rows = _rows(a)
    out = np.empty((len(rows), 4), dtype=np.uint64)
    run_rows(kernel, len(rows), out, rows, *others)
    return out


def _sum_parts(parts: list[tuple]) -> int:
    montgomery = sum(sum(int(limb) << (64 * k) for k, limb in enumerate(p)) for p in parts)
    return montgomery * _MONTGOMERY_INVERSE % R
