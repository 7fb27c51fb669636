"""The memory plan: how it grows, its bound, refusal in time, and a measured proof below it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from circuits.chips.system import SHAPES, margin_system
from prover import memory
from prover.backend import Circuit
from prover.errors import NotEnoughMemory
from prover.executor_options import ExecutorKind, ExecutorOptions
from prover.prove import Stage
from prover.srs_tools import development_setup
from tests.support.toy_system import toy_key, toy_shape, toy_system
from verifier.key import make_key

ROOT = Path(__file__).resolve().parents[2]
TOY = Circuit(toy_key(toy_shape()), toy_system())
HEIGHTS = {"step": 5, "squares": 16, "ends": 1, "words": 2, "extra": 0}


def circuit(shape):
    return Circuit(make_key(margin_system(), SHAPES[shape], development_setup()), margin_system())


def test_tables_count_at_their_own_width():
    # index u16, position u64, value, next, digit u8, square u32, inverse, flag: 112 bytes a row.
    assert memory.plan(TOY, HEIGHTS).tables == 5 * 112 + 16 * 4 + 32 + 2 * 32
    assert memory.plan(TOY, HEIGHTS).setup == 64 * 64


def test_every_stage_grows_with_the_tables_it_works_on():
    few, full = memory.plan(TOY, HEIGHTS), memory.plan(TOY)
    assert few.stages[Stage.SUMCHECK] < full.stages[Stage.SUMCHECK]
    assert few.stages[Stage.HELPERS] < full.stages[Stage.HELPERS]
    assert few.stages[Stage.OPENING] == full.stages[Stage.OPENING]
    assert few.peak == few.setup + few.tables + max(few.stages.values())


@pytest.mark.parametrize("shape", list(SHAPES))
@pytest.mark.parametrize("part", [0, 1, 16])
def test_the_plan_is_below_the_bound(shape, part):
    # Empty tables, full ones, and all in between by sixteenths of the highest.
    at_hand = circuit(shape)
    heights = {chip.name: (1 << chip.log_height) * part // 16 for chip in at_hand.key.chips}
    plan = memory.plan(at_hand, heights)
    assert plan.peak <= plan.bound
    full = sum(
        heights[chip.name] * (sum(c.bits == 256 for c in compiled.columns) + chip.helper_columns)
        for chip, compiled in zip(at_hand.key.chips, at_hand.system.chips, strict=True)
    )
    narrow = sum(
        heights[chip.name] * sum(c.bits != 256 for c in compiled.columns)
        for chip, compiled in zip(at_hand.key.chips, at_hand.system.chips, strict=True)
    )
    cells = max(full, 8 << at_hand.key.log_chunk)
    assert plan.bound <= plan.setup + 120 * cells + 40 * narrow + memory.threads() * 4 * memory.MIB


def test_too_little_memory_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 100 * memory.MIB)
    monkeypatch.setattr(memory, "own_resident_bytes", lambda: 50 * memory.MIB)
    needed = memory.needed_bytes(TOY)
    with pytest.raises(NotEnoughMemory) as caught:
        memory.require_memory(TOY)
    assert str(caught.value) == (
        f"memory for shape toy-4-3: expected {needed // memory.MIB} MiB, got 150 MiB available: "
        "stop other work, raise a limit on memory, or use a larger machine"
    )
    # What the process holds already is there for the proof.
    monkeypatch.setattr(memory, "own_resident_bytes", lambda: needed)
    memory.require_memory(TOY)
    monkeypatch.setattr(memory, "available_bytes", lambda: None)
    monkeypatch.setattr(memory, "own_resident_bytes", lambda: 0)
    memory.require_memory(TOY)


def test_every_worker_brings_an_interpreter_and_ray_its_own_processes(monkeypatch):
    alone = memory.needed_bytes(TOY)
    kinds, workers = ExecutorKind, 3 * memory.BASE_BYTES
    for kind, address, more in (
        (kinds.INLINE, None, 0), (kinds.PROCESS, None, workers),
        (kinds.RAY, None, workers + memory.RAY_BYTES), (kinds.RAY, "10.0.0.1:6379", 0),
    ):  # fmt: skip
        options = ExecutorOptions(kind, 3, address, Path("work"))
        assert memory.needed_bytes(TOY, options=options) == alone + more
        monkeypatch.setattr(memory, "available_bytes", lambda enough=alone + more: enough)
        monkeypatch.setattr(memory, "own_resident_bytes", lambda: 0)
        memory.require_memory(TOY, options=options)
        monkeypatch.setattr(memory, "available_bytes", lambda enough=alone + more: enough - 1)
        with pytest.raises(NotEnoughMemory):
            memory.require_memory(TOY, options=options)


@pytest.mark.slow
def test_a_wide_proof_stays_below_its_plan():
    child = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "support" / "wide_proof_child.py")],
        capture_output=True, text=True, check=True, cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    found = json.loads(child.stdout)
    assert found["full_cells"] >= 1 << 20
    assert found["measured"] <= found["planned"] <= found["bound"]
    assert found["measured"] <= found["setup"] + 120 * found["full_cells"]
    # A plan that is far too high would pass as well.
    assert found["measured"] >= found["planned"] / 2
