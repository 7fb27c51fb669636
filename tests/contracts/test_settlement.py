"""Settlement: one accepted path, and every refusal with the values it carries."""

from __future__ import annotations

from typing import Any

import pytest

from circuits.field import Q, R
from circuits.statement import PUBLIC_WORDS, Statement
from sequencer.l1 import devkeys
from sequencer.l1.abi import load_artifact, rejection
from sequencer.l1.contracts import Rollup
from sequencer.l1.deploy import created_address
from sequencer.l1.embedded import EmbeddedL1
from sequencer.l1.errors import L1Rejected, L1Reverted
from sequencer.l1.port import L1
from tests.contracts.support.venue import (
    ALICE,
    ARTIFACTS,
    BOB,
    GENESIS_ROOT,
    GENESIS_TIME_S,
    PROOF,
    Withdrawal,
    deployed,
    embedded,
    fund,
    next_statement,
    post,
)

DEPOSIT = 1_000
WITHDRAWAL = Withdrawal(ALICE, 400)
ACCOUNT_WORDS = (1 + (2 << 32), 3, 4)
MAX_AHEAD_MS = 30_000
MAX_AGE_MS = 86_400_000


def with_deposits() -> Rollup:
    rollup = deployed(embedded())
    fund(rollup, ALICE, 10 * DEPOSIT)
    rollup.register_key(ALICE, 5, 6)
    rollup.deposit(ALICE, 1, DEPOSIT)
    return rollup


@pytest.fixture(scope="module")
def ready() -> tuple[Rollup, Statement]:
    """A venue with two queue entries, and the statement it accepts; refusals change nothing."""
    rollup = with_deposits()
    statement = next_statement(
        rollup, queue_count=2, withdrawals=[WITHDRAWAL], account_words=ACCOUNT_WORDS
    )
    return rollup, statement


def refused(rollup: Rollup, statement: Statement, **changes: Any) -> tuple[str, dict[str, Any]]:
    with pytest.raises(L1Rejected) as caught:
        post(rollup, statement, **changes)
    return caught.value.error_name, caught.value.arguments


def with_word(statement: Statement, index: int, word: int) -> tuple[int, ...]:
    return (*statement.pubdata[:index], word, *statement.pubdata[index + 1 :])


def test_an_accepted_batch_moves_the_root_the_cursor_the_time_and_the_funds() -> None:
    rollup = with_deposits()
    statement = next_statement(
        rollup, queue_count=2, withdrawals=[WITHDRAWAL], account_words=ACCOUNT_WORDS
    )

    receipt = post(rollup, statement)

    state = rollup.settlement_state()
    assert (state.root, state.next_batch_number, state.queue_cursor) == (statement.new_root, 2, 2)
    assert state.time_last_ms == statement.time_last_ms
    assert state.settled_total == DEPOSIT - WITHDRAWAL.amount
    assert rollup.claimable(ALICE.address) == WITHDRAWAL.amount
    accepted = [
        load_artifact("Settlement").event("BatchAccepted", log)
        for log in receipt.logs
        if log.address == rollup.deployment.settlement
    ]
    assert accepted == [
        {
            "batchNumber": 1,
            "newRoot": statement.new_root,
            "rootAccounts": statement.root_accounts,
            "queueCursor": 2,
            "timeLastMs": statement.time_last_ms,
            "depositTotal": DEPOSIT,
            "withdrawalTotal": WITHDRAWAL.amount,
        }
    ]


def test_a_second_batch_continues_from_the_first() -> None:
    rollup = with_deposits()
    post(rollup, next_statement(rollup, queue_count=1, new_root=77))
    post(rollup, next_statement(rollup, queue_count=1, new_root=78))
    post(rollup, next_statement(rollup, withdrawals=[WITHDRAWAL], new_root=79))

    state = rollup.settlement_state()
    assert (state.root, state.next_batch_number, state.queue_cursor) == (79, 4, 2)
    assert state.settled_total == DEPOSIT - WITHDRAWAL.amount


def test_genesis_is_the_empty_tree(rollup: Rollup) -> None:
    state = rollup.settlement_state()
    assert state.root == GENESIS_ROOT
    assert (state.next_batch_number, state.queue_cursor, state.settled_total) == (1, 0, 0)


def test_only_the_sequencer_may_post(ready: tuple[Rollup, Statement]) -> None:
    rollup, statement = ready
    with pytest.raises(L1Rejected) as caught:
        rollup.submit_batch(BOB, statement.words(), statement.pubdata, PROOF)
    assert caught.value.error_name == "NotSequencer"
    assert caught.value.arguments == {
        "expected": devkeys.sequencer().address,
        "got": BOB.address,
    }


@pytest.mark.parametrize("count", [0, 19, 21])
def test_the_number_of_words_is_fixed(ready: tuple[Rollup, Statement], count: int) -> None:
    rollup, statement = ready
    words = (*statement.words(), 0)[:count]
    with pytest.raises(L1Rejected) as caught:
        rollup.submit_batch(devkeys.sequencer(), words, statement.pubdata, PROOF)
    assert caught.value.error_name == "WrongWordCount"
    assert caught.value.arguments == {"expected": 20, "got": count}


@pytest.mark.parametrize("value", [R, Q - 1, 2**256 - 1])
@pytest.mark.parametrize("index", range(len(PUBLIC_WORDS)))
def test_every_word_must_be_canonical(
    ready: tuple[Rollup, Statement], index: int, value: int
) -> None:
    rollup, statement = ready
    outcome = refused(rollup, statement, **{PUBLIC_WORDS[index]: value})
    assert outcome == ("WordNotCanonical", {"index": index, "got": value})


@pytest.mark.parametrize("value", [R, Q - 1, 2**256 - 1])
def test_every_published_word_must_be_canonical(
    ready: tuple[Rollup, Statement], value: int
) -> None:
    rollup, statement = ready
    for index in range(len(statement.pubdata)):
        outcome = refused(rollup, statement, pubdata=with_word(statement, index, value))
        assert outcome == (
            "WordNotCanonical",
            {"index": len(PUBLIC_WORDS) + index, "got": value},
        )


@pytest.mark.parametrize(
    ("word", "error_name"),
    [
        ("domain", "WrongDomain"),
        ("batch_number", "WrongBatchNumber"),
        ("sequencer_epoch", "WrongEpoch"),
        ("old_root", "WrongOldRoot"),
        ("queue_cursor_before", "WrongCursor"),
        ("queue_hash", "WrongQueueHash"),
        ("deposit_total", "WrongDepositTotal"),
        ("withdrawal_total", "WrongWithdrawalTotal"),
    ],
)
@pytest.mark.parametrize("difference", [1, -1])
def test_a_word_must_be_what_the_contract_computes(
    ready: tuple[Rollup, Statement], word: str, error_name: str, difference: int
) -> None:
    rollup, statement = ready
    expected = getattr(statement, word)
    got = (expected + difference) % R
    outcome = refused(rollup, statement, **{word: got})
    assert outcome == (error_name, {"expected": expected, "got": got})


def test_a_proof_for_another_chain_is_refused(ready: tuple[Rollup, Statement]) -> None:
    rollup, statement = ready
    expected = rollup.deployment.domain
    outcome = refused(rollup, statement, domain=expected + 1)
    assert outcome == ("WrongDomain", {"expected": expected, "got": expected + 1})


def test_a_replayed_batch_is_refused() -> None:
    rollup = with_deposits()
    statement = next_statement(rollup, queue_count=2)
    post(rollup, statement)
    outcome = refused(rollup, statement)
    assert outcome == ("WrongBatchNumber", {"expected": 2, "got": 1})


@pytest.mark.parametrize("count", ["queue_count", "withdrawal_count", "account_count"])
def test_counts_must_fit_the_published_words(ready: tuple[Rollup, Statement], count: str) -> None:
    rollup, statement = ready
    words_each = {"queue_count": 4, "withdrawal_count": 1, "account_count": 3}[count]
    length = len(statement.pubdata)
    number = getattr(statement, count)
    for changed in (number + 1, number - 1):
        expected = length + words_each * (changed - number)
        outcome = refused(rollup, statement, **{count: changed})
        assert outcome == ("WrongPubdataLength", {"expected": expected, "got": length})
    for huge in (2**64, R - 1):
        outcome = refused(rollup, statement, **{count: huge})
        assert outcome == ("WrongPubdataLength", {"expected": huge, "got": length})


def test_published_words_may_not_be_dropped(ready: tuple[Rollup, Statement]) -> None:
    rollup, statement = ready
    length = len(statement.pubdata)
    outcome = refused(rollup, statement, pubdata=statement.pubdata[:-1])
    assert outcome == ("WrongPubdataLength", {"expected": length, "got": length - 1})


def test_time_may_not_run_backwards_inside_a_batch(ready: tuple[Rollup, Statement]) -> None:
    rollup, statement = ready
    first = statement.time_last_ms + 1
    outcome = refused(rollup, statement, time_first_ms=first)
    assert outcome == ("TimeBackwards", {"previous": first, "got": statement.time_last_ms})


def test_time_may_not_run_backwards_between_batches() -> None:
    rollup = with_deposits()
    statement = next_statement(rollup, queue_count=1)
    post(rollup, statement)
    last = statement.time_last_ms
    following = next_statement(rollup)
    outcome = refused(rollup, following, time_first_ms=last - 1)
    assert outcome == ("TimeBackwards", {"previous": last, "got": last - 1})
    post(rollup, following, time_first_ms=last)


def test_a_batch_may_be_thirty_seconds_ahead_and_no_more() -> None:
    rollup = with_deposits()
    statement = next_statement(rollup)
    limit = (rollup.l1.time_s() + 1) * 1000 + MAX_AHEAD_MS
    outcome = refused(rollup, statement, time_last_ms=limit + 1)
    assert outcome == ("TimeInFuture", {"limit": limit, "got": limit + 1})
    post(rollup, statement, time_last_ms=limit)


def test_a_batch_may_be_a_day_old_and_no_more() -> None:
    rollup = with_deposits()
    statement = next_statement(rollup)
    limit = (rollup.l1.time_s() + 1) * 1000 - MAX_AGE_MS
    times = {"time_first_ms": limit - 1, "time_last_ms": limit - 1}
    outcome = refused(rollup, statement, **times)
    assert outcome == ("TimeTooOld", {"limit": limit, "got": limit - 1})
    post(rollup, statement, time_first_ms=limit, time_last_ms=limit)


def test_a_batch_may_not_consume_more_than_the_queue_holds(
    ready: tuple[Rollup, Statement],
) -> None:
    rollup, statement = ready
    pubdata = (*statement.pubdata[:8], *statement.pubdata[4:8], *statement.pubdata[8:])
    outcome = refused(rollup, statement, queue_count=3, pubdata=pubdata)
    assert outcome == ("QueueOverrun", {"length": 2, "got": 3})


@pytest.mark.parametrize("index", range(8))
def test_published_queue_entries_must_be_the_queued_ones(
    ready: tuple[Rollup, Statement], index: int
) -> None:
    rollup, statement = ready
    pubdata = with_word(statement, index, statement.pubdata[index] ^ 1)
    error_name, arguments = refused(rollup, statement, pubdata=pubdata)
    assert error_name == "WrongQueueHash"
    assert arguments["expected"] == statement.queue_hash
    assert arguments["got"] != statement.queue_hash


def test_queue_entries_may_not_be_swapped(ready: tuple[Rollup, Statement]) -> None:
    rollup, statement = ready
    pubdata = (*statement.pubdata[4:8], *statement.pubdata[:4], *statement.pubdata[8:])
    error_name, _ = refused(rollup, statement, pubdata=pubdata)
    assert error_name == "WrongQueueHash"


def test_outcome_codes_must_be_known() -> None:
    rollup = with_deposits()
    statement = next_statement(rollup, queue_count=2)
    of_register, of_deposit = 1, 5
    too_high = statement.pubdata[of_register] + (2 << 160)
    outcome = refused(rollup, statement, pubdata=with_word(statement, of_register, too_high))
    assert outcome == ("UnknownOutcome", {"index": 0, "got": 2})
    invalid_key = statement.pubdata[of_deposit] + (1 << 160)
    outcome = refused(rollup, statement, pubdata=with_word(statement, of_deposit, invalid_key))
    assert outcome == ("UnknownOutcome", {"index": 1, "got": 1})
    known = statement.pubdata[of_register] + (1 << 160)
    post(rollup, statement, pubdata=with_word(statement, of_register, known))


def test_no_batch_may_withdraw_more_than_was_settled() -> None:
    rollup = with_deposits()
    rollup.deposit(ALICE, 1, DEPOSIT)
    statement = next_statement(rollup, queue_count=2, withdrawals=[Withdrawal(ALICE, DEPOSIT + 1)])
    outcome = refused(rollup, statement)
    assert outcome == (
        "WithdrawalsExceedDeposits",
        {"available": DEPOSIT, "got": DEPOSIT + 1},
    )


def test_a_withdrawal_is_credited_once() -> None:
    rollup = with_deposits()
    statement = next_statement(rollup, queue_count=2, withdrawals=[Withdrawal(ALICE, DEPOSIT)])
    post(rollup, statement)
    again = next_statement(rollup, withdrawals=[Withdrawal(ALICE, DEPOSIT)])
    outcome = refused(rollup, again)
    assert outcome == ("WithdrawalsExceedDeposits", {"available": 0, "got": DEPOSIT})
    assert rollup.claimable(ALICE.address) == DEPOSIT


def test_a_refusal_by_the_verifier_comes_through(ready: tuple[Rollup, Statement]) -> None:
    rollup, statement = ready
    with pytest.raises(L1Rejected) as caught:
        rollup.submit_batch(devkeys.sequencer(), statement.words(), statement.pubdata, b"")
    assert caught.value.error_name == "EmptyProof"
    assert caught.value.arguments == {"wordCount": 20, "pubdataLength": len(statement.pubdata)}


def test_the_first_failing_check_decides(ready: tuple[Rollup, Statement]) -> None:
    """Everything from a place onward is wrong; the error is the one of that place."""
    rollup, statement = ready
    order = [
        ("domain", "WrongDomain"),
        ("batch_number", "WrongBatchNumber"),
        ("sequencer_epoch", "WrongEpoch"),
        ("old_root", "WrongOldRoot"),
        ("queue_cursor_before", "WrongCursor"),
        ("withdrawal_count", "WrongPubdataLength"),
        ("time_last_ms", "TimeBackwards"),
        ("queue_hash", "WrongQueueHash"),
        ("deposit_total", "WrongDepositTotal"),
        ("withdrawal_total", "WrongWithdrawalTotal"),
    ]
    for place, (_, error_name) in enumerate(order):
        wrong = {word: 999 for word, _ in order[place:]}
        if place > order.index(("time_last_ms", "TimeBackwards")):
            wrong.pop("time_last_ms", None)
        assert refused(rollup, statement, **wrong)[0] == error_name


def test_a_refused_batch_changes_nothing(ready: tuple[Rollup, Statement]) -> None:
    rollup, statement = ready
    before = (rollup.settlement_state(), rollup.custody_state(), rollup.l1.time_s())
    nonce = rollup.l1.nonce(devkeys.sequencer().address)
    refused(rollup, statement, old_root=0)
    assert (rollup.settlement_state(), rollup.custody_state(), rollup.l1.time_s()) == before
    assert rollup.l1.nonce(devkeys.sequencer().address) == nonce


def test_a_settlement_that_custody_does_not_know_cannot_be_made(rollup: Rollup) -> None:
    deployment = rollup.deployment
    error = refused_settlement(rollup.l1, deployment.queue, deployment.verifier)
    assert error.error_name == "WrongWiring"
    assert error.arguments["expected"] == deployment.settlement


def test_a_settlement_on_a_queue_that_custody_does_not_know_cannot_be_made() -> None:
    l1 = EmbeddedL1(genesis_time_s=GENESIS_TIME_S)
    deployer = devkeys.deployer()
    token, custody, queue, judge, foreign_queue, settlement = (
        created_address(deployer.address, nonce) for nonce in range(6)
    )
    l1.send(deployer, None, load_artifact("TestToken").creation())
    l1.send(deployer, None, load_artifact("Custody").creation(token, queue, settlement))
    l1.send(deployer, None, load_artifact("Queue").creation(custody))
    l1.send(deployer, None, load_artifact("AcceptAllVerifier", ARTIFACTS).creation())
    l1.send(deployer, None, load_artifact("ForeignQueue", ARTIFACTS).creation(custody))
    error = refused_settlement(l1, foreign_queue, judge)
    assert str(error) == f"WrongWiring(expected={queue}, got={foreign_queue})"


@pytest.mark.parametrize("chain_id", [1, 10, 31338, 2**64])
def test_the_contract_refuses_a_development_key_on_a_public_chain(chain_id: int) -> None:
    error = refused_on_chain(chain_id, "AcceptAllVerifier")
    assert error.error_name == "InsecureKeyOnPublicChain"
    assert error.arguments == {"chainId": chain_id}


def test_the_chain_id_must_fit_the_domain_word() -> None:
    error = refused_on_chain(2**64, "SplitVerifier", [])
    assert error.error_name == "ChainIdTooLarge"
    assert error.arguments == {"chainId": 2**64}


def test_a_local_chain_may_use_a_development_key() -> None:
    deployment = deployed(EmbeddedL1(genesis_time_s=GENESIS_TIME_S, chain_id=1337)).deployment
    assert deployment.domain % 2**64 == 1337


def refused_settlement(l1: L1, queue: str, verifier: str) -> L1Rejected:
    creation = load_artifact("Settlement").creation(
        queue, verifier, devkeys.sequencer().address, 1, GENESIS_ROOT
    )
    with pytest.raises(L1Reverted) as caught:
        l1.send(devkeys.deployer(), None, creation)
    error = rejection(caught.value)
    assert isinstance(error, L1Rejected)
    return error


def refused_on_chain(chain_id: int, verifier: str, *arguments: object) -> L1Rejected:
    """Deploy step by step what `deploy` would not begin, up to the settlement."""
    l1 = EmbeddedL1(genesis_time_s=GENESIS_TIME_S, chain_id=chain_id)
    deployer = devkeys.deployer()
    token, custody, queue, judge, settlement = (
        created_address(deployer.address, nonce) for nonce in range(5)
    )
    l1.send(deployer, None, load_artifact("TestToken").creation())
    l1.send(deployer, None, load_artifact("Custody").creation(token, queue, settlement))
    l1.send(deployer, None, load_artifact("Queue").creation(custody))
    l1.send(deployer, None, load_artifact(verifier, ARTIFACTS).creation(*arguments))
    return refused_settlement(l1, queue, judge)
