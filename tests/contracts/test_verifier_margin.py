"""The margin verifier on a real batch of 300 commands: accepted, refused and priced."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from circuits.chips.system import SHAPES
from circuits.field import Q, R
from sequencer.demo_run import GENESIS_TIME_S
from sequencer.deploying import verifier_plan
from sequencer.l1 import devkeys
from sequencer.l1.abi import load_artifact
from sequencer.l1.contracts import Rollup
from sequencer.l1.deploy import numbered_parts
from sequencer.l1.errors import L1Rejected
from sequencer.l1.port import TRANSACTION_GAS_CAP
from sequencer.l1.rpc import RpcL1
from sequencer.venue import post_batch, verification_gas, wait_for
from tests.contracts.support.verifiers import DeployedVerifier
from tests.support.anvil import MISSING_REASON, anvil_is_missing, running_anvil
from tests.support.machine import Machine
from tests.support.margin_day import (
    BATCH_COMMANDS,
    MarginDay,
    day_owners,
    margin_day,
    margin_key,
    waiting_venue,
)
from tests.tampers import Claim, tampers
from verifier.verify import verify

if TYPE_CHECKING:
    from tests.conftest import Pinned

pytestmark = pytest.mark.slow

CODE_BYTES_MAX = 24_576
# One transaction that asks the verifier alone, its calldata included.
VERIFY_GAS_MAX = 1_500_000
PARTS = numbered_parts("Constraints")
VERIFIERS = [f"Verifier{name}" for name in SHAPES]


@pytest.fixture(scope="module")
def day() -> MarginDay:
    return margin_day()


@pytest.fixture(scope="module")
def claim(day: MarginDay) -> Claim:
    return day.claim


@pytest.fixture(scope="module")
def verifier() -> DeployedVerifier:
    """The shipped contracts on a bare machine, where hundreds of refusals take seconds."""
    machine = Machine()
    plan = verifier_plan(margin_key())
    parts = tuple(machine.deploy(load_artifact(name).creation()) for name in plan.parts)
    return DeployedVerifier(machine, machine.deploy(plan.artifact.creation(parts)), parts)


def refusal(verifier: DeployedVerifier, claim: Claim) -> tuple[str, dict[str, object]]:
    with pytest.raises(L1Rejected) as caught:
        verifier.verify(claim)
    return caught.value.error_name, caught.value.arguments


def gas_on(rollup: Rollup, day: MarginDay) -> dict[str, int]:
    """Gas of two transactions: the verifier alone, and the batch posted."""
    wait_for(rollup.l1, day.statement.time_last_ms)
    verify_gas = verification_gas(rollup, day.statement, day.proof)
    posted = post_batch(rollup, day.statement, day.proof)
    return {"verify": verify_gas, "submitBatch": posted.gas_used}


@pytest.fixture(scope="module")
def embedded_gas(day: MarginDay) -> dict[str, int]:
    return gas_on(day.rollup, day)


def test_both_judges_accept_the_batch(claim: Claim, verifier: DeployedVerifier) -> None:
    verify(claim.key, claim.words, claim.pubdata, claim.proof)
    verifier.verify(claim)


def test_it_is_the_batch_that_the_limits_are_stated_for(day: MarginDay) -> None:
    statement = day.statement
    assert statement.command_count == BATCH_COMMANDS == 300
    assert min(statement.queue_count, statement.withdrawal_count, statement.account_count) > 10


def test_posting_it_settles_within_the_gas_that_was_promised(
    day: MarginDay, embedded_gas: dict[str, int]
) -> None:
    state = day.rollup.settlement_state()
    assert (state.root, state.next_batch_number) == (day.statement.new_root, 2)
    assert embedded_gas["verify"] <= VERIFY_GAS_MAX
    assert embedded_gas["submitBatch"] <= TRANSACTION_GAS_CAP


def test_gas_and_code_sizes_are_as_pinned(embedded_gas: dict[str, int], pinned: Pinned) -> None:
    sizes = {name: load_artifact(name).code_size for name in (*PARTS, *VERIFIERS)}
    assert max(sizes.values()) < CODE_BYTES_MAX
    pinned.check("verifier_costs", {"gas": embedded_gas, "code_bytes": sizes})


@pytest.mark.anvil
@pytest.mark.skipif(anvil_is_missing(), reason=MISSING_REASON)
def test_anvil_accepts_it_for_the_same_gas(day: MarginDay, embedded_gas: dict[str, int]) -> None:
    funded = [devkeys.deployer().address, devkeys.sequencer().address, *day_owners()]
    with running_anvil(genesis_time_s=GENESIS_TIME_S, funded=funded) as node:
        l1 = RpcL1(node.url)
        rollup = waiting_venue(l1)
        assert rollup.deployment == day.rollup.deployment
        assert gas_on(rollup, day) == embedded_gas
        assert rollup.settlement_state().root == day.statement.new_root
        l1.close()


def test_every_tamper_is_refused_by_its_error(claim: Claim, verifier: DeployedVerifier) -> None:
    """All but the one that needs a contract of another key, which the toy system's tests have."""
    wrong = []
    for tamper in tampers(claim.key, len(claim.pubdata)):
        if tamper.part != "key":
            name, _ = refusal(verifier, tamper.apply(claim))
            if name != tamper.error.__name__:
                wrong.append((tamper.name, tamper.error, name))
    assert wrong == []


def with_each_word(words: tuple[int, ...]) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    for index in range(len(words)):
        for value in (R, Q - 1):
            yield index, value, (*words[:index], value, *words[index + 1 :])


def test_no_word_may_be_r_or_above(claim: Claim, verifier: DeployedVerifier) -> None:
    for index, value, words in with_each_word(claim.words):
        found = refusal(verifier, replace(claim, words=words))
        assert found == ("WordNotCanonical", {"index": index, "got": value})
    for index, value, pubdata in with_each_word(claim.pubdata):
        found = refusal(verifier, replace(claim, pubdata=pubdata))
        assert found == ("PublishedNotCanonical", {"index": index, "got": value})
