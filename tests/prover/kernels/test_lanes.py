"""Lane arithmetic against plain integers, for every choice of multiplication that runs here."""

import os
import random
import subprocess
import sys

import llvmlite.binding as llvm
import numpy as np
import pytest
from llvmlite import ir
from numba import njit

from circuits.field import Q, R
from prover.kernel_choice import VARIABLE, Kernels
from prover.kernels import fr, lane_emission, lane_memory, lanes
from prover.kernels.scalar import limbs, store
from tests.support.twins import run_with

BOUND = 4
FIELDS = {"fr": R, "fq": Q}
INVERSE_SHIFT = {name: pow(2**260, -1, p) for name, p in FIELDS.items()}


def _edge_values(modulus: int) -> list[int]:
    edges = [0, 1, 2, modulus - 1, modulus, modulus + 1, 2**52 - 1, 2**52, 2**208 - 1, 2**208]
    edges += [k * modulus + d for k in range(1, BOUND) for d in (-1, 0, 1)]
    return [*edges, BOUND * modulus - 1]


def _pairs(modulus: int) -> list[tuple[int, int]]:
    rng = random.Random(20260101)
    edges = _edge_values(modulus)
    pairs = [(a, b) for a in edges for b in edges]
    pairs += [(rng.randrange(BOUND * modulus), rng.randrange(BOUND * modulus)) for _ in range(500)]
    while len(pairs) % lanes.LANES:
        pairs.append((0, 0))
    return pairs


def _work(values: list[int]) -> np.ndarray:
    work = lane_memory.new_work(len(values) // lanes.LANES)
    for k, value in enumerate(values):
        work[k // lanes.LANES, :, k % lanes.LANES] = lane_emission.limbs52(value)
    return work


def _values(work: np.ndarray) -> list[int]:
    assert not (work >> np.uint64(lane_emission.LIMB_BITS)).any(), "a limb of more than 52 bits"
    return [
        sum(int(limb) << (lane_emission.LIMB_BITS * j) for j, limb in enumerate(group[:, lane]))
        for group in work
        for lane in range(lanes.LANES)
    ]


def _binary(operation):
    @njit
    def kernel(out, a, b):
        for k in range(out.shape[0]):
            lane_memory.put(out, k, operation(lane_memory.get(a, k), lane_memory.get(b, k)))

    return kernel


def _unary(operation):
    @njit
    def kernel(out, a):
        for k in range(out.shape[0]):
            lane_memory.put(out, k, operation(lane_memory.get(a, k)))

    return kernel


@pytest.mark.parametrize(
    ("name", "expected", "bound"),
    [
        ("fr_mul", lambda a, b, inverse: a * b * inverse, 3),
        ("fq_mul", lambda a, b, inverse: a * b * inverse, 3),
        ("fr_add", lambda a, b, _: a + b, BOUND),
        ("fr_sub", lambda a, b, _: a - b, BOUND),
    ],
)
def test_operations_on_edges_and_random_values(name, expected, bound):
    field = name[:2]
    modulus = FIELDS[field]
    pairs = _pairs(modulus)
    a, b = _work([a for a, _ in pairs]), _work([b for _, b in pairs])
    out = np.empty_like(a)
    _binary(getattr(lanes, name))(out, a, b)
    for (x, y), got in zip(pairs, _values(out), strict=True):
        assert got < bound * modulus, (x, y)
        assert got % modulus == expected(x, y, INVERSE_SHIFT[field]) % modulus, (x, y)


def test_products_of_the_largest_operands_stay_below_their_bound():
    largest = 84 * R - 1
    a, b = _work([largest] * lanes.LANES), _work([R - 1] * lanes.LANES)
    out = np.empty_like(a)
    _binary(lanes.fr_mul)(out, a, b)
    for got in _values(out):
        assert got < 3 * R
        assert got % R == largest * (R - 1) * INVERSE_SHIFT["fr"] % R


def test_form_changes():
    values = [a for a, _ in _pairs(R)]
    for change, factor in (
        (lanes.fr_to_lane_form, 2**4),
        (lanes.fr_to_stored_form, pow(2**4, -1, R)),
        (lanes.fr_plain_to_lane_form, 2**260),
        (lanes.fr_to_plain, pow(2**260, -1, R)),
    ):
        a = _work(values)
        out = np.empty_like(a)
        _unary(change)(out, a)
        assert [v % R for v in _values(out)] == [v * factor % R for v in values]


@njit
def _load_each(out, array, start):
    for k in range(out.shape[0]):
        lane_memory.put(out, k, lane_memory.load(array, start + k * lanes.LANES))


@njit
def _load_strided(out, array, start, stride):
    lane_memory.put(out, 0, lane_memory.load_strided(array, start, stride))


@njit
def _gather(out, array, positions):
    for k in range(out.shape[0]):
        lane_memory.put(out, k, lane_memory.gather(array, positions, k * lanes.LANES))


@njit
def _load_one(out, array, index):
    lane_memory.put(out, 0, lane_memory.load_one(array, index))


def _rows(values: list[int]) -> np.ndarray:
    return np.array([limbs(value) for value in values], dtype=np.uint64)


def test_loads_read_the_rows_that_they_name():
    rng = random.Random(7)
    values = [rng.randrange(2**256) for _ in range(40)]
    values[:3] = [2**256 - 1, 0, 2**255]
    rows = _rows(values)
    out = lane_memory.new_work(4)
    _load_each(out, rows, 3)
    assert _values(out) == values[3:35]
    positions = np.array([rng.randrange(40) for _ in range(32)])
    for dtype in (np.int64, np.int32):
        _gather(out, rows, positions.astype(dtype))
        assert _values(out) == [values[k] for k in positions]
    one = lane_memory.new_work(1)
    _load_strided(one, rows, 2, 5)
    assert _values(one) == values[2:42:5]
    _load_one(one, rows, 17)
    assert _values(one) == [values[17]] * lanes.LANES


@pytest.mark.parametrize("field", FIELDS)
def test_stores_are_canonical_and_touch_their_rows_only(field):
    modulus = FIELDS[field]
    store = getattr(lane_memory, f"{field}_store")

    @njit
    def kernel(out, work):
        for k in range(work.shape[0]):
            store(out, 1 + k * lanes.LANES, lane_memory.get(work, k))

    values = [a for a, _ in _pairs(modulus)]
    out = np.full((len(values) + 2, 4), 7, dtype=np.uint64)
    kernel(out, _work(values))
    assert (out[1:-1] == _rows([value % modulus for value in values])).all()
    assert (out[[0, -1]] == 7).all()


def test_zero_lanes_and_select():
    @njit
    def kernel(masks, out, a, b):
        for k in range(masks.shape[0]):
            x, y = lane_memory.get(a, k), lane_memory.get(b, k)
            masks[k] = lanes.fr_zero_lanes(x)
            lane_memory.put(out, k, lanes.select(masks[k], x, y))

    values = [a for a, _ in _pairs(R)]
    others = list(range(len(values)))
    masks = np.zeros(len(values) // lanes.LANES, dtype=np.uint8)
    out = lane_memory.new_work(len(masks))
    kernel(masks, out, _work(values), _work(others))
    is_zero = np.unpackbits(masks, bitorder="little").astype(bool).tolist()
    assert is_zero == [value % R == 0 for value in values]
    picked = [v if zero else o for v, o, zero in zip(values, others, is_zero, strict=True)]
    assert _values(out) == picked


def test_a_product_of_stored_and_lane_form_equals_the_scalar_twin():
    @njit
    def kernel(out, a, b):
        for k in range(0, out.shape[0], lanes.LANES):
            x = lane_memory.load(a, k)
            y = lanes.fr_to_lane_form(lane_memory.load(b, k))
            lane_memory.fr_store(out, k, lanes.fr_mul(x, y))

    a, b = fr.powers(3, 64), fr.powers(R - 5, 64)
    out = np.empty_like(a)
    kernel(out, a, b)
    assert (out == fr.mul(a, b)).all()


def test_the_sum_of_lanes_is_a_scalar_element():
    @njit
    def kernel(out, a):
        for k in range(out.shape[0]):
            store(out, k, lane_memory.sum_lanes(lane_memory.get(a, k)))

    values = [a for a, _ in _pairs(R)]
    out = np.empty((len(values) // lanes.LANES, 4), dtype=np.uint64)
    kernel(out, _work(values))
    groups = [values[k : k + lanes.LANES] for k in range(0, len(values), lanes.LANES)]
    assert (out == _rows([sum(group) % R for group in groups])).all()


def test_ifma_code_is_the_two_instructions():
    """What the machine code generator makes of the product, for a processor that has them."""
    module = ir.Module()
    module.triple = llvm.get_default_triple()
    vector = ir.VectorType(ir.IntType(64), lanes.LANES)
    function = ir.Function(module, ir.FunctionType(vector, [vector] * 3), "step")
    builder = ir.IRBuilder(function.append_basic_block())
    _, x, y = function.args
    name = "llvm.x86.avx512.vpmadd52{}.uq.512"
    low, high = (ir.Function(module, function.function_type, name.format(h)) for h in "lh")
    total = builder.call(low, function.args)
    builder.ret(builder.call(high, [total, x, y]))
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_triple(module.triple)
    machine = target.create_target_machine(cpu="icelake-server", opt=3)
    text = machine.emit_assembly(llvm.parse_assembly(str(module)))
    assert text.count("vpmadd52luq") == text.count("vpmadd52huq") == 1
    assert "call" not in text


@pytest.mark.slow
@pytest.mark.parametrize("kernels", [Kernels.IFMA_EMULATED, Kernels.FMA])
def test_with_other_multiplications(kernels):
    """All of this file once more with a multiplication that this process may not have chosen."""
    run_with(kernels, __file__)


def test_an_unknown_choice_is_named():
    done = subprocess.run(
        [sys.executable, "-c", "import prover.kernels"],
        env=os.environ | {VARIABLE: "fast"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "PLASMAPERPS_KERNELS: expected scalar" in done.stderr
    assert "got fast" in done.stderr
