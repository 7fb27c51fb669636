"""A deployment compared with a chain: every contract's code, every fixed setting."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from sequencer.l1.abi import load_artifact
from sequencer.l1.contracts import Rollup
from sequencer.l1.deploy import Deployment
from sequencer.l1.deployment_check import PLACEHOLDER, check_on_chain
from sequencer.l1.errors import NotAsDeployed
from sequencer.l1.port import L1, ZERO_ADDRESS
from sequencer.proving import packaged_key
from sequencer.venue import open_venue
from tests.contracts.support.venue import ALICE, deployed, embedded

STRANGER = "0x" + "5e" * 20


@dataclass(frozen=True)
class OtherCode:
    """The chain behind it, but with other code at one address."""

    l1: L1
    address: str
    changed: bytes

    @property
    def chain_id(self) -> int:
        return self.l1.chain_id

    def code(self, address: str) -> bytes:
        return self.changed if address == self.address else self.l1.code(address)

    def call(self, to: str, data: bytes, sender: str = ZERO_ADDRESS) -> bytes:
        return self.l1.call(to, data, sender)


@pytest.fixture(scope="module")
def rollup() -> Rollup:
    """A venue of the packaged key."""
    return open_venue(embedded(), packaged_key("S"))


def refusal(l1: object, deployment: Deployment) -> str:
    with pytest.raises(NotAsDeployed) as caught:
        check_on_chain(l1, deployment)  # type: ignore[arg-type]
    return str(caught.value)


def test_what_was_deployed_is_there(rollup: Rollup) -> None:
    check_on_chain(rollup.l1, rollup.deployment)


def test_a_verifier_without_parts(rollup: Rollup) -> None:
    simple = deployed(embedded())
    check_on_chain(simple.l1, simple.deployment)


def test_another_chain(rollup: Rollup) -> None:
    other = replace(rollup.deployment, chain_id=1337)
    assert refusal(rollup.l1, other) == "chain id: expected 1337 (deployment file), got 31337"


@pytest.mark.parametrize("name", ["custody", "queue", "settlement", "verifier"])
def test_an_address_without_code(rollup: Rollup, name: str) -> None:
    text = refusal(rollup.l1, replace(rollup.deployment, **{name: STRANGER}))
    assert "expected its code, got no code" in text or "expected the code of its artifact" in text


def test_a_token_without_code(rollup: Rollup) -> None:
    text = refusal(rollup.l1, replace(rollup.deployment, token=STRANGER))
    assert text == f"token {STRANGER}: expected a contract, got no code"


def contracts(deployment: Deployment) -> dict[str, str]:
    return {
        "Custody": deployment.custody,
        "Queue": deployment.queue,
        "Settlement": deployment.settlement,
        "VerifierS": deployment.verifier,
        "Constraints0": deployment.verifier_parts[0],
        "Constraints1": deployment.verifier_parts[1],
    }


@pytest.mark.parametrize(
    "name", ["Custody", "Queue", "Settlement", "VerifierS", "Constraints0", "Constraints1"]
)
def test_one_changed_byte_of_any_contract(rollup: Rollup, name: str) -> None:
    address = contracts(rollup.deployment)[name]
    code = bytearray(rollup.l1.code(address))
    code[len(code) // 2] ^= 1
    text = refusal(OtherCode(rollup.l1, address, bytes(code)), rollup.deployment)
    assert text.startswith(f"{name} at {address}: expected the code of its artifact, got another")
    text = refusal(OtherCode(rollup.l1, address, bytes(code[:-1])), rollup.deployment)
    assert text == f"{name} at {address}: expected {len(code)} bytes of code, got {len(code) - 1}"


def test_an_immutable_that_is_no_setting_of_the_venue(rollup: Rollup) -> None:
    artifact, address = load_artifact("Custody"), rollup.deployment.custody
    template = artifact.bytecode[-artifact.code_size :]
    last_byte = template.find(PLACEHOLDER) + len(PLACEHOLDER) - 1
    code = bytearray(rollup.l1.code(address))
    code[last_byte] ^= 1
    text = refusal(OtherCode(rollup.l1, address, bytes(code)), rollup.deployment)
    assert text.startswith(f"Custody at {address}: expected the code of its artifact")


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"sequencer_epoch": 2}, "Settlement at "),
        ({"sequencer": ALICE.address}, "Settlement at "),
        ({"key_digest": bytes(32)}, "VerifierS.keyDigest() at "),
    ],
)
def test_other_settings(rollup: Rollup, changes: dict[str, object], place: str) -> None:
    changed = replace(rollup.deployment, **changes)  # type: ignore[arg-type]
    assert refusal(rollup.l1, changed).startswith(place)


def test_settings_in_each_other_s_place(rollup: Rollup) -> None:
    """All addresses are of the venue, so only the contracts' answers tell."""
    first, second = rollup.deployment.verifier_parts
    plan = rollup.deployment.verifier_plan
    swapped = replace(
        rollup.deployment,
        verifier_parts=(second, first),
        verifier_plan=replace(plan, parts=plan.parts[::-1]),
    )
    text = refusal(rollup.l1, swapped)
    verifier = rollup.deployment.verifier
    assert text.startswith(f"VerifierS.parts() at {verifier}: expected ('{second}', '{first}')")


def test_a_key_that_is_less_secure_than_the_file_says(rollup: Rollup) -> None:
    plan = replace(rollup.deployment.verifier_plan, insecure=False)
    text = refusal(rollup.l1, replace(rollup.deployment, verifier_plan=plan))
    assert text.startswith("VerifierS.insecure() at ")
    assert text.endswith("expected False, got True")
