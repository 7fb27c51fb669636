"""Kernels and threads of a benchmark: what is there is taken, what is not is named."""

import os
import subprocess
import sys

import pytest

from circuits.cli_support import CommandFailed, ExitCode
from prover.bench.setting import KERNELS_VARIABLE, Executor, Kernels, choose_kernels, prepare
from prover.kernels import parallel


def test_kernels_asked_for_are_named_in_the_environment() -> None:
    assert choose_kernels(Kernels.SCALAR) is Kernels.SCALAR
    assert os.environ[KERNELS_VARIABLE] == "scalar"


def test_without_a_wish_the_environment_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_kernels(Kernels.AUTO) is Kernels.SCALAR
    assert KERNELS_VARIABLE not in os.environ
    monkeypatch.setenv(KERNELS_VARIABLE, "scalar")
    assert choose_kernels(Kernels.AUTO) is Kernels.SCALAR
    monkeypatch.setenv(KERNELS_VARIABLE, "abacus")
    with pytest.raises(CommandFailed) as caught:
        choose_kernels(Kernels.AUTO)
    assert caught.value.message == "PLASMAPERPS_KERNELS: expected scalar, got abacus"


@pytest.mark.parametrize("asked", [Kernels.IFMA, Kernels.FMA])
def test_kernels_that_are_not_there_are_refused(asked: Kernels) -> None:
    with pytest.raises(CommandFailed) as caught:
        choose_kernels(asked)
    assert caught.value.message == f"--kernels: expected scalar, got {asked}"
    assert caught.value.exit_code == ExitCode.USAGE


def test_threads_are_those_asked_for_or_those_of_the_process() -> None:
    setting = prepare(3, Kernels.AUTO, Executor.INLINE)
    assert (setting.threads, parallel.threads()) == (3, 3)
    assert setting.start_seconds > 0
    assert prepare(None, Kernels.AUTO, Executor.INLINE).threads == 3


def test_the_commands_and_the_chart_import_no_kernels() -> None:
    """Kernels look at the environment when they are imported, which is after the options."""
    code = (
        "import sys, prover.bench.cli, prover.bench.plot; "
        "sys.exit('numba' in sys.modules or 'prover.kernels' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
