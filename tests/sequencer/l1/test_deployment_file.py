"""Deployment files: one form, read back whole, every other form refused by field."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from circuits.field import R
from sequencer.l1 import deployment_file
from sequencer.l1.abi import SHIPPED_ARTIFACTS
from sequencer.l1.deploy import Deployment, VerifierPlan
from sequencer.l1.errors import InputRefused


def address(number: int) -> str:
    return f"0x{number:040x}"


DEPLOYMENT = Deployment(
    chain_id=31337,
    first_block=4,
    token=address(1),
    custody=address(2),
    queue=address(3),
    verifier=address(4),
    verifier_parts=(address(5), address(6)),
    settlement=address(7),
    sequencer=address(8),
    sequencer_epoch=1,
    genesis_root=9,
    key_digest=bytes(range(32)),
    gas_used={},
    verifier_plan=VerifierPlan("VerifierS", True, ("Constraints0", "Constraints1")),
)


def written(path: Path, **changes: object) -> Path:
    document = json.loads(deployment_file.to_json(DEPLOYMENT)) | changes
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deployment.json"


@pytest.mark.parametrize(
    "deployment",
    [
        DEPLOYMENT,
        replace(DEPLOYMENT, verifier_plan=VerifierPlan("V", False), verifier_parts=()),
    ],
)
def test_what_is_saved_is_loaded(path: Path, deployment: Deployment) -> None:
    deployment_file.save(path, deployment)
    assert deployment_file.load(path) == deployment
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_the_gas_of_the_deployment_is_not_kept(path: Path) -> None:
    deployment_file.save(path, replace(DEPLOYMENT, gas_used={"Custody": 7}))
    assert deployment_file.load(path) == DEPLOYMENT


def test_the_verifier_s_artifacts_are_named_by_the_reader(path: Path, tmp_path: Path) -> None:
    deployment_file.save(path, DEPLOYMENT)
    assert deployment_file.load(path, tmp_path).verifier_plan.artifacts == tmp_path
    assert deployment_file.load(path).verifier_plan.artifacts == SHIPPED_ARTIFACTS


BAD_FIELDS: dict[str, list[Any]] = {
    "format": ["plasmaperps-statement", None],
    "version": [2, True, "1"],
    "chain_id": [-1, 2**64, "31337", True, 1.0],
    "first_block": [-1, None],
    "sequencer_epoch": [2**64, []],
    "token": ["0x1", address(1).upper(), 1],
    "custody": [address(2)[2:]],
    "queue": [None],
    "settlement": [address(7) + "0"],
    "verifier": ["0x" + "g" * 40],
    "sequencer": ["0x" + "A" * 40],
    "verifier_contract": ["../VerifierS", "", "Verifier S", 5, "V" * 65],
    "verifier_parts": [[address(5)], {"../x": address(5)}, None],
    "key_digest": ["00", "0x" + "00" * 31, "AB" * 32],
    "insecure": [1, "true", None],
    "genesis_root": ["9", "0x09", hex(R), 9],
}
CASES = [(name, value) for name, values in BAD_FIELDS.items() for value in values]


@pytest.mark.parametrize(("name", "value"), CASES)
def test_a_wrong_field_is_named(path: Path, name: str, value: object) -> None:
    written(path, **{name: value})
    with pytest.raises(InputRefused) as caught:
        deployment_file.load(path)
    assert str(caught.value).startswith(f"{path}: field '{name}': expected ")


def test_a_wrong_part_is_named(path: Path) -> None:
    written(path, verifier_parts={"Constraints0": "0x5"})
    with pytest.raises(
        InputRefused, match=r"field 'verifier_parts.Constraints0': expected an addr"
    ):
        deployment_file.load(path)


@pytest.mark.parametrize("name", json.loads(deployment_file.to_json(DEPLOYMENT)))
def test_a_missing_field_is_named(path: Path, name: str) -> None:
    document = json.loads(deployment_file.to_json(DEPLOYMENT))
    del document[name]
    path.write_text(json.dumps(document, indent=1) + "\n")
    with pytest.raises(InputRefused) as caught:
        deployment_file.load(path)
    if name == "domain":  # derived from two other fields, so it is compared as text
        assert "the one form that `op deploy` writes" in str(caught.value)
    else:
        assert str(caught.value) == f"{path}: field '{name}': expected the field, got nothing"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('"token"', '"note": 1,\n "token"'),
        lambda text: text.replace(' "token"', ' "chain_id": 31337,\n "token"'),
        lambda text: text.replace("0x70000000000007a69", "0x80000000000007a69"),
        lambda text: text.replace("\n ", "\n  "),
        lambda text: text.rstrip("\n"),
    ],
)
def test_only_the_one_form_is_read(path: Path, change: Callable[[str], str]) -> None:
    text = deployment_file.to_json(DEPLOYMENT)
    assert change(text) != text
    path.write_text(change(text))
    with pytest.raises(InputRefused, match="expected the one form that `op deploy` writes, got "):
        deployment_file.load(path)


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "{" * 99, '"\xff"'])
def test_another_text_is_refused(path: Path, text: str) -> None:
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputRefused) as caught:
        deployment_file.load(path)
    assert str(caught.value).startswith(f"{path}: expected a ")
