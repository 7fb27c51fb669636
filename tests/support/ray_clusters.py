"""What the tests of Ray share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from prover.executor_options import ExecutorKind, ExecutorOptions
from prover.executors import Executor, open_executor
from tests.support.cluster_jobs import SHARE_ALL, Watch

RAY_MARKS = [pytest.mark.ray, pytest.mark.slow]


@contextmanager
def ray_executor(folder: Path, watch: Watch, address: str | None = None) -> Iterator[Executor]:
    """Two actors on a Ray of their own, or on the one at an address."""
    settings = replace(SHARE_ALL, silence_max_s=20.0)
    options = ExecutorOptions(ExecutorKind.RAY, 2, address, folder / "work", settings)
    with open_executor(options, watch) as executor:
        yield executor
