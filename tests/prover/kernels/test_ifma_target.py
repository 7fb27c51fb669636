"""The kernels for AVX-512 IFMA, compiled for a processor that need not be at hand."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import llvmlite.binding as llvm
import pytest
from llvmlite import ir

from circuits.field import Q, R
from prover.kernel_choice import VARIABLE, Kernels, available
from prover.kernels import lane_emission as emission
from prover.kernels.lane_emission import LIMB_BITS, LIMBS, VECTOR, limbs52
from tests.support import vector_code

ROOT = Path(__file__).resolve().parents[3]
CHILD = ROOT / "tests" / "support" / "ifma_target_child.py"
FEATURES = (
    "64bit", "sse4.2", "popcnt", "lzcnt", "movbe", "f16c", "bmi", "bmi2", "adx", "avx", "avx2",
    "fma", "avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl", "avx512ifma",
)  # fmt: skip
TARGET = {
    "NUMBA_CPU_NAME": "icelake-server",
    "NUMBA_CPU_FEATURES": ",".join(f"+{feature}" for feature in FEATURES),
}
# Where field elements are multiplied eight at a time.
MULTIPLYING = (
    "edwards_base_lanes.multiply_rows",
    "edwards_verify_lanes.verify_rows",
    "edwards_windows_lanes.trace_rows",
    "logup_lanes._helper_groups",
    "msm_buckets.sum_lists",
    "poseidon2_lanes.permute_rows",
    "sumcheck_lanes._add_groups",
)
LANES = vector_code.LANES
UNSHIFT = {modulus: pow(2**260, -1, modulus) for modulus in (Q, R)}

Emit = Callable[[ir.IRBuilder, list, list], list]


def run_child(task: str, path: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, str(CHILD), task, str(path)],
        capture_output=True, text=True, check=True, cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
    )  # fmt: skip
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(Kernels.FMA not in available(), reason="the lanes need AVX2 and FMA to run")
def test_every_kernel_compiles_to_its_instructions(tmp_path: Path) -> None:
    path = tmp_path / "types"
    run_child("record", path, {VARIABLE: Kernels.FMA})
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    counts = json.loads(run_child("compile", path, TARGET | cache))
    assert len(counts) > 40
    assert {name for name in MULTIPLYING if not counts[name]} == set()


@pytest.fixture(scope="module", autouse=True)
def code_of_ifma():
    """What is emitted here is for the instructions, whatever this process has chosen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(emission, "KERNELS", Kernels.IFMA)
        patch.setattr(emission, "_Columns", emission._IfmaColumns)
        yield


def wide_product(builder: ir.IRBuilder, a: list, b: list) -> list:
    """a * b + a * b by the way of a sum of products."""
    total = [emission.splat(0)] * (2 * LIMBS)
    for _ in range(2):
        total = emission.emit_wide_sum(builder, total, a, b)
    return emission.emit_wide_value(builder, total, R)


OPERATIONS: dict[str, tuple[Emit, int, int, Callable[[int, int], int]]] = {
    # What is emitted, modulus, bound of the result in moduli, and what it is modulo that.
    "fr_mul": (
        lambda *given: emission.emit_mul(*given, R), R, 3, lambda a, b: a * b * UNSHIFT[R]
    ),
    "fq_mul": (
        lambda *given: emission.emit_mul(*given, Q), Q, 3, lambda a, b: a * b * UNSHIFT[Q]
    ),
    "fr_add": (lambda *given: emission.emit_add(*given, R), R, 4, lambda a, b: a + b),
    "fr_sub": (lambda *given: emission.emit_sub(*given, R), R, 4, lambda a, b: a - b),
    "fr_canonical": (
        lambda builder, a, b: emission.emit_canonical(builder, a, R), R, 1, lambda a, b: a
    ),
    "fr_wide": (wide_product, R, 3, lambda a, b: 2 * a * b * UNSHIFT[R]),
}  # fmt: skip


@cache
def assembly_of(name: str) -> str:
    """The function name(out, a, b), each a pointer to a lane value, for Intel's Ice Lake."""
    module = ir.Module()
    module.triple = llvm.get_default_triple()
    kind = ir.FunctionType(ir.VoidType(), [VECTOR.as_pointer()] * 3)
    function = ir.Function(module, kind, name)
    builder = ir.IRBuilder(function.append_basic_block())
    out, *operands = (
        [builder.gep(each, [ir.Constant(ir.IntType(32), k)]) for k in range(LIMBS)]
        for each in function.args
    )
    a, b = ([builder.load(place) for place in places] for places in operands)
    for value, place in zip(OPERATIONS[name][0](builder, a, b), out, strict=True):
        builder.store(value, place)
    builder.ret_void()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_triple(module.triple)
    machine = target.create_target_machine(cpu="icelake-server", opt=3)
    return machine.emit_assembly(llvm.parse_assembly(str(module)))


def words_of(values: list[int]) -> list[int]:
    limbs = [limbs52(value) for value in values]
    return [limbs[lane][k] for k in range(LIMBS) for lane in range(LANES)]


def values_of(words: list[int]) -> list[int]:
    assert all(word >> LIMB_BITS == 0 for word in words), "a limb of more than 52 bits"
    return [
        sum(words[k * LANES + lane] << (LIMB_BITS * k) for k in range(LIMBS))
        for lane in range(LANES)
    ]


@pytest.mark.parametrize("name", OPERATIONS)
def test_its_instructions_compute_what_they_should(name: str) -> None:
    _, modulus, bound, expected = OPERATIONS[name]
    multiplies = "mul" in name or "wide" in name
    assert (
        ("vpmadd52luq" in assembly_of(name)) == ("vpmadd52huq" in assembly_of(name)) == multiplies
    )
    draw = random.Random(20261123)
    edges = [0, 1, modulus - 1, modulus, 2 * modulus, 4 * modulus - 1, 2**52 - 1, 2**208]
    pairs = [(a, b) for a in edges for b in edges]
    pairs += [(draw.randrange(4 * modulus), draw.randrange(4 * modulus)) for _ in range(256)]
    for start in range(0, len(pairs), LANES):
        chosen = pairs[start : start + LANES]
        out = [0] * (LIMBS * LANES)
        left, right = ([pair[k] for pair in chosen] for k in range(2))
        vector_code.run(assembly_of(name), name, [out, words_of(left), words_of(right)])
        for (a, b), got in zip(chosen, values_of(out), strict=True):
            assert got < bound * modulus, (a, b)
            assert got % modulus == expected(a, b) % modulus, (a, b)
