"""Benchmarks change the environment and the threads of their process; tests give them back."""

import os
from collections.abc import Iterator

import pytest

from prover.kernel_choice import VARIABLE
from prover.kernels import parallel


@pytest.fixture(autouse=True)
def own_setting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # Set first, so that the fixture remembers to take away what a test leaves.
    monkeypatch.setenv(VARIABLE, "")
    del os.environ[VARIABLE]
    threads = parallel.threads()
    yield
    parallel.set_threads(threads)
