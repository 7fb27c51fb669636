"""The hash chains: the queue's as Solidity hashes it, the journal's over canonical bytes."""

from __future__ import annotations

from hashlib import sha256

from eth_hash.auto import keccak

from circuits.exchange.apply import Command
from circuits.exchange.codec import encode_command
from circuits.exchange.events import Kind, Outcome
from circuits.exchange.requests import PublishedRequest
from sequencer.hash_chains import EMPTY_CHAIN, extend_journal, extend_queue_chain, public_word
from tests.support.exchange import deposit, owner_of, register, transfer


def abi_words(*words: int) -> bytes:
    return b"".join(word.to_bytes(32, "big") for word in words)


def test_queue_chain_of_a_deposit_and_a_refused_key() -> None:
    first = PublishedRequest(Kind.DEPOSIT, 1, owner_of(1), 5, 0, 0, Outcome.APPLIED)
    second = PublishedRequest(Kind.REGISTER_KEY, 1, owner_of(1), 0, 3, 5, Outcome.INVALID_KEY)
    chain = keccak(bytes(32) + abi_words(1 + (1 << 8) + (5 << 32), owner_of(1), 0, 0))
    assert extend_queue_chain(EMPTY_CHAIN, first) == int.from_bytes(chain, "big")
    longer = keccak(chain + abi_words(2 + (1 << 8), owner_of(1), 3, 5))
    both = extend_queue_chain(int.from_bytes(chain, "big"), second)
    assert both == int.from_bytes(longer, "big")


def test_the_outcome_is_not_part_of_the_queue() -> None:
    key = register(1)
    chains = {
        extend_queue_chain(
            7, PublishedRequest(Kind.REGISTER_KEY, 1, 2, 0, key.key_x, key.key_y, outcome)
        )
        for outcome in Outcome
    }
    assert len(chains) == 1


def test_journal_is_a_chain_over_canonical_bytes() -> None:
    commands = [Command(1, deposit(1, 2)), Command(3, transfer(1, 1, 2, 1))]
    head = EMPTY_CHAIN
    digest = bytes(32)
    for command in commands:
        head = extend_journal(head, command)
        digest = sha256(digest + encode_command(command)).digest()
    assert head == int.from_bytes(digest, "big")
    assert extend_journal(0, commands[0]) != extend_journal(0, Command(2, deposit(1, 2)))


def test_a_public_word_is_248_bits() -> None:
    assert public_word(2**256 - 1) == 2**248 - 1
