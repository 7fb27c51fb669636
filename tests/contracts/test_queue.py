"""Queue: account ids, the hash chain, and every refusal."""

from __future__ import annotations

import pytest
from eth_hash.auto import keccak

from circuits.field import R
from sequencer.l1 import devkeys
from sequencer.l1.abi import load_artifact, rejection
from sequencer.l1.contracts import QueueEntry, Rollup
from sequencer.l1.errors import L1Rejected, L1Reverted
from sequencer.l1.port import address_word
from tests.contracts.support.venue import ALICE, BOB, fund


def words_hash(*words: int) -> bytes:
    return keccak(b"".join(word.to_bytes(32, "big") for word in words))


def test_ids_are_assigned_from_one_upwards_and_never_shared(rollup: Rollup) -> None:
    accounts = [rollup.register_key(owner, 5, 6).account for owner in (ALICE, BOB, ALICE)]
    assert accounts == [1, 2, 3]
    owners = [view(rollup, "ownerOf", account) for account in (0, 1, 2, 3, 4)]
    nobody = "0x" + "00" * 20
    assert owners == [nobody, ALICE.address, BOB.address, ALICE.address, nobody]
    assert view(rollup, "accountCount") == 3


def test_entries_extend_the_hash_chain_word_by_word(rollup: Rollup) -> None:
    fund(rollup, BOB, 70)
    rollup.register_key(ALICE, R - 1, 0)
    rollup.deposit(BOB, 1, 70)
    rollup.rotate_key(ALICE, 1, 8, 9)
    alice = address_word(ALICE.address)
    words = [
        (2 + (1 << 8), alice, R - 1, 0),
        (1 + (1 << 8) + (70 << 32), alice, 0, 0),
        (2 + (1 << 8), alice, 8, 9),
    ]

    chain = bytes(32)
    expected = []
    for index, entry_words in enumerate(words):
        chain = words_hash(int.from_bytes(chain, "big"), *entry_words)
        expected.append(QueueEntry(index, *entry_words, chain))

    assert rollup.queue_entries() == tuple(expected)
    assert rollup.queue_entries(first=2) == tuple(expected[2:])
    assert view(rollup, "length") == 3
    assert view(rollup, "chainAt", 0) == bytes(32)
    assert [view(rollup, "chainAt", count) for count in (1, 2, 3)] == [
        entry.chain for entry in expected
    ]


def test_an_entry_reads_its_head() -> None:
    entry = QueueEntry(0, 1 + (0xABCDEF << 8) + ((2**64 - 1) << 32), 0xAA, 0, 0, bytes(32))
    assert (entry.kind, entry.account, entry.amount) == (1, 0xABCDEF, 2**64 - 1)
    assert entry.owner_address == "0x" + "00" * 19 + "aa"


@pytest.mark.parametrize("value", [R, R + 1, 2**256 - 1])
def test_key_coordinates_must_be_canonical(rollup: Rollup, value: int) -> None:
    for index, key in enumerate([(value, 0), (0, value)]):
        expected = f"KeyNotCanonical(index={index}, value={value})"
        assert refusal(lambda key=key: rollup.register_key(ALICE, *key)) == expected
    rollup.register_key(ALICE, 5, 6)
    for index, key in enumerate([(value, 0), (0, value)]):
        expected = f"KeyNotCanonical(index={index}, value={value})"
        assert refusal(lambda key=key: rollup.rotate_key(ALICE, 1, *key)) == expected


def test_only_the_owner_rotates_a_key(rollup: Rollup) -> None:
    rollup.register_key(ALICE, 5, 6)
    assert refusal(lambda: rollup.rotate_key(BOB, 1, 5, 6)) == (
        f"NotAccountOwner(expected={ALICE.address}, got={BOB.address})"
    )


@pytest.mark.parametrize("account", [0, 2, 2**24, 2**256 - 1])
def test_unopened_accounts_are_refused(rollup: Rollup, account: int) -> None:
    rollup.register_key(ALICE, 5, 6)
    expected = f"UnknownAccount(account={account})"
    assert refusal(lambda: rollup.rotate_key(ALICE, account, 5, 6)) == expected
    assert refusal(lambda: rollup.deposit(ALICE, account, 1)) == expected


@pytest.mark.parametrize("amount", [0, 2**64, 2**256 - 1])
def test_deposits_must_be_in_range(rollup: Rollup, amount: int) -> None:
    rollup.register_key(ALICE, 5, 6)
    assert refusal(lambda: rollup.deposit(ALICE, 1, amount)) == (
        f"AmountOutOfRange(limit={2**64}, got={amount})"
    )


def test_a_refused_deposit_leaves_no_entry(rollup: Rollup) -> None:
    rollup.register_key(ALICE, 5, 6)
    assert refusal(lambda: rollup.deposit(ALICE, 1, 5)) == (
        f"TokenCallFailed(token={rollup.deployment.token})"
    )
    assert view(rollup, "length") == 1


def test_the_chain_cannot_be_read_beyond_its_end(rollup: Rollup) -> None:
    assert refusal(lambda: view(rollup, "chainAt", 1)) == "BeyondQueueEnd(length=0, got=1)"


def test_a_queue_needs_the_custody_that_was_made_for_it(rollup: Rollup) -> None:
    creation = load_artifact("Queue").creation(rollup.deployment.custody)
    with pytest.raises(L1Reverted) as caught:
        rollup.l1.send(devkeys.deployer(), None, creation)
    error = rejection(caught.value)
    assert isinstance(error, L1Rejected)
    assert error.error_name == "WrongWiring"
    assert error.arguments["expected"] == rollup.deployment.queue


def view(rollup: Rollup, function: str, *arguments: object) -> object:
    queue = load_artifact("Queue")
    try:
        output = rollup.l1.call(rollup.deployment.queue, queue.call(function, *arguments))
    except L1Reverted as reverted:
        raise rejection(reverted) from reverted
    return queue.output(function, output)


def refusal(attempt: object) -> str:
    assert callable(attempt)
    with pytest.raises(L1Rejected) as caught:
        attempt()
    return str(caught.value)
