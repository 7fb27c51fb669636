"""The two hash chains of a batch: what L1 queued, and what the venue accepted."""

from __future__ import annotations

from hashlib import sha256

from eth_hash.auto import keccak

from circuits.exchange.apply import Command
from circuits.exchange.codec import encode_command
from circuits.exchange.requests import PublishedRequest

EMPTY_CHAIN = 0
"""The value of a chain before its first link; 32 zero bytes, as Solidity initialises it."""

WORD_BYTES = 32


def extend_queue_chain(chain: int, request: PublishedRequest) -> int:
    """The queue chain after one more request: keccak of the old value and the four words.

    Source: Queue._append in contracts/src/Queue.sol.
    """
    words = (chain, *request.chain_words)
    preimage = b"".join(word.to_bytes(WORD_BYTES, "big") for word in words)
    return int.from_bytes(keccak(preimage), "big")


def extend_journal(head: int, command: Command) -> int:
    """The journal head after one more accepted command, over its canonical bytes."""
    return extend_journal_bytes(head, encode_command(command))


def extend_journal_bytes(head: int, encoded: bytes) -> int:
    """The journal head after one more accepted command, given as its canonical bytes.

    SHA-256, which processors have instructions for and L1 a precompile: every command waits for it.
    """
    return int.from_bytes(sha256(head.to_bytes(WORD_BYTES, "big") + encoded).digest(), "big")


def public_word(chain: int) -> int:
    """The upper 248 bits of a chain value, which are below r and so fit a public word."""
    return chain >> 8
