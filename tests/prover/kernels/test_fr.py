"""Fr arrays against Python integers."""

import random

import numpy as np
import pytest
from numba import njit
from numba.core.dispatcher import Dispatcher

from circuits.field import Q, R
from prover.kernels import fr, fr_rows, scalar
from prover.kernels.parallel import ROWS_MIN

EDGES = [0, 1, 2, R - 1, R - 2, (R - 1) // 2, 2**64 - 1, 2**64, 2**128, 2**192, 2**253]


def random_values(count: int, seed: int) -> list[int]:
    source = random.Random(seed)
    return [source.randrange(R) for _ in range(count)]


def edge_pairs() -> tuple[list[int], list[int]]:
    values = EDGES + random_values(20, 1)
    return [a for a in values for _ in values], [b for _ in values for b in values]


def test_conversion_round_trip():
    values = EDGES + random_values(50, 2)
    elements = fr.from_ints(values)
    assert fr.to_ints(elements) == values
    limbs = [int.from_bytes(row.tobytes(), "little") for row in fr.from_montgomery(elements)]
    assert limbs == values


def test_rows_are_canonical_montgomery():
    values = EDGES + random_values(20, 3)
    rows = [int.from_bytes(row.tobytes(), "little") for row in fr.from_ints(values)]
    assert rows == [value * 2**256 % R for value in values]


@pytest.mark.parametrize(
    ("name", "plain"),
    [("add", int.__add__), ("sub", int.__sub__), ("mul", int.__mul__)],
)
def test_row_operations(name, plain):
    a, b = edge_pairs()
    result = fr.to_ints(getattr(fr, name)(fr.from_ints(a), fr.from_ints(b)))
    assert result == [plain(x, y) % R for x, y in zip(a, b, strict=True)]


@njit
def base_field_operations(out, a, b):
    for i in range(a.shape[0]):
        x, y = scalar.load(a, i), scalar.load(b, i)
        scalar.store(out, 4 * i, scalar.fq_add(x, y))
        scalar.store(out, 4 * i + 1, scalar.fq_sub(x, y))
        scalar.store(out, 4 * i + 2, scalar.fq_mul(x, y))
        scalar.store(out, 4 * i + 3, scalar.fq_inverse(x))


def test_base_field_operations():
    source = random.Random(4)
    values = [0, 1, Q - 1, Q - 2, (Q - 1) // 2, *(source.randrange(Q) for _ in range(10))]
    a = [x for x in values for _ in values]
    b = [y for _ in values for y in values]

    def rows(integers):
        return np.array([scalar.limbs(value) for value in integers], dtype=np.uint64)

    out = np.zeros((4 * len(a), 4), dtype=np.uint64)
    base_field_operations(out, rows(a), rows(b))
    got = [int.from_bytes(row.tobytes(), "little") for row in out]
    shift = 2**256
    expected = []
    for x, y in zip(a, b, strict=True):
        inverse = pow(x, -1, Q) * shift * shift % Q if x else 0
        product = x * y * pow(shift, -1, Q) % Q
        expected += [(x + y) % Q, (x - y) % Q, product, inverse]
    assert got == expected


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.uint64])
def test_from_small(dtype):
    column = np.array([0, 1, 77, np.iinfo(dtype).max], dtype=dtype)
    assert fr.to_ints(fr.from_small(column)) == [int(value) for value in column]


def test_batch_inverse_keeps_zero():
    values = [0, 1, R - 1, 0, *random_values(ROWS_MIN, 5), 0]
    inverses = fr.to_ints(fr.batch_inverse(fr.from_ints(values)))
    for value, inverse in zip(values, inverses, strict=True):
        assert value * inverse % R == (1 if value else 0)
        assert value or inverse == 0


@pytest.mark.parametrize("count", [0, 1, 5, ROWS_MIN + 3])
def test_sums(count):
    a, b = random_values(count, 6), random_values(count, 7)
    x = random_values(1, 8)[0]
    left, right = fr.from_ints(a), fr.from_ints(b)
    assert fr.inner_product(left, right) == sum(p * q for p, q in zip(a, b, strict=True)) % R
    assert fr.evaluate(left, x) == sum(c * pow(x, i, R) for i, c in enumerate(a)) % R
    assert fr.to_ints(fr.powers(x, count)) == [pow(x, i, R) for i in range(count)]
    assert fr.to_ints(fr.scale(left, x)) == [c * x % R for c in a]


@pytest.mark.parametrize("bits", [0, 1, 3, 12])
def test_eq_table_low_bit_first(bits):
    point = random_values(bits, 9)
    table = fr.to_ints(fr.eq_table(point))
    for x in {0, 1, 2, 5, (1 << bits) - 1} & set(range(1 << bits)):
        expected = 1
        for bit, r in enumerate(point):
            expected = expected * (r if x >> bit & 1 else 1 - r) % R
        assert table[x] == expected
    assert sum(table) % R == 1


def test_folding_to_one_row_is_the_inner_product_with_the_eq_table():
    values, point = random_values(1 << 12, 10), random_values(12, 11)
    f = fr.from_ints(values)
    rho = point[0]
    folded = fr.fold(f, rho)
    expected = [
        ((1 - rho) * even + rho * odd) % R
        for even, odd in zip(values[::2], values[1::2], strict=True)
    ]
    assert fr.to_ints(folded) == expected
    for challenge in point[1:]:
        folded = fr.fold(folded, challenge)
    assert fr.to_ints(folded) == [fr.inner_product(f, fr.eq_table(point))]


def test_errors_name_expected_and_got():
    with pytest.raises(ValueError, match=f"row 1: expected an integer below {R}, got {R}"):
        fr.to_montgomery(np.array([scalar.limbs(1), scalar.limbs(R)], dtype=np.uint64))
    with pytest.raises(ValueError, match=r"row 0: expected an integer in \[0, .*got -1"):
        fr.from_ints([-1])
    with pytest.raises(ValueError, match="expected equal lengths, got 1 and 2"):
        fr.add(fr.zeros(1), fr.zeros(2))
    with pytest.raises(TypeError, match=r"expected a C-contiguous uint64 array \[n, 4\]"):
        fr.add(np.zeros((2, 4), dtype=np.int64), fr.zeros(2))
    with pytest.raises(TypeError, match="expected a C-contiguous"):
        fr.evaluate(fr.zeros(4)[::2], 1)
    with pytest.raises(TypeError, match="expected an unsigned array"):
        fr.from_small(np.zeros(2, dtype=np.int64))
    with pytest.raises(ValueError, match="expected an even number of rows, got 3"):
        fr.fold(fr.zeros(3), 1)


def test_read_only_arrays_are_taken_by_the_same_kernels():
    a, small = fr.from_ints([3, 4]), np.array([5, 6], dtype=np.uint64)
    a.flags.writeable = small.flags.writeable = False
    fr.warm()
    kernels = [each for each in vars(fr_rows).values() if isinstance(each, Dispatcher)]
    before = [len(each.signatures) for each in kernels]
    assert fr.to_ints(fr.add(a, a)) == [6, 8]
    assert fr.to_ints(fr.mul(fr.sub(a, a), a)) == [0, 0]
    assert fr.to_ints(fr.scale(a, 2)) == [6, 8]
    assert fr.to_ints(fr.fold(a, 2)) == [5]
    assert fr.to_ints(fr.batch_inverse(a)) == [pow(3, -1, R), pow(4, -1, R)]
    assert fr.inner_product(a, a) == 25
    assert fr.evaluate(a, 10) == 43
    assert fr.to_ints(fr.from_small(small)) == [5, 6]
    plain = fr.from_montgomery(a)
    plain.flags.writeable = False
    assert (fr.to_montgomery(plain) == a).all()
    assert [len(each.signatures) for each in kernels] == before
