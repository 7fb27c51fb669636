"""Deployment: repeatable addresses, split verifiers, and the guard of development keys."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from eth._utils.address import generate_contract_address

from sequencer.l1 import devkeys
from sequencer.l1.contracts import Rollup
from sequencer.l1.deploy import VerifierPlan, created_address, numbered_parts, refuse_insecure
from sequencer.l1.embedded import EmbeddedL1
from sequencer.l1.errors import InsecureKeyRefused, L1Error, L1Rejected
from tests.contracts.support.venue import (
    ACCEPT_ALL,
    ARTIFACTS,
    GENESIS_ROOT,
    GENESIS_TIME_S,
    deployed,
    embedded,
)

SPLIT = VerifierPlan(
    insecure=False,
    contract="SplitVerifier",
    parts=("SplitPart0", "SplitPart1"),
    artifacts=ARTIFACTS,
)


def test_two_fresh_chains_give_the_same_deployment() -> None:
    first, second = (deployed(embedded()).deployment for _ in range(2))
    assert first == second
    assert first.domain == 31337 + (int(first.settlement, 16) << 64)
    assert first.genesis_root == GENESIS_ROOT


@pytest.mark.parametrize("plan", [ACCEPT_ALL, SPLIT])
def test_every_contract_is_where_the_others_look_for_it(plan: VerifierPlan) -> None:
    rollup = deployed(embedded(), plan)
    deployment = rollup.deployment
    addresses = (
        deployment.token, deployment.custody, deployment.queue, deployment.verifier,
        deployment.settlement, *deployment.verifier_parts,
    )  # fmt: skip
    assert len(set(addresses)) == len(addresses) == 5 + len(plan.parts)
    assert all(rollup.l1.code(address) for address in addresses)
    assert deployment.key_digest == plan_digest(plan)
    assert deployment.gas_used.keys() >= {"TestToken", "Custody", "Queue", "Settlement"}


def plan_digest(plan: VerifierPlan) -> bytes:
    return (0x5911 if plan is SPLIT else 0xACCE97).to_bytes(32, "big")


def test_the_parts_reach_the_verifier_in_order() -> None:
    deployed(embedded(), SPLIT).verify([], [], b"")
    swapped = dataclasses.replace(SPLIT, parts=SPLIT.parts[::-1])
    with pytest.raises(L1Rejected) as caught:
        deployed(embedded(), swapped).verify([], [], b"")
    assert str(caught.value) == "UnexpectedPart(index=0, got=11)"


def test_numbered_parts_stop_at_the_first_gap(tmp_path: Path) -> None:
    for number in (0, 1, 3):
        (tmp_path / f"Constraints{number}.json").write_text("{}")
    assert numbered_parts("Constraints", tmp_path) == ("Constraints0", "Constraints1")
    assert numbered_parts("SplitPart", ARTIFACTS) == ("SplitPart0", "SplitPart1")


@pytest.mark.parametrize("chain_id", [1, 10, 31338, 2**64 - 1])
def test_a_development_key_is_refused_before_anything_is_sent(chain_id: int) -> None:
    l1 = EmbeddedL1(genesis_time_s=GENESIS_TIME_S, chain_id=chain_id)
    with pytest.raises(InsecureKeyRefused) as caught:
        deployed(l1)
    assert str(caught.value) == (
        "verifying key is marked insecure (its setup secret is known): "
        f"expected a local chain id (1337, 31337), got chain id {chain_id}"
    )
    assert l1.nonce(devkeys.deployer().address) == 0


@pytest.mark.parametrize(("chain_id", "insecure"), [(1337, True), (31337, True), (1, False)])
def test_other_keys_and_local_chains_pass(chain_id: int, insecure: bool) -> None:
    refuse_insecure(chain_id, insecure)


@pytest.mark.parametrize("plan", [ACCEPT_ALL, SPLIT])
def test_the_verifier_must_agree_on_how_secure_the_key_is(plan: VerifierPlan) -> None:
    lie = dataclasses.replace(plan, insecure=not plan.insecure)
    with pytest.raises(L1Error, match=r"insecure\(\): expected .* from the verifying key, got"):
        deployed(embedded(), lie)


@pytest.mark.parametrize(
    ("nonce", "address"),
    [
        (0, "0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"),
        (1, "0x343c43a37d37dff08ae8c4a11544c718abb4fcf8"),
        (2, "0xf778b86fa74e846c4f0a1fbd1335fe81c00a0c91"),
    ],
)
def test_created_addresses_as_published(nonce: int, address: str) -> None:
    """Source: the example of the Ethereum Stack Exchange answer on CREATE addresses."""
    assert created_address("0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0", nonce) == address


@pytest.mark.parametrize("nonce", [1, 0x7F, 0x80, 0xFF, 0x100, 0x10000])
def test_created_addresses_agree_with_a_library(nonce: int) -> None:
    signer = devkeys.deployer().address
    library = generate_contract_address(bytes.fromhex(signer[2:]), nonce)
    assert created_address(signer, nonce) == "0x" + library.hex()


def test_a_rollup_is_a_view_of_a_deployment() -> None:
    rollup = deployed(embedded())
    assert Rollup(rollup.l1, rollup.deployment).settlement_state().root == GENESIS_ROOT
