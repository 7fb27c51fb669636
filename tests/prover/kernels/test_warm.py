"""After `warm` nothing is left to compile, and cached code is that of the sources at hand."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from numba import config as _config

from prover import kernels
from prover.kernel_choice import VARIABLE, Kernels

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
@pytest.mark.parametrize("chosen", [kernels.KERNELS, Kernels.SCALAR])
def test_work_after_warming_compiles_nothing(chosen: Kernels) -> None:
    child = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "support" / "warm_child.py")],
        capture_output=True, text=True, check=True, cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), VARIABLE: chosen},
    )  # fmt: skip
    found = json.loads(child.stdout)
    assert found["kernels"] > 100
    assert found["again"] == {}
    assert found["work"] == {}


def test_the_stamp_is_of_every_file_with_compiled_constants() -> None:
    """Tapes are data; all else that kernels take from `circuits` may be compiled in."""
    sources = kernels._sources()
    assert len(sources) == len(set(sources))
    for source in Path(kernels.__file__).parent.glob("*.py"):
        assert source in sources
        for node in ast.walk(ast.parse(source.read_text())):
            if not isinstance(node, ast.ImportFrom) or node.module is None:
                continue
            if node.module.startswith("circuits.") and not node.module.startswith("circuits.air"):
                assert ROOT / f"{node.module.replace('.', '/')}.py" in sources


def test_a_change_of_any_source_changes_the_stamp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [tmp_path / name for name in ("kernel.py", "field.py")]
    for file in files:
        file.write_text("1")
    monkeypatch.setattr(kernels, "_sources", lambda: files)
    stamps = {kernels._source_stamp()}
    for file in files:
        file.write_text("2")
        stamps.add(kernels._source_stamp())
    assert len(stamps) == 1 + len(files)


def test_what_other_versions_compiled_goes_when_it_has_not_been_used_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = f"{'0' * 16}-{kernels.KERNELS}"
    monkeypatch.setattr(_config, "CACHE_DIR", str(tmp_path / own))
    old_s = time.time() - 2 * kernels._UNUSED_MAX_S
    names = {
        "unused": f"{'1' * 16}-fma", "used": f"{'2' * 16}-ifma", "new": f"{'3' * 16}-scalar",
        "own": own, "somebody's": "notes",
    }  # fmt: skip
    for name, folder in names.items():
        mark = tmp_path / folder / "warm-mark"
        mark.parent.mkdir()
        mark.touch()
        if name not in ("used", "new"):
            os.utime(mark, (old_s, old_s))
        if name != "new":
            os.utime(mark.parent, (old_s, old_s))
    kernels._forget_unused()
    assert {path.name for path in tmp_path.iterdir()} == {*names.values()} - {names["unused"]}
