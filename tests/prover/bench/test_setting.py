"""Kernels and threads of a benchmark: what is there is taken, what is not is named."""

import os
import subprocess
import sys

import pytest

from circuits.cli_support import CommandFailed, ExitCode
from prover.bench.setting import KERNELS_VARIABLE, Executor, Kernels, choose_kernels, prepare
from prover.kernels import parallel


@pytest.mark.parametrize("asked", [Kernels.AUTO, Kernels.SCALAR])
def test_the_environment_names_the_kernels_that_run(asked: Kernels) -> None:
    assert choose_kernels(asked) is Kernels.SCALAR
    assert os.environ[KERNELS_VARIABLE] == "scalar"


@pytest.mark.parametrize("asked", [Kernels.IFMA, Kernels.FMA])
def test_kernels_that_are_not_there_are_refused(asked: Kernels) -> None:
    with pytest.raises(CommandFailed) as caught:
        choose_kernels(asked)
    assert caught.value.message == f"--kernels: expected auto or scalar, got {asked}"
    assert caught.value.exit_code == ExitCode.USAGE


def test_threads_are_those_asked_for() -> None:
    setting = prepare(3, Kernels.AUTO, Executor.INLINE)
    assert (setting.threads, parallel.threads()) == (3, 3)
    assert setting.start_seconds > 0


def test_threads_are_those_of_the_environment_unless_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PLASMAPERPS_THREADS", "5")
    assert prepare(None, Kernels.AUTO, Executor.INLINE).threads == 5
    monkeypatch.setenv("PLASMAPERPS_THREADS", "none")
    with pytest.raises(CommandFailed) as caught:
        prepare(None, Kernels.AUTO, Executor.INLINE)
    assert caught.value.message == (
        "PLASMAPERPS_THREADS: expected a number of threads from 1, got 'none'"
    )


def test_the_commands_and_the_chart_import_no_kernels() -> None:
    """Kernels look at the environment when they are imported, which is after the options."""
    code = (
        "import sys, prover.bench.cli, prover.bench.plot; "
        "sys.exit('numba' in sys.modules or 'prover.kernels' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
