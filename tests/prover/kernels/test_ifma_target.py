"""The kernels for AVX-512 IFMA, compiled for a processor that need not be at hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from prover.kernel_choice import VARIABLE, Kernels, available

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
