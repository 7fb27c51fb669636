"""Multi-scalar multiplication against py_ecc and against known discrete logarithms."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.field import Q, R
from prover.kernel_choice import Kernels
from prover.kernels import fixed_base, msm_plan, parallel
from prover.kernels import msm as module
from prover.kernels.msm import INFINITY, msm, msm_many, points_from_ints, points_to_ints
from prover.kernels.msm_buckets import PART, join, sum_lists
from prover.kernels.msm_plan import Digits
from prover.kernels.scalar import limbs
from tests.support.curve import generator_multiple, multi_scalar
from tests.support.twins import run_with

POINT = generator_multiple(12345)
OPPOSITE = (POINT[0], Q - POINT[1])
EDGES = [0, 1, 2, R - 1, R - 2, (R - 1) // 2, (R + 1) // 2, 2**62 - 1, 2**62, 2**63, 2**64 - 1,
         2**252, 2**253 - 1, 2**253]  # fmt: skip


def wide(values: list[int]) -> np.ndarray:
    return np.array([limbs(value) for value in values], dtype=np.uint64).reshape(-1, 4)


@pytest.fixture(scope="module")
def known() -> tuple[np.ndarray, list[int]]:
    """Bases with known discrete logarithms, so that long sums have a cheap answer."""
    source = random.Random(1)
    logarithms = [source.randrange(R) for _ in range(600)]
    return fixed_base.multiply_generator(wide(logarithms), fixed_base.generator_table()), logarithms


@pytest.mark.parametrize("count", [1, 2, 3, 17])
def test_random_scalars_and_points(count):
    source = random.Random(count)
    points = [generator_multiple(source.randrange(R)) for _ in range(count)]
    scalars = [source.randrange(R) for _ in range(count)]
    expected = multi_scalar(points, scalars)
    assert msm(points_from_ints(points), [(0, wide(scalars), 254)]) == expected


@pytest.mark.parametrize("scalar", EDGES)
def test_edge_scalars_alone_and_repeated(scalar):
    bases = points_from_ints([POINT] * 3)
    assert msm(bases, [(1, wide([scalar]), 254)]) == multi_scalar([POINT], [scalar])
    assert msm(bases, [(0, wide([scalar] * 3), 254)]) == multi_scalar([POINT], [3 * scalar])


@pytest.mark.parametrize("scalar", [1, 3, 200, R - 1, R // 3])
def test_equal_and_opposite_points(scalar):
    points = [POINT, OPPOSITE, POINT, POINT, OPPOSITE, OPPOSITE, POINT, (0, 0), POINT]
    bases = points_from_ints(points)
    expected = multi_scalar([POINT], [2 * scalar])
    assert msm(bases, [(0, wide([scalar] * len(points)), 254)]) == expected
    assert msm(bases[:2], [(0, wide([scalar] * 2), 254)]) == INFINITY
    assert msm(bases[:2], [(0, wide([scalar, R - scalar]), 254)]) == multi_scalar(
        [POINT], [2 * scalar]
    )


def test_window_sums_that_meet():
    # 2^64 P + 2^64 (-P) and doublings across windows end in equal and opposite accumulators.
    double = generator_multiple(2 * 12345)
    bases = points_from_ints([POINT, double, OPPOSITE])
    for bits in range(1, 40):
        scalars = [2**bits, 2 ** (bits - 1), 2**bits]
        assert msm(bases, [(0, wide(scalars), 254)]) == multi_scalar([POINT], [2**bits])
        assert msm(bases, [(0, wide([2**bits, 0, 2**bits]), 254)]) == INFINITY


@pytest.mark.parametrize(
    ("dtype", "width"),
    [(np.uint8, 1), (np.uint8, 8), (np.uint16, 16), (np.uint32, 32), (np.uint64, 64)],
)
def test_narrow_columns(known, dtype, width):
    bases, logarithms = known
    source = random.Random(width)
    values = [source.randrange(2**width) for _ in range(597)] + [2**width - 1, 0, 2 ** (width - 1)]
    expected = sum(v * k for v, k in zip(values, logarithms, strict=True))
    column = np.array(values, dtype=dtype)
    assert msm(bases, [(0, column, width)]) == generator_multiple(expected)


def test_every_bit_length_in_every_column_type(known):
    bases, logarithms = known
    for dtype, width in ((np.uint8, 8), (np.uint16, 16), (np.uint32, 32), (np.uint64, 64)):
        values = [2**k + offset for k in range(width) for offset in (-1, 0)]
        expected = sum(v * k for v, k in zip(values, logarithms, strict=False))
        assert msm(bases, [(0, np.array(values, dtype=dtype), width)]) == generator_multiple(
            expected
        )
    values = [2**k + offset for k in range(254) for offset in (-1, 0)]
    for fields in ([v % R for v in values], [-v % R for v in values]):
        expected = sum(v * k for v, k in zip(fields, logarithms, strict=False))
        assert msm(bases, [(0, wide(fields), 254)]) == generator_multiple(expected)


def test_mixed_pieces_with_offsets_and_zeros(known):
    bases, logarithms = known
    source = random.Random(5)
    bits = np.array([source.randrange(2) for _ in range(100)], dtype=np.uint8)
    words = np.array([source.randrange(2**64) for _ in range(50)], dtype=np.uint64)
    fields = [source.choice([0, 1, R - 1, R - 5, 2**70, source.randrange(R)]) for _ in range(200)]
    pieces = [(3, bits, 1), (0, np.zeros(600, np.uint16), 16), (120, words, 64),
              (90, wide(fields), 254), (600, np.zeros(0, np.uint8), 8)]  # fmt: skip
    expected = sum(int(v) * k for v, k in zip(bits, logarithms[3:], strict=False))
    expected += sum(int(v) * k for v, k in zip(words, logarithms[120:], strict=False))
    expected += sum(v * k for v, k in zip(fields, logarithms[90:], strict=False))
    assert msm(bases, pieces) == generator_multiple(expected)


@pytest.mark.parametrize("bits", range(1, 17))
def test_every_digit_width_gives_the_same_sum(known, monkeypatch, bits):
    bases, logarithms = known
    source = random.Random(6)

    def fixed(lengths, has_complements, workers):
        longest = int(np.flatnonzero(lengths)[-1])
        if has_complements or longest > 64:
            # One bit cannot have a sign.
            width = max(2, bits)
            return Digits(width, (longest + has_complements) // width + 1, longest, True)
        return Digits(bits, -(-longest // bits), longest, False)

    monkeypatch.setattr(module, "choose_digits", fixed)
    fields = [source.randrange(R) for _ in range(300)] + EDGES
    fields += [2 ** (bits * k) - 1 for k in range(1, 253 // bits)]
    fields += [R - 2 ** (bits * k - 1) for k in range(1, 253 // bits)]
    small = np.array([2**k - 1 for k in range(64)] + [2**64 - 1, 2**64 - 2**15], dtype=np.uint64)
    expected = sum(v * k for v, k in zip(fields, logarithms, strict=False))
    assert msm(bases, [(0, wide(fields[:600]), 254)]) == generator_multiple(expected)
    unsigned = sum(int(v) * k for v, k in zip(small, logarithms, strict=False))
    assert msm(bases, [(0, small, 64)]) == generator_multiple(unsigned)
    assert msm(bases, [(0, wide(fields[:600]), 254), (0, small, 64)]) == generator_multiple(
        expected + unsigned
    )


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_number_of_threads_and_parts_changes_nothing(known, monkeypatch, workers):
    bases, logarithms = known
    monkeypatch.setattr(parallel, "threads", lambda: workers)
    monkeypatch.setattr(module, "threads", lambda: workers)
    monkeypatch.setattr(module, "_SPAN_HEIGHT", 50)
    monkeypatch.setattr(module, "_STRIP_ROWS", 150)
    monkeypatch.setattr(msm_plan, "_THREAD_ROWS", 16)
    monkeypatch.setattr(msm_plan, "_PART_ROWS_MAX", 120)
    source = random.Random(7)
    fields = [source.randrange(R) for _ in range(600)]
    column = np.array([source.randrange(256) for _ in range(600)], dtype=np.uint8)
    expected = sum((v + int(c)) * k for v, c, k in zip(fields, column, logarithms, strict=True))
    pieces = [(0, wide(fields), 254), (0, column, 8)]
    assert msm(bases, pieces) == generator_multiple(expected)
    bits = sum(int(c & 1) * k for c, k in zip(column, logarithms, strict=True))
    assert msm(bases, [(0, column & 1, 1)]) == generator_multiple(bits)


def test_many_multiplications_are_those_one_by_one(known, monkeypatch):
    bases, logarithms = known
    monkeypatch.setattr(module, "PASS_ROWS", 700)
    source = random.Random(8)
    vectors, expected = [], []
    for width in (1, 254, 8, 16, 0, 254, 64, 1, 3):
        height = source.randrange(1, 400)
        offset = source.randrange(600 - height)
        values = [source.randrange(2 ** min(width, 253)) for _ in range(height)]
        column = wide(values) if width > 64 else np.array(values, dtype=np.uint64)
        vectors.append([(offset, column, width), (0, np.ones(5, np.uint8), 1)])
        total = sum(v * k for v, k in zip(values, logarithms[offset:], strict=False))
        expected.append(generator_multiple(total + sum(logarithms[:5])))
    vectors += [[], [(3, np.zeros(9, np.uint16), 16)]]
    assert msm_many(bases, vectors) == [*expected, INFINITY, INFINITY]
    assert msm_many(bases, []) == []


@pytest.mark.parametrize(
    ("sizes", "passes"),
    [
        ((50, 50, 50, 50), [(50, 50), (50, 50)]),
        ((30, 30, 30, 30, 30, 30), [(30, 30, 30), (30, 30, 30)]),
        ((100, 100), [(100,), (100,)]),
        ((3, 500, 3), [(3,), (500,), (3,)]),
    ],
)
def test_a_pass_has_no_more_rows_than_are_planned_for(known, monkeypatch, sizes, passes):
    bases, logarithms = known
    monkeypatch.setattr(module, "PASS_ROWS", 100)
    one_pass, found = module._one_pass, []

    def watched(bases, vectors):
        found.append(tuple(len(array) for ((_, array, _),) in vectors))
        return one_pass(bases, vectors)

    monkeypatch.setattr(module, "_one_pass", watched)
    points = msm_many(bases, [[(0, np.ones(size, np.uint8), 1)] for size in sizes])
    assert found == passes
    assert points == [generator_multiple(sum(logarithms[:size])) for size in sizes]


@given(data=st.data())
def test_any_scalars_over_few_points(data):
    # Three points and their opposites meet in every bucket, over and over.
    points = [POINT, OPPOSITE, (0, 0), (1, 2)]
    logarithms = [12345, -12345, 0, 1]
    count = data.draw(st.integers(1, 40))
    picks = data.draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))
    scalar = st.sampled_from(EDGES) | st.integers(0, 7) | st.integers(0, R - 1)
    scalars = data.draw(st.lists(scalar, min_size=count, max_size=count))
    expected = sum(logarithms[k] * v for k, v in zip(picks, scalars, strict=True))
    bases = points_from_ints([points[k] for k in picks])
    assert msm(bases, [(0, wide(scalars), 254)]) == generator_multiple(expected)


@pytest.mark.parametrize("count", [7, 8, 9, 15, 16, 17, 31, 32, 33, 1023, 1025, 4095, 4096, 4097])
def test_sizes_around_groups_blocks_and_parts(known, count):
    bases, logarithms = known
    rows = np.arange(count) % 600
    column = np.full(count, 3, dtype=np.uint8)
    total = 3 * sum(logarithms[row] for row in rows)
    assert msm(bases[rows], [(0, column, 8)]) == generator_multiple(total)
    fields = [(k * k * R // 7) % R for k in range(count)]
    total = sum(v * logarithms[row] for v, row in zip(fields, rows, strict=True))
    assert msm(bases[rows], [(0, wide(fields), 254)]) == generator_multiple(total)


def test_pairs_that_cancel_late():
    # Sums of two and of four are opposite: infinity appears in the second and third halving.
    points = [generator_multiple(k) for k in (5, 7, -8, -4, 3, 1, -9, 5)]
    ones = np.ones(8, dtype=np.uint8)
    assert msm(points_from_ints(points), [(0, ones, 1)]) == INFINITY
    points = [generator_multiple(k) for k in (5, 7, 4, 8, 6, 6, 20, 4)] * 3
    ones = np.ones(24, dtype=np.uint8)
    assert msm(points_from_ints(points), [(0, ones, 1)]) == generator_multiple(180)


def test_read_only_bases_and_columns(known):
    bases, logarithms = known
    frozen = np.frombuffer(bases.tobytes(), dtype=np.uint64).reshape(-1, 8)
    column = np.frombuffer(bytes(range(200)), dtype=np.uint8)
    expected = sum(k * logarithms[k] for k in range(200))
    assert not frozen.flags.writeable
    assert msm(frozen, [(0, column, 8)]) == generator_multiple(expected)
    assert (frozen == bases).all()


@pytest.mark.parametrize("pieces", [[], [(0, np.zeros(2, np.uint8), 8)], [(2, wide([]), 254)]])
def test_nothing_to_add_is_infinity(pieces):
    assert msm(points_from_ints([POINT, POINT]), pieces) == INFINITY


def test_more_rows_than_one_block(known):
    # One bucket with thousands of equal points: doublings and leftovers in every halving round.
    bases = points_from_ints([POINT, (0, 0), OPPOSITE] * 1000)
    ones = np.ones(2999, dtype=np.uint8)
    assert msm(bases, [(0, ones, 1)]) == multi_scalar([POINT], [1])
    assert msm(bases[:2998], [(0, ones[:2998], 1)]) == multi_scalar([POINT], [1])
    assert msm(np.ascontiguousarray(bases[::3]), [(0, ones[:1000], 1)]) == multi_scalar(
        [POINT], [1000]
    )


def test_scalars_are_checked():
    bases = points_from_ints([POINT] * 4)
    with pytest.raises(ValueError, match=rf"piece 0 row 1: expected a scalar below {R} .* {R}$"):
        msm(bases, [(0, wide([1, R]), 254)])
    with pytest.raises(ValueError, match=r"piece 0 row 0: expected .* at most 254 bits"):
        msm(bases, [(0, wide([2**255]), 254)])
    with pytest.raises(ValueError, match=r"piece 1 row 2: .* at most 1 bits, got 2"):
        msm(bases, [(0, np.ones(4, np.uint8), 1), (0, np.array([0, 1, 2], np.uint8), 1)])


def test_shapes_are_checked():
    bases = points_from_ints([POINT] * 4)
    with pytest.raises(ValueError, match=r"expected rows inside \[0, 4\), got \[3, 5\)"):
        msm(bases, [(3, np.ones(2, np.uint8), 8)])
    with pytest.raises(TypeError, match=r"got int64 \[2\]"):
        msm(bases, [(0, np.ones(2, np.int64), 8)])
    with pytest.raises(TypeError, match=r"expected bases as C-contiguous uint64 \[n, 8\]"):
        msm(bases[:, :4], [(0, np.ones(2, np.uint8), 8)])
    with pytest.raises(ValueError, match=rf"point 1: expected a coordinate below {Q}, got {Q}"):
        points_from_ints([POINT, (Q, 1)])


def test_points_round_trip():
    points = [POINT, (0, 0), (1, 2), OPPOSITE]
    assert points_to_ints(points_from_ints(points)) == points


@pytest.mark.slow
def test_with_scalar_kernels():
    run_with(Kernels.SCALAR, __file__)


@pytest.mark.slow
def test_with_emulated_instructions():
    """Which is slow: the patterns that additions must tell apart, and some random sums."""
    chosen = "edge or meet or equal or cancel or mixed or random"
    run_with(Kernels.IFMA_EMULATED, __file__, "-k", chosen)


@pytest.mark.parametrize("lead", range(4))
def test_a_pair_of_points_on_both_sides_of_a_part_meets(lead):
    """As many lists of one point as fill a part but for `lead` points, then lists of two."""
    counts = np.array([1] * (PART - lead) + [2] * 5 + [1] * 7, dtype=np.int64)
    points = points_from_ints([(1, 2)])
    sums = sum_lists(points, np.zeros(counts.sum(), dtype=np.int32), counts)
    assert (counts == 1).all()
    twice = generator_multiple(2)
    expected = [(1, 2)] * (PART - lead) + [twice] * 5 + [(1, 2)] * 7
    out = points_from_ints([(1, 2)] * len(expected))
    for row in range(len(expected)):
        join(out, row, sums[row : row + 1], np.zeros(1, dtype=np.int64))
    assert points_to_ints(out) == expected
