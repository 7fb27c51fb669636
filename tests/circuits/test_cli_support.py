"""Exit codes, one-line errors and whole-or-nothing files of the commands."""

from __future__ import annotations

import errno
import io
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from circuits.cli_support import (
    CommandFailed,
    ExitCode,
    atomic_write,
    bad_input,
    naming,
    one_line_errors,
    progress,
)


class RuleError(Exception):
    """The general error of this test."""


class SpecialRuleError(RuleError):
    """A case of it with its own exit code."""


def run_raising(error: Exception) -> Result:
    @click.command()
    @one_line_errors({SpecialRuleError: ExitCode.VERIFICATION_FAILED, RuleError: ExitCode.REFUSED})
    def command() -> None:
        raise error

    return CliRunner().invoke(command, [])


@pytest.mark.parametrize(
    ("error", "exit_code", "line"),
    [
        (RuleError("expected 3, got 4"), 3, "expected 3, got 4"),
        (SpecialRuleError("expected a, got b"), 5, "expected a, got b"),
        (RuleError("first line\n  second line"), 3, "first line second line"),
        (RuleError(), 3, "RuleError"),
        (bad_input("day.jsonl", "line 3", "a kind", "'x'"), 2,
         "day.jsonl: line 3: expected a kind, got 'x'"),
        (FileNotFoundError(2, "No such file or directory", "day.jsonl"), 2,
         "day.jsonl: no such file or directory"),
        (OSError(28, "No space left on device"), 2, "input or output: no space left on device"),
        (ModuleNotFoundError("No module named 'eth_tester'", name="eth_tester"), 2,
         "this command needs eth_tester: pip install 'plasmaperps[evm]'"),
    ],
)  # fmt: skip
def test_expected_errors_are_one_line_and_a_code(
    error: Exception, exit_code: int, line: str
) -> None:
    result = run_raising(error)
    assert (result.exit_code, result.stdout, result.stderr) == (exit_code, "", f"Error: {line}\n")


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError("a defect"),
        ModuleNotFoundError("a defect", name="circuits.absent"),
        OSError("said by no system"),
    ],
)
def test_a_defect_keeps_its_traceback(error: Exception) -> None:
    assert run_raising(error).exception is error


def test_a_reader_that_stops_early_is_left_to_click() -> None:
    broken = BrokenPipeError(errno.EPIPE, "Broken pipe")
    with pytest.raises(BrokenPipeError), one_line_errors():
        raise broken


def test_one_line_errors_is_a_with_block_too() -> None:
    with pytest.raises(CommandFailed) as caught, one_line_errors({RuleError: ExitCode.REFUSED}):
        raise RuleError("expected 1, got 2")
    assert (caught.value.message, caught.value.exit_code) == ("expected 1, got 2", 3)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_whole_file_appears_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "batch.proof"
    with atomic_write(target) as stream:
        stream.write(b"\x01\x02")
        assert not target.exists()
    assert (target.read_bytes(), names_in(tmp_path)) == (b"\x01\x02", ["batch.proof"])


@pytest.mark.parametrize("error", [RuleError("late"), KeyboardInterrupt()])
def test_an_error_leaves_the_older_file_alone(tmp_path: Path, error: BaseException) -> None:
    target = tmp_path / "report.txt"
    target.write_text("older")

    def write_and_fail() -> None:
        with atomic_write(target, text=True) as stream:
            stream.write("newer")
            raise error

    with pytest.raises(type(error)):
        write_and_fail()
    assert (target.read_text(), names_in(tmp_path)) == ("older", ["report.txt"])


def test_an_unwritable_folder_is_named_by_the_file_asked_for(tmp_path: Path) -> None:
    target = tmp_path / "absent" / "batch.proof"
    with pytest.raises(CommandFailed) as caught, one_line_errors(), atomic_write(target):
        pytest.fail("the block must not start")
    assert caught.value.message == f"{target}: no such file or directory"


def test_a_full_disk_is_named_by_the_file_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    target = tmp_path / "batch.proof"
    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(CommandFailed) as caught, one_line_errors(), atomic_write(target) as stream:
        stream.write(b"proof")
    assert caught.value.message == f"{target}: no space left on device"
    assert (caught.value.exit_code, names_in(tmp_path)) == (ExitCode.USAGE, [])


def test_an_error_that_no_system_gave_names_the_file_too() -> None:
    with pytest.raises(CommandFailed) as caught, one_line_errors(), naming("chart.png"):
        raise OSError("encoder error -2 when writing image file")
    assert caught.value.message == "chart.png: encoder error -2 when writing image file"


class Terminal(io.StringIO):
    """A stderr that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "is_drawn"), [(Terminal(), True), (io.StringIO(), False)])
def test_progress_is_drawn_only_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, is_drawn: bool
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    with progress("sumcheck", 4) as advance:
        advance(3)
        advance(1)
    assert ("sumcheck" in stream.getvalue()) is is_drawn
    assert bool(stream.getvalue()) is is_drawn
