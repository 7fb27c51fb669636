"""Custody: books that match the token, pull payments, and tokens that misbehave."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sequencer.l1 import devkeys
from sequencer.l1.abi import load_artifact, rejection
from sequencer.l1.contracts import CustodyState, Rollup
from sequencer.l1.errors import L1Rejected, L1Reverted
from sequencer.l1.port import ZERO_ADDRESS, Signer
from tests.contracts.support.venue import (
    ALICE,
    ARTIFACTS,
    BOB,
    Withdrawal,
    deployed,
    embedded,
    fund,
    next_statement,
    post,
    read,
    send,
)

HONEST_BUT_SILENT, RETURNS_FALSE, TAKES_FEE, REVERTS = 0, 1, 2, 3
REENTERS_DEPOSIT, REENTERS_CLAIM, RETURNS_RUBBISH = 4, 5, 6
REENTERED = next(
    selector
    for selector, entry in load_artifact("Custody").errors.items()
    if entry.name == "Reentered"
)


def refusal(attempt: Callable[[], object]) -> str:
    with pytest.raises(L1Rejected) as caught:
        attempt()
    return str(caught.value)


def withdrawn(rollup: Rollup, *withdrawals: Withdrawal, deposit: int = 1_000) -> Rollup:
    """Deposit for Alice and have a batch credit the withdrawals."""
    fund(rollup, ALICE, deposit)
    rollup.register_key(ALICE, 5, 6)
    rollup.deposit(ALICE, 1, deposit)
    post(rollup, next_statement(rollup, queue_count=2, withdrawals=withdrawals))
    return rollup


def test_books_and_token_agree_at_every_step(rollup: Rollup) -> None:
    assert rollup.custody_state() == CustodyState(0, 0, 0, 0, 0)
    withdrawn(rollup, Withdrawal(ALICE, 300), Withdrawal(BOB, 50), Withdrawal(ALICE, 1))
    assert rollup.custody_state() == CustodyState(1_000, 351, 0, 1_000, 1_000)
    assert (rollup.claimable(ALICE.address), rollup.claimable(BOB.address)) == (301, 50)

    assert rollup.claim(ALICE).amount == 301

    assert rollup.custody_state() == CustodyState(1_000, 351, 301, 699, 699)
    assert rollup.token_balance(ALICE.address) == 301
    assert rollup.claim(BOB).amount == 50
    assert rollup.custody_state() == CustodyState(1_000, 351, 351, 649, 649)
    assert rollup.custody_state().matches


def test_a_second_claim_pays_nothing(rollup: Rollup) -> None:
    withdrawn(rollup, Withdrawal(ALICE, 300))
    rollup.claim(ALICE)
    expected = f"NothingToClaim(owner={ALICE.address})"
    assert refusal(lambda: rollup.claim(ALICE)) == expected
    assert refusal(lambda: rollup.claim(BOB)) == f"NothingToClaim(owner={BOB.address})"
    assert rollup.custody_state().claimed == 300


@pytest.mark.parametrize(
    ("state", "matches"),
    [
        (CustodyState(10, 5, 4, 6, 6), True),
        (CustodyState(10, 5, 4, 6, 7), False),
        (CustodyState(10, 5, 4, 7, 7), False),
        (CustodyState(10, 3, 4, 6, 6), False),
        (CustodyState(10, 11, 4, 6, 6), False),
    ],
)
def test_matching_means_every_relation(state: CustodyState, matches: bool) -> None:
    assert state.matches is matches


def test_only_queue_and_settlement_may_call_in(rollup: Rollup) -> None:
    custody = load_artifact("Custody")
    deployment = rollup.deployment
    for caller in (ALICE, devkeys.sequencer(), devkeys.deployer()):
        attempts = {
            deployment.queue: custody.call("deposit", ALICE.address, 1),
            deployment.settlement: custody.call("credit", [Withdrawal(ALICE, 1).word]),
        }
        for expected, data in attempts.items():
            with pytest.raises(L1Reverted) as caught:
                rollup.l1.send(caller, deployment.custody, data)
            assert str(rejection(caught.value)) == (
                f"WrongCaller(expected={expected}, got={caller.address})"
            )


def test_there_is_no_function_that_an_owner_could_misuse() -> None:
    changing = {"deposit", "credit", "claim"}
    reading = {
        "TOKEN", "QUEUE", "SETTLEMENT", "totalDeposited", "totalCredited", "totalClaimed",
        "custodyTotal", "claimable",
    }  # fmt: skip
    assert set(load_artifact("Custody").functions) == changing | reading


def test_custody_stays_below_its_cap(rollup: Rollup) -> None:
    fund(rollup, ALICE, 2**64)
    rollup.register_key(ALICE, 5, 6)
    rollup.deposit(ALICE, 1, 2**64 - 1)
    assert refusal(lambda: rollup.deposit(ALICE, 1, 1)) == (
        f"CustodyCapExceeded(cap={2**64}, got={2**64})"
    )


def test_claims_make_room_below_the_cap(rollup: Rollup) -> None:
    largest = 2**64 - 1
    withdrawn(rollup, Withdrawal(ALICE, largest), deposit=largest)
    rollup.claim(ALICE)
    rollup.approve(ALICE, largest)
    rollup.deposit(ALICE, 1, largest)
    assert rollup.custody_state() == CustodyState(2 * largest, largest, largest, largest, largest)


def test_a_token_address_without_code_is_refused(rollup: Rollup) -> None:
    creation = load_artifact("Custody").creation(BOB.address, ZERO_ADDRESS, ZERO_ADDRESS)
    with pytest.raises(L1Reverted) as caught:
        rollup.l1.send(devkeys.deployer(), None, creation)
    assert str(rejection(caught.value)) == f"TokenHasNoCode(token={BOB.address})"


@pytest.fixture
def hostile() -> Rollup:
    """A venue over the token of many behaviours, with an account and a balance for Alice."""
    l1 = embedded()
    receipt = l1.send(BOB, None, load_artifact("HostileToken", ARTIFACTS).creation())
    assert receipt.contract is not None
    rollup = deployed(l1, token=receipt.contract)
    send(l1, ALICE, "HostileToken", receipt.contract, "mint", ALICE.address, 1_000)
    rollup.register_key(ALICE, 5, 6)
    return rollup


def behave(rollup: Rollup, behaviour: int, target: str = ZERO_ADDRESS) -> None:
    token = rollup.deployment.token
    send(rollup.l1, ALICE, "HostileToken", token, "behave", behaviour, target)


def credited(rollup: Rollup, owner: Signer = ALICE, amount: int = 100) -> None:
    rollup.deposit(ALICE, 1, amount)
    post(rollup, next_statement(rollup, queue_count=2, withdrawals=[Withdrawal(owner, amount)]))


def test_a_token_that_returns_nothing_works(hostile: Rollup) -> None:
    credited(hostile)
    assert hostile.claim(ALICE).amount == 100
    assert hostile.custody_state() == CustodyState(100, 100, 100, 0, 0)


@pytest.mark.parametrize("behaviour", [RETURNS_FALSE, REVERTS, RETURNS_RUBBISH])
def test_a_token_that_fails_moves_nothing(hostile: Rollup, behaviour: int) -> None:
    expected = f"TokenCallFailed(token={hostile.deployment.token})"
    behave(hostile, behaviour)
    assert refusal(lambda: hostile.deposit(ALICE, 1, 100)) == expected
    behave(hostile, HONEST_BUT_SILENT)
    credited(hostile)
    behave(hostile, behaviour)
    assert refusal(lambda: hostile.claim(ALICE)) == expected
    assert hostile.claimable(ALICE.address) == 100


def test_a_fee_on_transfer_is_refused(hostile: Rollup) -> None:
    behave(hostile, TAKES_FEE)
    assert refusal(lambda: hostile.deposit(ALICE, 1, 100)) == (
        "WrongTransferredAmount(expected=100, got=99)"
    )
    assert len(hostile.queue_entries()) == 1


def test_a_nested_deposit_is_refused(hostile: Rollup) -> None:
    behave(hostile, REENTERS_DEPOSIT, hostile.deployment.queue)
    hostile.deposit(ALICE, 1, 100)
    assert last_output(hostile) == REENTERED
    assert len(hostile.queue_entries()) == 2
    assert hostile.custody_state() == CustodyState(100, 0, 0, 100, 100)


def test_a_nested_claim_is_refused(hostile: Rollup) -> None:
    credited(hostile)
    behave(hostile, REENTERS_CLAIM, hostile.deployment.custody)
    assert hostile.claim(ALICE).amount == 100
    assert last_output(hostile) == REENTERED
    assert hostile.custody_state() == CustodyState(100, 100, 100, 0, 0)


def last_output(rollup: Rollup) -> object:
    return read(rollup.l1, "HostileToken", rollup.deployment.token, "lastOutput")
