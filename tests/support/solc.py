"""The project's Solidity compiler as a running process, for code that tests generate."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
GENERATED = "contracts/src/generated"
MISSING_REASON = "solc is not installed: run `make setup` with node and npm"

Sources = dict[str, str]


def solc_is_missing() -> bool:
    """True where `make setup` has not installed the compiler; never in continuous integration."""
    if os.environ.get("CI") == "true":
        return False
    return shutil.which("node") is None or not (CONTRACTS / "node_modules" / "solc").exists()


def written_sources() -> Sources:
    """All sources of contracts/src but the generated ones, by the names that the compiler uses."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text()
        for path in sorted((CONTRACTS / "src").rglob("*.sol"))
        if not path.is_relative_to(ROOT / GENERATED)
    }


def generated_sources(files: Mapping[str, str]) -> Sources:
    """Rendered files under the names that they would have in contracts/src."""
    return {f"{GENERATED}/{name}": text for name, text in files.items()}


class CompilerRefused(Exception):
    """The compiler's own words."""


class Solc:
    """`compile.mjs --serve`: the settings and the limits of the committed artifacts."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def compile(self, sources: Sources, contracts: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        """Artifact of each contract, given as name -> source file.

        Raises: CompilerRefused for an error, a warning or too much code.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"sources": sources, "contracts": dict(contracts)}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "problem" in answer:
            raise CompilerRefused(answer["problem"])
        return {artifact["contract"]: artifact for artifact in answer["artifacts"]}

    def compile_files(self, files: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        """Artifacts of rendered files, each with one contract of the file's name."""
        contracts = {name.removesuffix(".sol"): f"{GENERATED}/{name}" for name in files}
        return self.compile(written_sources() | generated_sources(files), contracts)


@contextmanager
def running_solc() -> Iterator[Solc]:
    """Start the compiler and stop it afterwards."""
    command = ["node", str(CONTRACTS / "compile.mjs"), "--serve"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Solc(process)
        finally:
            process.terminate()


def write_artifacts(artifacts: Mapping[str, dict[str, Any]], folder: Path) -> None:
    """Files as compile.mjs leaves them, for whoever loads artifacts from a folder."""
    for name, artifact in artifacts.items():
        (folder / f"{name}.json").write_text(json.dumps(artifact))
