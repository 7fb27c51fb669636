"""Running a test file once more with other field kernels than this process chose."""

from __future__ import annotations

import os
import subprocess
import sys

from prover.kernel_choice import VARIABLE, Kernels


def run_with(kernels: Kernels, path: str, *arguments: str) -> None:
    """The fast tests of a file in a process of their own, which must all pass."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            path,
            "-m",
            "not slow",
            *arguments,
        ],
        env=os.environ | {VARIABLE: kernels},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
