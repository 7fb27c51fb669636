"""Artifacts: what they must say, and how reverts turn into typed errors."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from eth_abi import encode
from eth_hash.auto import keccak

from sequencer.l1.abi import SHIPPED_ARTIFACTS, load_artifact, rejection
from sequencer.l1.errors import L1Error, L1Rejected, L1Reverted
from sequencer.l1.port import LOCAL_CHAIN_IDS

ROOT = Path(__file__).resolve().parents[3]
CODE_SIZE_LIMIT = 24_576
NAMES = sorted(path.stem for path in SHIPPED_ARTIFACTS.glob("*.json"))


def test_the_contracts_of_the_venue_are_shipped() -> None:
    assert {"Custody", "Queue", "Settlement", "TestToken"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_artifact_states_compiler_settings_and_a_deployable_size(name: str) -> None:
    text = (SHIPPED_ARTIFACTS / f"{name}.json").read_text()
    content = json.loads(text)
    manifest = json.loads((ROOT / "contracts" / "package.json").read_text())
    assert content["compiler"].startswith(manifest["devDependencies"]["solc"] + "+")
    assert content["settings"]["evmVersion"] == "prague"
    assert content["settings"]["metadata"]["bytecodeHash"] == "none"
    assert 0 < content["deployedBytecodeSize"] <= CODE_SIZE_LIMIT
    assert re.fullmatch("[0-9a-f]{64}", content["sourcesSha256"])
    assert "/" not in text
    assert load_artifact(name).name == name


def test_a_missing_artifact_is_one_clear_error() -> None:
    with pytest.raises(L1Error, match=r"Nothing\.json: expected a compiled contract"):
        load_artifact("Nothing")


def test_the_local_chains_are_the_same_in_python_and_solidity() -> None:
    source = (ROOT / "contracts" / "src" / "Settlement.sol").read_text()
    found = re.findall(r"block\.chainid == (\d+)", source)
    assert {int(number) for number in found} == LOCAL_CHAIN_IDS


def revert(signature: str, *values: object) -> L1Reverted:
    types = re.findall(r"[\w\[\]]+", signature.split("(", 1)[1])
    return L1Reverted(keccak(signature.encode())[:4] + encode(types, values))


def test_custom_errors_keep_names_and_values() -> None:
    error = rejection(revert("WordNotCanonical(uint256,uint256)", 3, 2**256 - 1))
    assert isinstance(error, L1Rejected)
    assert error.error_name == "WordNotCanonical"
    assert error.arguments == {"index": 3, "got": 2**256 - 1}
    assert str(error) == f"WordNotCanonical(index=3, got={2**256 - 1})"


def test_solidity_s_own_errors_are_decoded() -> None:
    assert str(rejection(revert("Error(string)", "no"))) == "Error(message=no)"
    assert str(rejection(revert("Panic(uint256)", 17))) == "Panic(code=17)"


@pytest.mark.parametrize("data", [b"", b"\x01\x02\x03\x04", keccak(b"Error(string)")[:4]])
def test_unknown_revert_data_stays_as_it_is(data: bytes) -> None:
    reverted = L1Reverted(data, "out of gas")
    assert rejection(reverted) is reverted
    assert str(reverted) == f"reverted with 0x{data.hex()} out of gas"


def test_an_output_that_is_not_what_the_abi_says_is_an_error() -> None:
    with pytest.raises(L1Error, match=r"Settlement\.root: output not as its ABI says"):
        load_artifact("Settlement").output("root", b"")
