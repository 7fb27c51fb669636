"""What both peers need of the machine: installed packages, memory, and programs that are timed."""

from __future__ import annotations

import json
import os
import platform
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from circuits.cli_support import CommandFailed, ExitCode

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PACKAGES = HERE / "node_modules"
# Where an older load average would still spoil a measurement.
_IDLE_LOAD = 0.3
_MESSAGE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that ended well. Units: seconds of wall clock, and of all its cores together."""

    output: str
    seconds: float
    core_seconds: float


@dataclass(frozen=True, slots=True)
class Machine:
    """What a reader must know of the machine that figures come from."""

    processor: str
    cores: int
    has_ifma: bool
    load_at_start: float

    @property
    def is_idle(self) -> bool:
        return self.load_at_start <= _IDLE_LOAD


def this_machine() -> Machine:
    """The machine this runs on; parts that the system does not tell are "unknown" or False."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    fields = dict(_split_field(line) for line in text.splitlines() if ":" in line)
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    processor = fields.get("model name") or platform.machine() or "unknown"
    has_ifma = "avx512ifma" in fields.get("flags", "").split()
    return Machine(processor, cores, has_ifma, round(os.getloadavg()[0], 2))


def _split_field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def require_packages(*names: str) -> None:
    """Raises: CommandFailed unless node and these packages of package-lock.json are installed."""
    if shutil.which("node") is None:
        raise _unusable("node", "node 20 or newer", "none; on Debian: apt-get install nodejs npm")
    for name in names:
        if not (PACKAGES / name).is_dir():
            place = f"bench/peers/node_modules/{name}"
            raise _unusable(place, "an installed package", "none: run `make bench-peers`")


def package_version(name: str) -> str:
    """The version of an installed package."""
    return str(
        json.loads((PACKAGES / name / "package.json").read_text(encoding="utf-8"))["version"]
    )


def require_memory(what: str, needed_mib: int) -> None:
    """Raises: CommandFailed when the system has less memory left than a program will take."""
    available = available_mib()
    if available is not None and available < needed_mib:
        raise _unusable(
            what, f"{needed_mib} MiB of free memory", f"{available} MiB: take fewer trades"
        )


def available_mib() -> int | None:
    """Memory that programs can still take, or None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    fields = dict(_split_field(line) for line in lines if ":" in line)
    words = fields.get("MemAvailable", "").split()
    return int(words[0]) // 1024 if words else None


def own_peak_mib() -> float:
    """The most memory that this process has held."""
    unit = 1 << (20 if sys.platform == "darwin" else 10)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def run(
    arguments: Sequence[str | Path],
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    *,
    keeps_exit_code: bool = False,
) -> Finished:
    """Run a program to its end and measure it with all processes that it started.

    `output` is what it wrote to stdout and stderr. Raises: CommandFailed with the last line of the
    output for any other end than exit status 0; a program of this project hands on its exit code.
    """
    name = Path(arguments[0]).name
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        try:
            child = subprocess.Popen(
                [os.fspath(argument) for argument in arguments],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})}, cwd=folder,
            )  # fmt: skip
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise _unusable(name, "a program that starts on this system", reason) from None
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            child.kill()
            child.wait()
            raise
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode("utf-8", errors="replace")
    if child.returncode:
        failure = _unusable(name, "exit status 0", _reason(child.returncode, text))
        if keeps_exit_code and child.returncode in set(ExitCode):
            failure.exit_code = child.returncode  # type: ignore[misc]  # click reads the instance
        raise failure
    return Finished(text, seconds, usage.ru_utime + usage.ru_stime)


def pinned(arguments: Sequence[str | Path], cores: int) -> list[str | Path]:
    """The same program, held on the first `cores` of the cores it may use; 0 stands for all.

    For programs that choose their number of threads themselves.
    Raises: CommandFailed where the system has no `taskset` and a part of the cores is asked for.
    """
    if sys.platform == "linux":
        allowed = sorted(os.sched_getaffinity(0))
    else:
        allowed = list(range(os.cpu_count() or 1))
    if cores in (0, len(allowed)):
        return list(arguments)
    if shutil.which("taskset") is None:
        raise _unusable("taskset", "a program to choose cores with", "none: take all cores")
    return ["taskset", "--cpu-list", ",".join(map(str, allowed[:cores])), *arguments]


def _reason(exit_code: int, text: str) -> str:
    if exit_code == -signal.SIGKILL:
        return "killed, most likely for its memory: take fewer trades"
    if exit_code < 0:
        return f"signal {-exit_code}"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"{exit_code}: {lines[-1][:_MESSAGE_LENGTH]}" if lines else str(exit_code)


def _unusable(place: str, expected: str, got: str) -> CommandFailed:
    return CommandFailed(f"{place}: expected {expected}, got {got}", ExitCode.USAGE)
