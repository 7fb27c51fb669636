"""Which contracts belong to a key, and in which order they come to be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sequencer.deploying import contract_count, deploy_for_key, verifier_plan
from sequencer.errors import BatchError
from sequencer.l1 import devkeys
from sequencer.l1.deploy import settlement_address
from sequencer.proving import packaged_key
from tests.contracts.support.venue import embedded

DEPLOYER, SEQUENCER = devkeys.deployer(), devkeys.sequencer()


@pytest.mark.parametrize("with_token", [True, False])
def test_addresses_and_counts_are_known_before(with_token: bool) -> None:
    key, l1 = packaged_key("S"), embedded()
    token = None
    if not with_token:
        token = deploy_for_key(l1, DEPLOYER, key, sequencer=SEQUENCER.address).token
    nonce = l1.nonce(DEPLOYER.address)
    plan = verifier_plan(key)
    steps: list[int] = []
    deployment = deploy_for_key(
        l1, DEPLOYER, key, sequencer=SEQUENCER.address, token=token, advance=steps.append
    )
    expected = settlement_address(DEPLOYER.address, nonce, plan, with_token)
    assert deployment.settlement == expected
    assert sum(steps) == contract_count(plan, with_token) == len(deployment.gas_used)
    assert l1.nonce(DEPLOYER.address) == nonce + sum(steps)


def test_a_contract_of_another_key_costs_nothing() -> None:
    packaged, l1 = packaged_key("S"), embedded()
    key = replace(packaged, setup=replace(packaged.setup, source_hash=bytes(32)))
    with pytest.raises(BatchError, match=r"^key digest of contract VerifierS: expected "):
        deploy_for_key(l1, DEPLOYER, key, sequencer=SEQUENCER.address)
    assert l1.nonce(DEPLOYER.address) == 0
