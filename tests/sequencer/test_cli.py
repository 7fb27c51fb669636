"""The root command: its help, its errors and how fast it starts."""

from __future__ import annotations

import subprocess
import sys
import time
from importlib import import_module

import click
import pytest
from click.testing import CliRunner

from circuits.cli_support import ExitCode
from prover.kernel_choice import KernelsUnavailable
from sequencer.cli import COMMANDS, main

# Libraries that take longer to import than a person waits for --help.
HEAVY_MODULES = (
    "numpy", "numba", "galois", "py_ecc", "web3", "eth_tester", "eth", "pyrevm", "ray", "fastapi",
)  # fmt: skip


def leaf_paths() -> list[list[str]]:
    """List every command line prefix that has a --help of its own."""
    paths: list[list[str]] = [[]]
    for name, entry in COMMANDS.items():
        command = getattr(import_module(entry.module), entry.attribute)
        paths.append([name])
        if isinstance(command, click.Group):
            paths.extend([name, child] for child in command.commands)
    return paths


def test_the_root_help_names_every_command_without_importing_it() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name, entry in COMMANDS.items():
        assert f"  {name} " in result.stdout
        assert entry.short_help in result.stdout


def test_every_command_explains_itself_with_an_example() -> None:
    for path in leaf_paths():
        result = CliRunner().invoke(main, [*path, "--help"])
        assert result.exit_code == 0, (path, result.output)
        assert "Example" in result.stdout, f"{' '.join(path)} --help: expected an Example section"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["bogus"], "plasmaperps: No such command 'bogus'."),
        (["--bogus"], "plasmaperps: No such option '--bogus'."),
    ],
)
def test_wrong_usage_is_one_line(arguments: list[str], line: str) -> None:
    result = CliRunner().invoke(main, arguments, prog_name="plasmaperps")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"Error: {line} Try 'plasmaperps --help'.\n"


def test_no_help_imports_a_heavy_library() -> None:
    """Given every command, when its module is imported, then no heavy library came along."""
    modules = sorted({"sequencer.cli"} | {entry.module for entry in COMMANDS.values()})
    script = (
        "import importlib, sys\n"
        f"for name in {modules!r}:\n"
        "    importlib.import_module(name)\n"
        f"    heavy = [module for module in {HEAVY_MODULES!r} if module in sys.modules]\n"
        "    if heavy: sys.exit(f'{name} imports {heavy}')\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


def seconds_best_of(count: int, arguments: list[str]) -> float:
    best = float("inf")
    for _ in range(count):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        best = min(best, time.perf_counter() - start)
    return best


def test_help_starts_fast() -> None:
    """0.4 s is 20 plain interpreter starts; the ratio holds on slow and busy machines alike."""
    plain = seconds_best_of(5, ["-c", "pass"])
    root_help = seconds_best_of(5, ["-m", "sequencer.cli", "--help"])
    assert root_help < 20 * plain


def test_kernels_that_are_not_there_are_one_line_of_any_command(monkeypatch):
    def refuse(*arguments):
        raise KernelsUnavailable("PLASMAPERPS_KERNELS: expected scalar, got abacus")

    monkeypatch.setattr("sequencer.cli.import_module", refuse)
    result = CliRunner().invoke(main, ["prover", "doctor"])
    assert result.exit_code == ExitCode.USAGE
    assert result.output == "Error: PLASMAPERPS_KERNELS: expected scalar, got abacus\n"
