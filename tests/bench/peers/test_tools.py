"""Programs that are timed, and one line for each way in which they cannot run."""

import sys

import pytest

from bench.peers import tools
from circuits.cli_support import CommandFailed, ExitCode


def refusal(action, *arguments) -> str:
    with pytest.raises(CommandFailed) as caught:
        action(*arguments)
    assert caught.value.exit_code == ExitCode.USAGE
    return caught.value.message


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_program_is_measured_with_the_processes_it_starts():
    busy = "sum(range(3_000_000))"
    inner = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}])"
    done = tools.run(python(f"{inner}; print('done')"))
    assert done.output == "done\n"
    own = tools.run(python("import subprocess"))
    assert done.core_seconds > own.core_seconds
    assert done.seconds > 0


def test_a_program_sees_the_environment_it_is_given():
    code = "import os; print(os.environ['BENCH_PEERS_WORD'])"
    assert tools.run(python(code), {"BENCH_PEERS_WORD": "seen"}).output == "seen\n"


def test_a_failure_names_status_and_last_line():
    code = "import sys; print('first'); print('the reason', file=sys.stderr); sys.exit(3)"
    name = tools.Path(sys.executable).name
    expected = f"{name}: expected exit status 0, got 3: the reason"
    assert refusal(tools.run, python(code)) == expected


@pytest.mark.parametrize(
    ("signal_name", "reason"),
    [
        ("SIGKILL", "killed, most likely for its memory: take fewer trades"),
        ("SIGTERM", "signal 15"),
    ],
)
def test_a_killed_program_is_told_apart(signal_name, reason):
    code = f"import os, signal; os.kill(os.getpid(), signal.{signal_name})"
    assert refusal(tools.run, python(code)).endswith(f"expected exit status 0, got {reason}")


def test_a_program_that_is_not_there_is_one_line(tmp_path):
    message = refusal(tools.run, [tmp_path / "absent"])
    expected = "a program that starts on this system"
    assert message == f"absent: expected {expected}, got no such file or directory"


def test_missing_packages_and_a_missing_node_are_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(tools, "PACKAGES", tmp_path)
    (tmp_path / "present").mkdir()
    monkeypatch.setattr(tools.shutil, "which", lambda _: "node")
    tools.require_packages("present")
    place = "bench/peers/node_modules/absent"
    expected = f"{place}: expected an installed package, got none: run `make bench-peers`"
    assert refusal(tools.require_packages, "present", "absent") == expected
    monkeypatch.setattr(tools.shutil, "which", lambda _: None)
    wanted = "node: expected node 20 or newer, got none; on Debian: apt-get install nodejs npm"
    assert refusal(tools.require_packages, "present") == wanted


def test_too_little_memory_is_one_line(monkeypatch):
    monkeypatch.setattr(tools, "available_mib", lambda: 100)
    tools.require_memory("30 trades", 100)
    message = refusal(tools.require_memory, "30 trades", 101)
    assert message == "30 trades: expected 101 MiB of free memory, got 100 MiB: take fewer trades"
    monkeypatch.setattr(tools, "available_mib", lambda: None)
    tools.require_memory("30 trades", 1 << 40)


def test_this_machine_has_cores_and_a_name():
    found = tools.this_machine()
    assert found.cores >= 1
    assert found.processor
    assert found.load_at_start >= 0
