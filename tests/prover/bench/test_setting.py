"""Kernels and threads of a benchmark: what is there is taken, what is not is named."""

import os
import subprocess
import sys

import pytest

from circuits.cli_support import CommandFailed, ExitCode
from prover.bench.setting import choose_kernels, prepare
from prover.cli_options import ExecutorChoice
from prover.executor_options import ExecutorKind
from prover.kernel_choice import VARIABLE, Kernels, available
from prover.kernels import KERNELS, parallel

INLINE = ExecutorChoice(ExecutorKind.INLINE, 2)


def test_kernels_asked_for_are_named_in_the_environment() -> None:
    assert choose_kernels("scalar") is Kernels.SCALAR
    assert os.environ[VARIABLE] == "scalar"


def test_without_a_wish_the_environment_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_kernels("auto") is available()[-1]
    assert VARIABLE not in os.environ
    monkeypatch.setenv(VARIABLE, "scalar")
    assert choose_kernels("auto") is Kernels.SCALAR
    monkeypatch.setenv(VARIABLE, "abacus")
    with pytest.raises(CommandFailed) as caught:
        choose_kernels("auto")
    assert caught.value.message == f"{VARIABLE}: expected {' or '.join(available())}, got abacus"


def test_kernels_that_are_not_there_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prover.kernel_choice.available", lambda: [Kernels.SCALAR])
    for asked in (Kernels.IFMA, Kernels.FMA, Kernels.IFMA_EMULATED):
        with pytest.raises(CommandFailed) as caught:
            choose_kernels(asked)
        assert caught.value.message == f"--kernels: expected scalar, got {asked}"
        assert caught.value.exit_code == ExitCode.USAGE


def test_other_kernels_than_those_that_run_are_refused() -> None:
    other = next(each for each in (Kernels.SCALAR, *available()) if each is not KERNELS)
    with pytest.raises(CommandFailed, match=f"expected {KERNELS}, which run already, got {other}"):
        prepare(None, other, INLINE)


@pytest.fixture
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "cores", lambda: 4)
    parallel.set_threads(4)


@pytest.mark.usefixtures("four_cores")
def test_threads_are_those_asked_for_or_those_of_the_process() -> None:
    setting = prepare(3, "auto", INLINE)
    assert (setting.threads, parallel.threads()) == (3, 3)
    assert setting.start_seconds > 0
    assert setting.start_core_seconds > 0
    assert prepare(None, "auto", INLINE).threads == 3


@pytest.mark.usefixtures("four_cores")
def test_more_threads_than_cores_are_refused() -> None:
    assert prepare(4, "auto", INLINE).threads == 4
    with pytest.raises(CommandFailed) as caught:
        prepare(5, "auto", INLINE)
    assert caught.value.message == "--threads: expected at most 4 on this machine, got 5"
    assert (caught.value.exit_code, parallel.threads()) == (ExitCode.USAGE, 4)


@pytest.mark.usefixtures("four_cores")
@pytest.mark.parametrize("kind", [ExecutorKind.PROCESS, ExecutorKind.RAY])
def test_more_workers_than_threads_are_refused(kind: ExecutorKind) -> None:
    choice = ExecutorChoice(kind, 3)
    assert prepare(3, "auto", choice).workers == 3
    with pytest.raises(CommandFailed) as caught:
        prepare(2, "auto", choice)
    assert caught.value.message == (
        "--workers: expected at most 2, one for each thread, got 3: "
        "ask for fewer workers or more --threads"
    )
    assert caught.value.exit_code == ExitCode.USAGE
    assert prepare(2, "auto", INLINE).threads == 2


@pytest.mark.usefixtures("four_cores")
def test_only_workers_that_there_are_count(monkeypatch: pytest.MonkeyPatch) -> None:
    assert prepare(None, "auto", INLINE).workers == 0
    processes = ExecutorChoice(ExecutorKind.PROCESS, 3)
    setting = prepare(None, "auto", processes)
    assert (setting.executor, setting.workers) == (ExecutorKind.PROCESS, 3)
    monkeypatch.setattr("prover.bench.setting.sees_other_processes", lambda: False)
    assert prepare(None, "auto", INLINE).workers == 0
    with pytest.raises(CommandFailed) as caught:
        prepare(None, "auto", processes)
    assert caught.value.message == (
        "--executor: expected inline, as this system has no /proc that tells what workers take, "
        "got process"
    )


def test_the_commands_and_the_chart_import_no_kernels() -> None:
    """Kernels look at the environment when they are imported, which is after the options."""
    code = (
        "import sys, prover.bench.cli, prover.bench.plot; "
        "sys.exit('numba' in sys.modules or 'prover.kernels' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
