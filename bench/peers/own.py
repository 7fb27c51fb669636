"""This project's side of a comparison: the last line of `plasmaperps prover bench yardstick`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.peers.report import OWN, Measurement
from bench.peers.tools import ROOT, run
from circuits.cli_support import CommandFailed, ExitCode, bad_input

COMMAND = "prover bench yardstick"


def prove(trades: int, threads: int) -> Measurement:
    """Run the yardstick once on this project's prover, in a process of its own.

    Raises: CommandFailed when it fails or its proof does not verify.
    """
    arguments = ["--trades", str(trades), "--threads", str(threads), "--repeat", "1", "--json"]
    command = [sys.executable, "-m", "sequencer.cli", *COMMAND.split(), *arguments]
    output = run(command, folder=ROOT, keeps_exit_code=True).output
    return parse(output.strip().rpartition("\n")[2], COMMAND)


def parse(line: str, place: str) -> Measurement:
    """Read one object of `--json`. Raises: CommandFailed for another content or no valid proof."""
    try:
        found = json.loads(line)
        trades, threads = int(found["size"]), int(found["threads"])
        core_ms, per_second = float(found["core_ms_per_unit"]), float(found["units_per_second"])
        kernels, peak_mib = str(found["kernels"]), float(found["peak_mib"])
        start_core_seconds = float(found["start_core_seconds"])
        verified = found["verified"] is True
        if min(trades, threads) < 1 or not (core_ms > 0 and per_second > 0):
            raise ValueError
        if (found["job"], found["executor"]) != ("yardstick", "inline"):
            raise ValueError
    except (ValueError, LookupError, TypeError):
        expected = "the object of a yardstick's --json"
        raise bad_input(place, "result", expected, repr(line[:80])) from None
    if not verified:
        message = f"{place}: expected a proof that verifies, got {found['verified']}"
        raise CommandFailed(message, ExitCode.VERIFICATION_FAILED)
    return Measurement(
        prover=OWN, variant=kernels, trades=trades, threads=threads,
        seconds=trades / per_second, core_seconds=trades * core_ms / 1000, rows=0, log_size=0,
        proof_bytes=0, peak_mib=peak_mib, verified=True, start_core_seconds=start_core_seconds,
    )  # fmt: skip


def load(path: Path) -> list[Measurement]:
    """Measurements made before: what `prover bench yardstick --json` has printed, once or more.

    Raises: CommandFailed for a file without an object, or with one that is something else.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [
        parse(line, f"{path}: line {number}")
        for number, line in enumerate(lines, 1)
        if line.startswith("{")
    ]
    if not found:
        raise bad_input(path, "result", "a line with the object of --json", "none")
    return found
