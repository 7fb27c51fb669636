"""compile.mjs: what it refuses, and that code handed to it is compiled as what is committed."""

from __future__ import annotations

import json
import subprocess

import pytest

from sequencer.l1.abi import SHIPPED_ARTIFACTS
from tests.support.solc import (
    CONTRACTS,
    GENERATED,
    MISSING_REASON,
    ROOT,
    CompilerRefused,
    Solc,
    solc_is_missing,
    written_sources,
)

pytestmark = pytest.mark.skipif(solc_is_missing(), reason=MISSING_REASON)

HEAD = "// SPDX-License-Identifier: Apache-2.0\npragma solidity 0.8.37;\n"
CODE_BYTES_MAX = 24_576


def compile_body(solc: Solc, body: str, before: str = "") -> dict[str, object]:
    text = f"{HEAD}{before}contract Tried {{ {body} }}\n"
    return solc.compile({"Tried.sol": text}, {"Tried": "Tried.sol"})["Tried"]


@pytest.mark.parametrize("name", ["Constraints0", "VerifierS"])
def test_served_artifacts_are_the_committed_ones(solc: Solc, name: str) -> None:
    file = f"{GENERATED}/{name}.sol"
    sources = written_sources() | {file: (ROOT / file).read_text()}
    found = solc.compile(sources, {name: file})[name]
    committed = json.loads((SHIPPED_ARTIFACTS / f"{name}.json").read_text())
    # The digest is of all sources handed over, and this hands over more than the imported ones.
    assert found | {"sourcesSha256": ""} == committed | {"sourcesSha256": ""}


@pytest.mark.parametrize(
    ("body", "before", "message"),
    [
        ("function f( ", "", "ParserError"),
        ("function f() external pure { uint256 a; }", "", "Warning: Unused local variable"),
        ("function f() external pure returns (uint256) { return L.g(); }",
         "library L { function g() external pure returns (uint256) { return 1; } }\n",
         "Tried: expected internal libraries only"),
        ("bytes public constant data = hex\"" + "ab" * CODE_BYTES_MAX + "\";", "",
         f"Warning: Contract code size is [0-9]+ bytes and exceeds {CODE_BYTES_MAX} bytes"),
    ],
)  # fmt: skip
def test_errors_warnings_links_and_too_much_code_are_refused(
    solc: Solc, body: str, before: str, message: str
) -> None:
    with pytest.raises(CompilerRefused, match=message):
        compile_body(solc, body, before)
    assert compile_body(solc, "")["contract"] == "Tried"


@pytest.mark.parametrize("arguments", [["--other"], ["--check", "--serve"]])
def test_unknown_arguments_are_refused(arguments: list[str]) -> None:
    command = ["node", str(CONTRACTS / "compile.mjs"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    expected = f"expected no argument, --check or --serve, got {','.join(arguments)}"
    assert done.stderr == f"compile: {expected}\n"
