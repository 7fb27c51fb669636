"""EmbeddedL1: its clock, its gas cap, and refusals that leave no trace."""

from __future__ import annotations

import pytest

from sequencer.l1 import devkeys
from sequencer.l1.abi import load_artifact
from sequencer.l1.embedded import EmbeddedL1
from sequencer.l1.errors import GasLimitAboveCap, L1Error, L1Reverted
from sequencer.l1.port import TRANSACTION_GAS_CAP
from tests.contracts.support.venue import ALICE, GENESIS_TIME_S, embedded

TOKEN = load_artifact("TestToken")


def test_a_block_follows_one_second_after_the_last_whatever_the_machine_s_clock() -> None:
    l1 = embedded()
    assert l1.time_s() == GENESIS_TIME_S
    l1.send(ALICE, None, TOKEN.creation())
    assert l1.time_s() == GENESIS_TIME_S + 1
    l1.set_time_s(GENESIS_TIME_S + 3_600)
    assert l1.time_s() == GENESIS_TIME_S + 3_600
    l1.send(ALICE, None, TOKEN.creation())
    assert l1.time_s() == GENESIS_TIME_S + 3_601


@pytest.mark.parametrize("step_s", [0, -1])
def test_time_only_moves_forward(step_s: int) -> None:
    l1 = embedded()
    with pytest.raises(L1Error, match=r"block time: expected after \d+ s, got"):
        l1.set_time_s(GENESIS_TIME_S + step_s)


def test_the_gas_limit_of_a_transaction_is_capped_as_on_osaka() -> None:
    l1 = embedded()
    l1.send(ALICE, None, TOKEN.creation(), gas_limit=TRANSACTION_GAS_CAP)
    with pytest.raises(GasLimitAboveCap) as caught:
        l1.send(ALICE, None, TOKEN.creation(), gas_limit=TRANSACTION_GAS_CAP + 1)
    assert str(caught.value) == "gas limit: expected at most 16777216, got 16777217"
    assert l1.nonce(ALICE.address) == 1


def test_a_transaction_that_runs_out_of_gas_is_not_mined() -> None:
    l1 = embedded()
    with pytest.raises(L1Reverted, match="Out of gas"):
        l1.send(ALICE, None, TOKEN.creation(), gas_limit=200_000)
    assert (l1.nonce(ALICE.address), l1.time_s()) == (0, GENESIS_TIME_S)


def test_an_unfunded_sender_is_one_clear_error() -> None:
    with pytest.raises(L1Error, match=r"transaction refused: .*balance"):
        embedded().send(devkeys.development_signer("poor"), None, TOKEN.creation())


def test_chains_do_not_share_state_or_id() -> None:
    first = EmbeddedL1(genesis_time_s=GENESIS_TIME_S)
    second = EmbeddedL1(genesis_time_s=GENESIS_TIME_S, chain_id=1337)
    receipt = first.send(devkeys.deployer(), None, TOKEN.creation())
    assert receipt.contract is not None
    assert (first.chain_id, second.chain_id) == (31337, 1337)
    assert len(first.code(receipt.contract)) == TOKEN.code_size
    assert second.code(receipt.contract) == b""
