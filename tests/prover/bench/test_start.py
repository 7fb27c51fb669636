"""Cold and warm start of the kernels in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from prover.bench import start
from prover.bench.start import StartFailed, measure_start
from prover.cache_folder import cache_folder
from sequencer.batch_files import witness_of
from tests.support.batches import rich_batch


def test_what_is_compiled_is_counted_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import os, pathlib; folder = pathlib.Path(os.environ['PLASMAPERPS_CACHE'], 'kernels'); "
        "folder.mkdir(exist_ok=True); (folder / 'a.nbc').touch(); (folder / 'a.nbi').touch(); "
        "assert 'NUMBA_CACHE_DIR' not in os.environ"
    )
    monkeypatch.setenv("NUMBA_CACHE_DIR", "elsewhere")
    monkeypatch.setattr(start, "_WARM", code)
    found = measure_start()
    assert (found.cold_compiled, found.warm_compiled) == (1, 0)
    assert min(found.cold_seconds, found.warm_seconds) > 0


def test_a_start_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "_WARM", "raise SystemExit('no kernels today')")
    with pytest.raises(StartFailed) as caught:
        measure_start()
    assert str(caught.value) == "kernels: expected exit code 0, got 1 (no kernels today)"


@pytest.mark.slow
def test_kernels_are_compiled_once_and_a_proof_needs_no_others(tmp_path: Path) -> None:
    witness, cache = tmp_path / "batch.witness", tmp_path / "cache"
    witness_of(rich_batch()).save(witness)
    cache.mkdir()
    # The setup is made by kernels that no proof needs.
    (cache / "srs").symlink_to(cache_folder("srs"), target_is_directory=True)
    cold_seconds = start.seconds_to_start(str(cache))
    compiled = start.count_compiled(str(cache))
    warm_seconds = start.seconds_to_start(str(cache))
    assert start.count_compiled(str(cache)) == compiled > 50
    assert warm_seconds < cold_seconds / 3
    command = [sys.executable, "-m", "sequencer.cli", "prover", "bench", "batch", str(witness)]
    environment = os.environ | {"PLASMAPERPS_CACHE": str(cache)}
    subprocess.run([*command, "--repeat", "1"], env=environment, check=True)
    assert start.count_compiled(str(cache)) == compiled
