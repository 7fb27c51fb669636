"""What is known of an executor before it is opened."""

from pathlib import Path

import pytest

from prover.executor_options import ExecutorKind, ExecutorOptions


@pytest.mark.parametrize(
    ("kind", "address", "count"),
    [
        (ExecutorKind.INLINE, None, 0),
        (ExecutorKind.PROCESS, None, 3),
        (ExecutorKind.RAY, None, 3),
        (ExecutorKind.RAY, "10.0.0.1:6379", 0),
    ],
)
def test_workers_of_this_machine_are_counted(kind, address, count):
    assert ExecutorOptions(kind, 3, address, Path("work")).local_workers == count
